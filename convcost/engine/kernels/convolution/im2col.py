"""Convolution as one matrix product over a tile of gathered windows, in every combination of layouts.

Any rank, stride, dilation, padding and group. The windows of a box of outputs are copied to a matrix of about `tile`
bytes, multiplied while they are in cache, and the product lands in the output itself.
Source: K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for document processing",
2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from convcost.engine.kernels.convolution import gemm
from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.slab import fill_slab, inside, reads, slab_shape, windows
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


def tiles(g: Geometry, tile: int, itemsize: int, threads: int, *, single: bool) -> list[Box]:
    """Boxes of (image, *output) whose gathered windows take about `tile` bytes; `single`: of one image each."""
    limit = max(1, tile // (g.taps * g.c * itemsize))
    if single:
        limit = min(limit, prod(g.out))
    return boxes((g.batch, *g.out), limit, threads)


def scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int) -> int:
    """Bytes of scratch a thread."""
    item = np.dtype(dtype).itemsize
    box = max(tiles(g, tile, item, threads, single=False), key=lambda b: prod(lengths(b)))
    images = box[0][1] - box[0][0]
    places = prod(lengths(box))
    return scratch_size(dtype, (images, *slab_shape(g, box[1:]), g.c), (places, g.taps * g.c), (places, g.m))


def spare_for(g: Geometry, places: int) -> tuple[int, ...]:
    """The shape of a second output, for products whose inner dimension is split."""
    return (places, g.m) if g.group == 1 and gemm.splits(places, g.taps * g.c) > 1 else (0,)


def gather_last(x: Array, g: Geometry, box: Box, ws: Workspace, slot: int) -> tuple[Program, Array, Array]:
    """The windows of a box of x: (N, *I, C), as (g, positions, ΠK·C/g) with the taps outermost, and a spare output."""
    images, places = box[0], box[1:]
    count = images[1] - images[0]
    ranges, counts = reads(g, places), lengths(places)
    col_shape, spare_shape = (g.group, count, *counts, *g.kernel, g.cg), spare_for(g, count * prod(counts))
    program: Program = []
    if inside(g, ranges):
        col, spare = ws.take(slot, x.dtype, col_shape, spare_shape)
        slab = x[slices((images, *ranges))]
    else:
        slab, col, spare = ws.take(slot, x.dtype, (count, *lengths(ranges), g.c), col_shape, spare_shape)
        program = fill_slab(x[slice(*images)], ranges, 1, slab)
    view = windows(slab.reshape(*slab.shape[:-1], g.group, g.cg), g, counts, 1)
    r = g.rank
    order = (r + 1, *range(r + 1), *range(r + 3, 2 * r + 3), r + 2)
    program.append((np.copyto, (col, view.transpose(order))))
    return program, col.reshape(g.group, count * prod(counts), g.taps * g.cg), spare


def gather_first(x: Array, g: Geometry, box: Box, ws: Workspace, slot: int) -> tuple[Program, Array, Array]:
    """The windows of a box, of one image, of x: (N, C, *I), as (g, ΠK·C/g, positions) with the taps innermost."""
    image, places = box[0][0], box[1:]
    ranges, counts = reads(g, places), lengths(places)
    col_shape, spare_shape = (g.c, *g.kernel, *counts), spare_for(g, prod(counts))
    program: Program = []
    if inside(g, ranges):
        col, spare = ws.take(slot, x.dtype, col_shape, spare_shape)
        slab = x[index(image, slice(None), *slices(ranges))]
    else:
        slab, col, spare = ws.take(slot, x.dtype, (g.c, *lengths(ranges)), col_shape, spare_shape)
        program = fill_slab(x[image], ranges, 1, slab)
    r = g.rank
    view = windows(slab, g, counts, 1).transpose(0, *range(r + 1, 2 * r + 1), *range(1, r + 1))
    program.append((np.copyto, (col, view)))
    return program, col.reshape(g.group, g.cg * g.taps, prod(counts)), spare


def to_last(
    x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, first: bool
) -> list[Program]:
    """x, channels first or last, to y: (N, *O, M); w: (g, ΠK·C/g, M/g)."""
    flat = y.reshape(g.positions, g.m)

    def share(part: Sequence[Box], slot: int) -> Program:
        program: Program = []
        for box in part:
            start, stop = span(box, (g.batch, *g.out))
            gather, col, spare = (gather_first if first else gather_last)(x, g, box, ws, slot)
            program += gather
            rows = col.transpose(0, 2, 1) if first else col
            if spare.size:
                program += gemm.split_product(rows[0], w[0], flat[start:stop], spare)
            else:
                program += gemm.product(rows, w, gemm.last_out(flat, g, start, stop))
            program += end.last(flat, start, stop)
        return program

    return ws.share(tiles(g, tile, x.itemsize, ws.threads, single=first), share)


def to_first(
    x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, first: bool
) -> list[Program]:
    """x, channels first or last, to y: (N, M, *O); w: (g, M/g, ΠK·C/g)."""
    size = prod(g.out)
    flat = y.reshape(g.batch, g.m, size)

    def share(part: Sequence[Box], slot: int) -> Program:
        program: Program = []
        for box in part:
            image = box[0][0]
            start, stop = span(box[1:], g.out)
            gather, col, _ = (gather_first if first else gather_last)(x, g, box, ws, slot)
            program += gather
            target = flat[image].reshape(g.group, g.mg, size)[:, :, start:stop]
            program.append((np.matmul, (w, col if first else col.transpose(0, 2, 1), target)))
            program += end.first(flat, image, start, stop)
        return program

    return ws.share(tiles(g, tile, x.itemsize, ws.threads, single=True), share)
