"""Convolution by one copy for each kernel row instead of each tap: matrix products on overlapping rows.

Channels last. Each line of outputs gets a matrix (columns, kernel rows, C): the window of output x is then one run of
kw·kh·C consecutive elements that starts at column x·s. Windows overlap, which a matrix product cannot read, but every
q-th of them, q = ceil(kw / s), do not: q products on plain views give all outputs, with a kw-th of im2col's copying.
A line is followed by the next one's left padding, which serves as its own right padding where it is wide enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from convcost.engine.kernels.convolution import gemm
from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.slab import copy_channels, strided
from convcost.engine.kernels.convolution.workspace import (
    Array,
    Box,
    Program,
    Workspace,
    boxes,
    index,
    lengths,
    scratch_size,
    slices,
    span,
)


def applies(g: Geometry) -> str | None:
    """None, or why not."""
    if g.transposed:
        return "transposed"
    if g.group > 1:
        return "grouped"
    if g.kernel[-1] <= g.strides[-1]:
        return "windows do not overlap along the last axis"
    return "dilated along the last axis" if g.dilations[-1] > 1 else None


def prepare(w: Array, g: Geometry) -> Array:
    """Weights (M, C, *K) as (kw·Πkernel rows·C, M), the last kernel axis outermost."""
    order = (2 + g.rank - 1, *range(2, 1 + g.rank), 1, 0)
    return gemm.placed(w.transpose(order), (rows_of(g) * g.kernel[-1] * g.c, g.m))


def step(g: Geometry) -> int:
    """Columns from one window of a product to the next: q·s."""
    return -(-g.kernel[-1] // g.strides[-1]) * g.strides[-1]


def pitch(g: Geometry) -> int:
    """Columns from line to line: a multiple of `step` for which a line's windows read only padding of the next one."""
    s, pad = g.strides[-1], max(g.before[-1], 0)
    read = (g.out[-1] - 1) * s + g.kernel[-1]
    own = max(g.out[-1] * s, read - pad, min(read, pad + g.spatial[-1]))
    return -(-own // step(g)) * step(g)


def rows_of(g: Geometry) -> int:
    """Kernel rows: the taps of all axes but the last."""
    return prod(g.kernel[:-1])


def tiles(g: Geometry, tile: int, itemsize: int, threads: int) -> list[Box]:
    """Boxes of (image, *output) with whole lines, whose matrices take about `tile` bytes."""
    line = pitch(g) * (rows_of(g) * g.c + g.m // g.strides[-1]) * itemsize
    return [(*b, (0, g.out[-1])) for b in boxes((g.batch, *g.out[:-1]), max(1, tile // line), threads)]


def sizes(g: Geometry, lines: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shapes of the matrix, with the last line's right padding, and of the outputs with what lies between lines."""
    columns = lines * pitch(g)
    return (columns + g.kernel[-1], rows_of(g), g.c), (columns // g.strides[-1], g.m)


def scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int) -> int:
    """Bytes of scratch a thread."""
    lines = max(prod(lengths(b)[:-1]) for b in tiles(g, tile, np.dtype(dtype).itemsize, threads))
    return scratch_size(dtype, *sizes(g, lines))


def compiled(
    x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, first: bool
) -> list[Program]:
    """x: (N, *I, C), or (N, C, *I) with `first`, to y: (N, *O, M)."""
    source = np.moveaxis(x, 1, -1) if first else x
    flat = y.reshape(g.positions, g.m)

    def share(part: Sequence[Box], slot: int) -> Program:
        program: Program = []
        for box in part:
            lead = lengths(box)[:-1]
            matrix, made = ws.take(slot, x.dtype, *sizes(g, prod(lead)))
            start, stop = span(box, (g.batch, *g.out))
            program += spread(source, g, box, matrix)
            program += products(matrix, w, g, made)
            program += deliver(made.reshape(*lead, -1, g.m), g, box, y, end)
            program += end.unbiased().last(flat, start, stop)
        return program

    return ws.share(tiles(g, tile, x.itemsize, ws.threads), share)


def spread(x: Array, g: Geometry, box: Box, matrix: Array) -> Program:
    """Copy the input of a box of lines to its matrix, with its padding."""
    lead, p, pad = lengths(box)[:-1], pitch(g), max(g.before[-1], 0)
    lines = matrix[: prod(lead) * p].reshape(*lead, p, *g.kernel[:-1], g.c)
    skip = max(-g.before[-1], 0)
    stop = min(g.spatial[-1], p - pad + skip, (g.out[-1] - 1) * g.strides[-1] + g.kernel[-1] - pad + skip)
    width = max(stop - skip, 0)
    columns = (*(slice(None),) * len(lead),)
    program: Program = [
        (np.copyto, (lines[(*columns, slice(0, pad))], 0)),
        (np.copyto, (lines[(*columns, slice(pad + width, None))], 0)),
        (np.copyto, (matrix[prod(lead) * p :], 0)),
    ]
    for tap in product(*(range(k) for k in g.kernel[:-1])):
        target = lines[index(*columns, slice(pad, pad + width), *tap)]
        source = x[slice(*box[0])]
        inner: tuple[slice, ...] = (slice(None),)
        read: tuple[slice, ...] = (slice(None),)
        for j, t in enumerate(tap):
            (a, b), s = box[1 + j], g.strides[j]
            first, last, where = strided(a * s - g.before[j] + t * g.dilations[j], s, b - a, g.spatial[j])
            whole = (*inner, slice(None))[:-1]
            if first:
                program.append((np.copyto, (target[(*whole, slice(0, first))], 0)))
            if last < b - a:
                program.append((np.copyto, (target[(*whole, slice(last, None))], 0)))
            inner, read = (*inner, slice(first, last)), (*read, where)
        program += copy_channels(target[inner], source[(*read, slice(skip, skip + width))])
    return program


def products(matrix: Array, w: Array, g: Geometry, made: Array) -> Program:
    """The q products of every q-th window."""
    s, n = g.strides[-1], step(g)
    column, item, row = matrix.strides[0], matrix.strides[-1], made.strides[0]
    count = made.shape[0] * s // n
    program: Program = []
    for p in range(n // s):
        windows = as_strided(matrix[p * s :], (count, w.shape[0]), (column * n, item))
        out = as_strided(made[p:], (count, g.m), (row * (n // s), item))
        program += gemm.product(windows[None], w[None], out[None])
    return program


def deliver(made: Array, g: Geometry, box: Box, y: Array, end: Epilogue) -> Program:
    """Copy the outputs of the lines to y, with their bias."""
    target, source = y[slices(box)], made[..., : g.out[-1], :]
    if end.bias is None:
        return [(np.copyto, (target, source))]
    repeat = max(1, min(g.out[-1], (end.wide if end.wide is not None else end.bias).size // g.m))
    program: Program = []
    whole = g.out[-1] // repeat * repeat
    for a, b, n in ((0, whole, repeat), (whole, g.out[-1], 1)):
        if a == b:
            continue
        bias = end.bias if n == 1 or end.wide is None else end.wide[: n * g.m]
        program.append((np.add, (_joined(source, a, b, n), bias, _joined(target, a, b, n))))
    return program


def _joined(lines: Array, a: int, b: int, n: int) -> Array:
    """Columns a to b of (…, columns, M), n at a time: (…, (b - a)/n, n·M), a view."""
    part, m = lines[..., a:b, :], lines.shape[-1]
    st = part.strides
    return as_strided(part, (*part.shape[:-2], (b - a) // n, n * m), (*st[:-2], st[-2] * n, st[-1]))
