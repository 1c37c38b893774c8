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
from convcost.engine.kernels.convolution.slab import fill_slab, inside, lengths, reads, slab_shape, windows
from convcost.engine.kernels.convolution.workspace import Array, Box, Workspace, boxes, scratch_size, span


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
    return scratch_size(dtype, (images, *slab_shape(g, box[1:]), g.c), (prod(lengths(box)), g.taps * g.c))


def gather_last(x: Array, g: Geometry, box: Box, ws: Workspace, slot: int) -> Array:
    """The windows of a box of x: (N, *I, C), as (g, positions, ΠK·C/g) with the taps outermost."""
    (n0, n1), places = box[0], box[1:]
    ranges, counts = reads(g, places), lengths(places)
    col_shape = (g.group, n1 - n0, *counts, *g.kernel, g.cg)
    if inside(g, ranges):
        (col,) = ws.take(slot, x.dtype, col_shape)
        slab = x[(slice(n0, n1), *(slice(lo, hi) for lo, hi in ranges))]
    else:
        slab, col = ws.take(slot, x.dtype, (n1 - n0, *(hi - lo for lo, hi in ranges), g.c), col_shape)
        fill_slab(x[n0:n1], ranges, 1, slab)
    view = windows(slab.reshape(*slab.shape[:-1], g.group, g.cg), g, counts, 1)
    r = g.rank
    order = (r + 1, *range(r + 1), *range(r + 3, 2 * r + 3), r + 2)
    np.copyto(col, view.transpose(order))
    return col.reshape(g.group, (n1 - n0) * prod(counts), g.taps * g.cg)


def gather_first(x: Array, g: Geometry, box: Box, ws: Workspace, slot: int) -> Array:
    """The windows of a box, of one image, of x: (N, C, *I), as (g, ΠK·C/g, positions) with the taps innermost."""
    image, places = box[0][0], box[1:]
    ranges, counts = reads(g, places), lengths(places)
    col_shape = (g.c, *g.kernel, *counts)
    if inside(g, ranges):
        (col,) = ws.take(slot, x.dtype, col_shape)
        slab = x[(image, slice(None), *(slice(lo, hi) for lo, hi in ranges))]
    else:
        slab, col = ws.take(slot, x.dtype, (g.c, *(hi - lo for lo, hi in ranges)), col_shape)
        fill_slab(x[image], ranges, 1, slab)
    r = g.rank
    np.copyto(col, windows(slab, g, counts, 1).transpose(0, *range(r + 1, 2 * r + 1), *range(1, r + 1)))
    return col.reshape(g.group, g.cg * g.taps, prod(counts))


def run_to_last(
    x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, first: bool
) -> None:
    """x, channels first or last, to y: (N, *O, M); w: (g, ΠK·C/g, M/g)."""
    flat = y.reshape(g.positions, g.m)

    def work(share: Sequence[Box], slot: int) -> None:
        for box in share:
            start, stop = span(box, (g.batch, *g.out))
            if first:
                np.matmul(
                    gather_first(x, g, box, ws, slot).transpose(0, 2, 1), w, out=gemm.last_out(flat, g, start, stop)
                )
            elif g.group > 1:
                np.matmul(gather_last(x, g, box, ws, slot), w, out=gemm.last_out(flat, g, start, stop))
            else:
                gemm.rows_times(gather_last(x, g, box, ws, slot)[0], w[0], flat[start:stop])
            end.last(flat, start, stop)

    ws.share(tiles(g, tile, x.itemsize, ws.threads, single=first), work)


def run_to_first(
    x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, first: bool
) -> None:
    """x, channels first or last, to y: (N, M, *O); w: (g, M/g, ΠK·C/g)."""
    size = prod(g.out)
    flat = y.reshape(g.batch, g.m, size)

    def work(share: Sequence[Box], slot: int) -> None:
        for box in share:
            image = box[0][0]
            start, stop = span(box[1:], g.out)
            col = gather_first(x, g, box, ws, slot) if first else gather_last(x, g, box, ws, slot).transpose(0, 2, 1)
            np.matmul(w, col, out=flat[image].reshape(g.group, g.mg, size)[:, :, start:stop])
            end.first(flat, image, start, stop)

    ws.share(tiles(g, tile, x.itemsize, ws.threads, single=True), work)
