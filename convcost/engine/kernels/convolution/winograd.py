"""Winograd's minimal filtering F(m, r) along one or two axes, for kernels of 2 to 5 taps, strided ones too.

A tile of α = m + r - 1 inputs gives m outputs with α products instead of m·r: F(4×4, 3×3) needs a quarter of the
multiplications, F(2×2, 3×3) 4/9. The sums over channels become α² matrix products on a whole block of tiles. So do the
transforms: the α² places of the tiles are gathered as rows, and the Kronecker product of the transforms of both axes
multiplies them, which takes half the time of additions on whole arrays.

The interpolation points are 0, ±1, ∞ for α = 4 and 0, ±1/√2, ±√2, ∞ for α = 6. As the transforms are products, odd
points cost nothing, and these err less than 0, ±1, ±2, ∞: in float32 by about 3e-6 of the largest output instead of
1e-5; a direct sum errs by 1e-6. Neither α is `exact`.
A stride s is turned into s² times the channels and a kernel of ceil(k / s) taps.
Sources: A. Lavin, S. Gray, "Fast algorithms for convolutional neural networks", arXiv:1509.09308; for other points
than ±2: B. Barabasz et al., "Error analysis and improving the accuracy of Winograd convolution", arXiv:1803.10986.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from convcost.engine.kernels.convolution import gemm
from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.slab import copy_channels, strided
from convcost.engine.kernels.convolution.transforms import Axis, axis, filter_matrix, input_matrix, output_matrix
from convcost.engine.kernels.convolution.workspace import (
    Array,
    Box,
    Program,
    Workspace,
    boxes,
    largest,
    lengths,
    scratch_size,
)

AT_ONCE = 1 << 17
"""Numbers of filters that are made at a time."""


def axes(g: Geometry, alpha: int) -> tuple[Axis, Axis] | None:
    """The transforms of both axes; None where one has none."""
    h, w = (axis(k, s, alpha) for k, s in zip(g.kernel, g.strides, strict=True))
    return None if h is None or w is None else (h, w)


def both_axes(g: Geometry, alpha: int) -> tuple[Axis, Axis]:
    """The transforms of both axes of a geometry to which this applies."""
    both = axes(g, alpha)
    assert both is not None
    return both


def applies(g: Geometry, *, alpha: int) -> str | None:
    """None, or why not."""
    if g.transposed:
        return "transposed"
    if g.rank != 2:
        return "not one or two dimensions"
    if any(d > 1 and k > 1 for d, k in zip(g.dilations, g.kernel, strict=True)):
        return "dilated"
    both = axes(g, alpha)
    if both is None:
        return "the kernel is too large"
    if prod(a.r for a in both) == 1:
        return "one tap"
    if g.group > 1 and max(g.strides) > 1:
        return "strided groups"
    return "one channel a group" if g.cg * prod(g.strides) == 1 else None


@dataclass(frozen=True, slots=True)
class Filters:
    """Weights made ready: (α², g, s²·C/g, M/g), and the transforms of tiles as matrices (α², α²) and (m², α²)."""

    spectrum: Array
    forward: Array
    backward: Array


def prepare(w: Array, g: Geometry, *, alpha: int) -> Filters:
    """The filters of weights (M, C/g, kh, kw), some output channels at a time: in between they are double precision."""
    (h, v), (kh, kw) = both_axes(g, alpha), g.kernel
    weights = w.reshape(g.group, g.mg, g.cg, kh, kw)
    matrix = np.kron(filter_matrix(h.alpha, h.r), filter_matrix(v.alpha, v.r))
    out = gemm.room((h.alpha * v.alpha, g.group, h.s * v.s * g.cg, g.mg), w.dtype)
    step = max(1, AT_ONCE // (g.cg * h.alpha * v.alpha * h.s * v.s))
    for q, m in product(range(g.group), range(0, g.mg, step)):
        part = weights[q, m : m + step]
        full = np.zeros((len(part), g.cg, h.r * h.s, v.r * v.s))
        full[:, :, :kh, :kw] = part
        taps = full.reshape(len(part), g.cg, h.r, h.s, v.r, v.s).transpose(2, 4, 3, 5, 1, 0)
        made = matrix @ taps.reshape(h.r * v.r, -1)
        out[:, q, :, m : m + step] = made.reshape(len(made), -1, len(part))
    return Filters(
        out,
        np.kron(input_matrix(h.alpha), input_matrix(v.alpha)).astype(w.dtype),
        np.kron(output_matrix(h.alpha, h.m), output_matrix(v.alpha, v.m)).astype(w.dtype),
    )


def weight_bytes(g: Geometry, *, alpha: int) -> int:
    """Bytes of the filters."""
    h, v = both_axes(g, alpha)
    return gemm.room_bytes(h.alpha * v.alpha, g.group, h.s * v.s * g.cg, g.mg)


def blocks(g: Geometry, alpha: int, tile: int, itemsize: int, threads: int) -> list[Block]:
    """Boxes of tiles whose transformed inputs and outputs take about `tile` bytes."""
    h, v = both_axes(g, alpha)
    return [Block(g, h, v, box) for box in boxes(*grid(g, h, v, tile, itemsize), threads)]


def grid(g: Geometry, h: Axis, v: Axis, tile: int, itemsize: int) -> tuple[tuple[int, int, int], int]:
    """How many tiles there are (images, rows, columns), and how many of them make a block."""
    one = h.alpha * v.alpha * (g.c * h.s * v.s + g.m) * itemsize
    return (g.batch, -(-g.out[0] // h.m), -(-g.out[1] // v.m)), max(1, tile // one)


@dataclass(frozen=True, slots=True)
class Block:
    """A box of tiles (image, tile row, tile column)."""

    g: Geometry
    h: Axis
    v: Axis
    box: Box

    @property
    def c(self) -> int:
        """Input channels, with those that come from strides."""
        return self.g.c * self.h.s * self.v.s

    @property
    def points(self) -> int:
        return self.h.alpha * self.v.alpha

    @property
    def tiles(self) -> int:
        return prod(lengths(self.box))

    @property
    def origin(self) -> tuple[int, int]:
        """The first input row and column, padding included; negative in the padding before."""
        (y0, _), (x0, _) = self.box[1:]
        return y0 * self.h.m * self.h.s - self.g.before[0], x0 * self.v.m * self.v.s - self.g.before[1]

    @property
    def slab(self) -> tuple[int, ...]:
        """(n, rows, columns, s²·C): the padded input of the tiles."""
        n, ty, tx = lengths(self.box)
        return n, (ty - 1) * self.h.m + self.h.alpha, (tx - 1) * self.v.m + self.v.alpha, self.c

    @property
    def inside(self) -> bool:
        """Whether the slab is a part of the input as it is."""
        (top, left), (_, rows, columns, _), size = self.origin, self.slab, self.g.spatial
        return self.c == self.g.c and min(top, left) >= 0 and top + rows <= size[0] and left + columns <= size[1]

    @property
    def regions(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Scratch: the slab; the input tiles, then the products; the transformed tiles, then the outputs."""
        wide, m = max(self.c, self.g.m), self.h.m * self.v.m
        two = self.tiles * max(self.points * self.c, m * self.g.m)
        return self.slab, (self.points * self.tiles * wide,), (two,)


def scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int, *, alpha: int) -> int:
    """Bytes of scratch a thread."""
    h, v = both_axes(g, alpha)
    box = largest(*grid(g, h, v, tile, np.dtype(dtype).itemsize), threads)
    return scratch_size(dtype, *Block(g, h, v, box).regions)


def compiled(
    x: Array, w: Filters, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, alpha: int, first: bool
) -> list[Program]:
    """x: (N, H, W, C), or (N, C, H, W) with `first`, to y: (N, H', W', M)."""
    source = x.transpose(0, 2, 3, 1) if first else x
    rest = end.unbiased()
    flat = y.reshape(g.positions, g.m)

    def share(found: Sequence[Block], slot: int) -> Program:
        program: Program = []
        for b in found:
            slab, one, two = ws.take(slot, x.dtype, *b.regions)
            ready, products = two[: b.points * b.tiles * b.c], one[: b.points * b.tiles * g.m]
            program += forward(source, w, b, slab, one, ready)
            program += multiply(w.spectrum, g, ready, products)
            program += backward(w, b, products, two, end.bias, y)
            program += finish(rest, flat, b)
        return program

    return ws.share(blocks(g, alpha, tile, x.itemsize, ws.threads), share)


def forward(x: Array, w: Filters, b: Block, slab: Array, one: Array, ready: Array) -> Program:
    """Gather the overlapping input tiles as (α², tiles·s²·C) and transform them."""
    h, v = b.h, b.v
    n, ty, tx = lengths(b.box)
    program: Program = []
    if b.inside:
        (top, left), (_, rows, columns, _) = b.origin, b.slab
        slab = x[slice(*b.box[0]), top : top + rows, left : left + columns]
    else:
        program += fill(x, b, slab)
    st = slab.strides
    view = as_strided(
        slab,
        (h.alpha, v.alpha, n, ty, tx, b.c),
        (st[1], st[2], st[0], st[1] * h.m, st[2] * v.m, st[3]),
    )
    tiles = one[: ready.size]
    program.append((np.copyto, (tiles.reshape(view.shape), view)))
    return program + gemm.product(w.forward[None], tiles.reshape(1, b.points, -1), ready.reshape(1, b.points, -1))


