"""Matrix products as the convolutions need them: weights on one side, positions on the other.

A BLAS packs both operands of a product before it multiplies. OpenBLAS on x86-64 with AVX-512 has kernels without
packing for up to a million multiply-accumulates, which reach 150 to 175 GFLOP/s where one large product reaches 80 to
145 on the same core, so products are cut into such blocks, and `numpy.matmul` loops over them without returning to
Python. The vector loads of these kernels come from the weights, whose rows must begin at multiples of 64 bytes: two
thirds of the speed is left otherwise. Weights that do not fit the second-level cache gain nothing, but for few rows.
"""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.workspace import Array, Program, aligned

PAGE = 4096
"""Bytes; rows a quarter of it apart, or a multiple of that, collide in a cache."""
SMALL = 1_000_000
"""Multiply-accumulates of a block."""
LONGEST = 640
"""Inner dimensions over this are split where they can be, or else multiplied whole."""
PART = 256
"""The same for products of so few rows that a block can hold them all."""
WHOLE = 192
"""Columns up to this are not cut where the product is small enough."""
FEW = 64
WEIGHTS = 300_000
"""For more than FEW rows, products with more weights than this are as fast or faster whole."""
ROWS = 12
"""Rows of a block come in multiples of this, the row count of the widest kernels."""


def block(p: int, k: int, n: int) -> tuple[int, int]:
    """(rows, columns) of the blocks of a (p, k) by (k, n) product."""
    if p * k * n <= SMALL and n <= WHOLE:
        return p, n
    wanted = 128 if k <= 128 else 64
    if p * k * 512 <= SMALL:
        wanted = 512
    elif p * k * 64 <= SMALL < p * k * wanted:
        wanted = 64
    count = -(-n // wanted)
    columns = min(n, -(-n // (count * 16)) * 16)
    most = SMALL // (k * columns)
    if most >= p:
        return p, columns
    most = most // ROWS * ROWS or most
    return (-(-p // -(-p // most)) if most else 0), columns


def product(a: Array, w: Array, out: Array) -> Program:
    """Write a @ w to out, for a: (B, P, K), w: (B, K, N), out: (B, P, N), of any strides but unit ones in a row."""
    p, k = a.shape[1:]
    n = w.shape[2]
    rows, columns = block(p, k, n)
    if k > LONGEST or rows < min(p, ROWS) or (p <= rows and n <= columns) or (p > FEW and k * n > WEIGHTS):
        return [(np.matmul, (a, w, out))]
    program: Program = []
    for r0, r1, r in _cuts(p, rows):
        for c0, c1, c in _cuts(n, columns):
            left = _split(a[:, r0:r1], 1, r)[:, :, None]
            right = _split(w[:, :, c0:c1], 2, c)[:, None]
            target = _split(_split(out[:, r0:r1, c0:c1], 1, r), 3, c)
            if n > p:
                left, right, target = (v.swapaxes(1, 2) for v in (left, right, target))
            program.append((np.matmul, (left, right, target)))
    return program


def _cuts(size: int, step: int) -> list[tuple[int, int, int]]:
    """(start, stop, step) of the whole steps and of the rest."""
    whole = size // step * step
    out = [(0, whole, step)] if whole else []
    return [*out, (whole, size, size - whole)] if whole < size else out


def _split(v: Array, axis: int, step: int) -> Array:
    """The axis in pieces of `step`, counted by a new axis before the last two: a view."""
    shape, strides = list(v.shape), list(v.strides)
    count, stride = shape[axis] // step, strides[axis] * step
    shape[axis] = step
    at = len(shape) - 2
    return as_strided(v, (*shape[:at], count, *shape[at:]), (*strides[:at], stride, *strides[at:]))


def splits(p: int, k: int, n: int) -> int:
    """Into how many equal parts to split the inner dimension of a (p, k) by (k, n) product; 1 where not at all."""
    few = p * PART * 64 <= SMALL
    most = PART if few or LONGEST * n > WEIGHTS else LONGEST
    if k <= most or p * k * 64 <= SMALL or (not few and (k <= LONGEST or PART * n > WEIGHTS)):
        return 1
    return next((s for s in range(2, 33) if k % s == 0 and k // s <= most), 1)


def split_product(a: Array, w: Array, out: Array, spare: Array) -> Program:
    """Like `product` for a: (P, K), w: (K, N), out: (P, N), with a long K in parts that are added; spare: (P, N)."""
    count = splits(a.shape[0], a.shape[1], w.shape[1])
    k = a.shape[1] // count
    program: Program = []
    for i in range(count):
        part = slice(i * k, (i + 1) * k)
        program += product(a[None, :, part], w[None, part], (spare if i else out)[None])
        if i:
            program.append((np.add, (out, spare, out)))
    return program


def for_last(w: Array, g: Geometry, *, taps_first: bool) -> Array:
    """Weights (M, C/g, *K) as (g, ΠK·C/g, M/g), the taps outermost or innermost in the rows."""
    parts = w.reshape(g.group, g.mg, g.cg, g.taps)
    return placed(parts.transpose((0, 3, 2, 1) if taps_first else (0, 2, 3, 1)), (g.group, g.taps * g.cg, g.mg))


def for_first(w: Array, g: Geometry, *, taps_first: bool) -> Array:
    """Weights (M, C/g, *K) as (g, M/g, ΠK·C/g), the taps outermost or innermost in the columns."""
    parts = w.reshape(g.group, g.mg, g.cg, g.taps)
    return placed(parts.transpose((0, 1, 3, 2) if taps_first else (0, 1, 2, 3)), (g.group, g.mg, g.taps * g.cg))


def bytes_last(g: Geometry) -> int:
    """Bytes of `for_last`."""
    return room_bytes(g.group, g.taps * g.cg, g.mg)


def bytes_first(g: Geometry) -> int:
    """Bytes of `for_first`."""
    return room_bytes(g.group, g.mg, g.taps * g.cg)


def placed(w: npt.NDArray[np.generic], shape: tuple[int, ...], dtype: npt.DTypeLike | None = None) -> Array:
    """A copy of w in C order as `shape`, each of whose rows begins where vector loads are fast.

    Rows are not a power of two apart: such rows fall on the same lines of a cache.
    """
    out = room(shape, dtype or w.dtype)
    np.copyto(out, w.reshape(shape), casting="same_kind")
    return out


def room(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """An uninitialised array for `placed`."""
    kind = np.dtype(dtype)
    return aligned((*shape[:-1], pitch(shape[-1], kind.itemsize)), kind)[..., : shape[-1]]


def room_bytes(*shape: int, itemsize: int = 4) -> int:
    """Bytes that `room` takes."""
    return prod(shape[:-1]) * pitch(shape[-1], itemsize) * itemsize


def pitch(length: int, itemsize: int) -> int:
    """Elements from row to row."""
    lanes = 64 // itemsize
    wide = -(-length // lanes) * lanes
    return wide + lanes if wide % (PAGE // 4 // itemsize) == 0 else wide


def last_out(y: Array, g: Geometry, start: int, stop: int) -> Array:
    """Rows `start` to `stop` of y: (positions, M) as (g, rows, M/g), a view."""
    return y[start:stop].reshape(stop - start, g.group, g.mg).transpose(1, 0, 2)