def fill(x: Array, b: Block, slab: Array) -> Program:
    """Copy the padded input of a block to its slab, the places of a stride side by side in the channels."""
    g, h, v, (top, left) = b.g, b.h, b.v, b.origin
    target = slab.reshape(*slab.shape[:3], h.s, v.s, g.c)
    program: Program = [(slab.fill, (0,))]
    for i, j in product(range(h.s), range(v.s)):
        c, d, rows = strided(top + i, h.s, slab.shape[1], g.spatial[0])
        e, f, columns = strided(left + j, v.s, slab.shape[2], g.spatial[1])
        if c < d and e < f:
            program += copy_channels(target[:, c:d, e:f, i, j], x[slice(*b.box[0]), rows, columns])
    return program


def multiply(u: Array, g: Geometry, ready: Array, products: Array) -> Program:
    """The products of each of the α² components: flat (α², tiles, s²·C) to flat (α², tiles, M)."""
    rows = ready.reshape(u.shape[0], -1, g.group, u.shape[2])
    out = products.reshape(u.shape[0], -1, g.group, g.mg)
    return [step for q in range(g.group) for step in gemm.product(rows[:, :, q], u[:, q], out[:, :, q])]


def backward(w: Filters, b: Block, products: Array, two: Array, bias: Array | None, y: Array) -> Program:
    """The outputs of a block from its products, to y with their bias, without what lies beyond its edges."""
    g, h, v = b.g, b.h, b.v
    made = two[: h.m * v.m * b.tiles * g.m]
    program = gemm.product(w.backward[None], products.reshape(1, b.points, -1), made.reshape(1, h.m * v.m, -1))
    tiles = made.reshape(h.m, v.m, *lengths(b.box), g.m).transpose(2, 3, 0, 4, 1, 5)
    (n0, n1), (y0, y1), (x0, x1) = b.box
    st = y.strides
    for t0, t1, rows in pieces(y0, y1, h.m, g.out[0]):
        for s0, s1, cols in pieces(x0, x1, v.m, g.out[1]):
            target = as_strided(
                y[n0:, t0 * h.m :, s0 * v.m :],
                (n1 - n0, t1 - t0, rows, s1 - s0, cols, g.m),
                (st[0], st[1] * h.m, st[1], st[2] * v.m, st[2], st[3]),
            )
            source = tiles[:, t0 - y0 : t1 - y0, :rows, s0 - x0 : s1 - x0, :cols]
            program.append((np.copyto, (target, source)) if bias is None else (np.add, (source, bias, target)))
    return program


def pieces(a: int, b: int, m: int, size: int) -> list[tuple[int, int, int]]:
    """Tiles a to b of m outputs each, as (first, last, outputs of each): whole ones, then one that the edge cuts."""
    whole = min(b, size // m)
    out = [(a, whole, m)] if whole > a else []
    return [*out, (whole, b, size - whole * m)] if whole < b else out


def finish(end: Epilogue, flat: Array, b: Block) -> Program:
    """Apply the rest of the epilogue to the outputs of a block, by whole lines where it has them."""
    (n0, n1), (y0, y1), (x0, x1) = b.box
    height, width = b.g.out
    top, bottom, left, right = y0 * b.h.m, min(y1 * b.h.m, height), x0 * b.v.m, min(x1 * b.v.m, width)
    program: Program = []
    if end.idle:
        return program
    for n in range(n0, n1):
        if right - left == width:
            program += end.last(flat, (n * height + top) * width, (n * height + bottom) * width)
            continue
        for line in range(top, bottom):
            program += end.last(flat, (n * height + line) * width + left, (n * height + line) * width + right)
    return program
