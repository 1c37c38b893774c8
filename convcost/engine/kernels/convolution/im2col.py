"""Convolution as one matrix product over a tile of gathered windows, in every combination of layouts.

Any rank, stride, dilation, padding and group. The windows of a box of outputs are copied to a matrix of about `tile`
bytes, multiplied while they are in cache, and the product lands in the output itself.
Source: K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for document processing",
2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

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
    largest,
    lengths,
    scratch_size,
    slices,
    span,
)

FOLDED = 256
"""Inner dimensions up to this take in the bias."""


def tiles(g: Geometry, tile: int, itemsize: int, threads: int, *, single: bool) -> list[Box]:
    """Boxes of (image, *output) whose windows, or outputs, take about `tile` bytes; `single`: of one image each."""
    return boxes((g.batch, *g.out), places_in(g, tile, itemsize, single=single), threads)


def places_in(g: Geometry, tile: int, itemsize: int, *, single: bool) -> int:
    """Outputs in a tile of about so many bytes."""
    limit = max(1, tile // (max(g.taps * g.c, g.m) * itemsize))
    return min(limit, prod(g.out)) if single else limit


def scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int) -> int:
    """Bytes of scratch a thread."""
    limit = places_in(g, tile, np.dtype(dtype).itemsize, single=False)
    box = largest((g.batch, *g.out), limit, threads)
    images = box[0][1] - box[0][0]
    places = prod(lengths(box))
    return scratch_size(dtype, (images, *slab_shape(g, box[1:]), g.c), (places, g.taps * g.c + 1), (places, g.m))


def spare_for(g: Geometry, places: int) -> tuple[int, ...]:
    """The shape of a second output, for products whose inner dimension is split."""
    return (places, g.m) if g.group == 1 and gemm.splits(places, g.taps * g.c, g.m) > 1 else (0,)


class Gathered(NamedTuple):
    """The steps that gather windows, their matrix, and a second output where the products need one."""

    program: Program
    matrix: Array
    spare: Array


def gather_last(x: Array, g: Geometry, box: Box, ws: Workspace, slot: int, ones: int = 0) -> Gathered:
    """The windows of a box of x: (N, *I, C), as (g, positions, ΠK·C/g + ones) with the taps outermost."""
    images, places = box[0], box[1:]
    count = images[1] - images[0]
    ranges, counts = reads(g, places), lengths(places)
    total, k = count * prod(counts), g.taps * g.cg
    shape, spare_shape = (g.group, total, k + ones), spare_for(g, total)
    program: Program = []
    if inside(g, ranges):
        matrix, spare = ws.take(slot, x.dtype, shape, spare_shape)
        slab = x[slices((images, *ranges))]
    else:
        slab, matrix, spare = ws.take(slot, x.dtype, (count, *lengths(ranges), g.c), shape, spare_shape)
        program = fill_slab(x[slice(*images)], ranges, 1, slab)
    view = windows(slab.reshape(*slab.shape[:-1], g.group, g.cg), g, counts, 1)
    r = g.rank
    order = (r + 1, *range(r + 1), *range(r + 3, 2 * r + 3), r + 2)
    col = split_axes(matrix[:, :, :k], (g.group, count, *counts), (*g.kernel, g.cg))
    program.append((np.copyto, (col, view.transpose(order))))
    if ones:
        program.append((np.copyto, (matrix[:, :, k:], 1)))
    return Gathered(program, matrix, spare)


def split_axes(matrix: Array, rows: tuple[int, ...], columns: tuple[int, ...]) -> Array:
    """A matrix (g, rows, columns) as (*rows, *columns), g first among the rows: a view for any row stride."""
    leading, row, item = matrix.strides
    row_strides = [row * prod(rows[i + 1 :]) for i in range(1, len(rows))]
    column_strides = [item * prod(columns[i + 1 :]) for i in range(len(columns))]
    return as_strided(matrix, (*rows, *columns), (leading, *row_strides, *column_strides))


def gather_first(x: Array, g: Geometry, box: Box, ws: Workspace, slot: int, ones: int = 0) -> Gathered:
    """The windows of a box, of one image, of x: (N, C, *I), as (g, ΠK·C/g + ones, positions), the taps innermost."""
    image, places = box[0][0], box[1:]
    ranges, counts = reads(g, places), lengths(places)
    k = g.cg * g.taps
    shape, spare_shape = (g.group * k + ones, prod(counts)), spare_for(g, prod(counts))
    program: Program = []
    if g.strides[-1] > 1 and g.dilations[-1] == 1:
        sizes = lengths(ranges)
        phase = (g.c, *sizes[:-1], -(-sizes[-1] // g.strides[-1]))
        slab, matrix, spare = ws.take(slot, x.dtype, phase, shape, spare_shape)
        program = gather_phases(x[image], g, ranges, counts, slab, matrix[: g.group * k])
    else:
        if inside(g, ranges):
            matrix, spare = ws.take(slot, x.dtype, shape, spare_shape)
            slab = x[index(image, slice(None), *slices(ranges))]
        else:
            slab, matrix, spare = ws.take(slot, x.dtype, (g.c, *lengths(ranges)), shape, spare_shape)
            program = fill_slab(x[image], ranges, 1, slab)
        r = g.rank
        view = windows(slab, g, counts, 1).transpose(0, *range(r + 1, 2 * r + 1), *range(1, r + 1))
        program.append((np.copyto, (matrix[: g.group * k].reshape(view.shape), view)))
    if ones:
        program.append((np.copyto, (matrix[g.group * k :], 1)))
    return Gathered(program, matrix.reshape(g.group, k + ones, prod(counts)), spare)


def gather_phases(x: Array, g: Geometry, ranges: Box, counts: tuple[int, ...], slab: Array, matrix: Array) -> Program:
    """The windows of x: (C, *I) as (ΠK·C, positions), for a stride along the last axis.

    Its columns p, p + s, p + 2s … are brought together for each p < s: windows then read neighbours.
    """
    r, s, k = g.rank, g.strides[-1], g.kernel[-1]
    target = matrix.reshape(g.c, *g.kernel, *counts)
    low, high = ranges[-1]
    program: Program = []
    for p in range(min(s, k)):
        taps = len(range(p, k, s))
        part = replace(g, kernel=(*g.kernel[:-1], taps), strides=(*g.strides[:-1], 1))
        packed = slab[..., : -(-(high - low - p) // s)]
        program += fill_slab(x, (*ranges[:-1], (low + p, high)), 1, packed, step=s)
        view = windows(packed, part, counts, 1).transpose(0, *range(r + 1, 2 * r + 1), *range(1, r + 1))
        program.append((np.copyto, (target[(slice(None),) * r + (slice(p, None, s),)], view)))
    return program


def with_bias(w: Array, end: Epilogue) -> tuple[Array, Epilogue, int]:
    """Weights with the bias as one more row, for windows that end in a one: cheaper than a pass over the outputs."""
    if w.shape[0] > 1 or w.shape[1] > FOLDED or end.bias is None:
        return w, end, 0
    return gemm.placed(np.concatenate((w[0], end.bias[None])), (1, w.shape[1] + 1, w.shape[2])), end.unbiased(), 1


def to_last(
    x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, first: bool
) -> list[Program]:
    """x, channels first or last, to y: (N, *O, M); w: (g, ΠK·C/g, M/g)."""
    flat = y.reshape(g.positions, g.m)
    w, rest, ones = with_bias(w, end)

    def share(part: Sequence[Box], slot: int) -> Program:
        program: Program = []
        for box in part:
            start, stop = span(box, (g.batch, *g.out))
            found = (gather_first if first else gather_last)(x, g, box, ws, slot, ones)
            program += found.program
            rows = found.matrix.transpose(0, 2, 1) if first else found.matrix
            if found.spare.size:
                program += gemm.split_product(rows[0], w[0], flat[start:stop], found.spare)
            else:
                program += gemm.product(rows, w, gemm.last_out(flat, g, start, stop))
            program += rest.last(flat, start, stop)
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
            found = (gather_first if first else gather_last)(x, g, box, ws, slot)
            program += found.program
            columns = found.matrix if first else found.matrix.transpose(0, 2, 1)
            target = flat[image].reshape(g.group, g.mg, size)[:, :, start:stop]
            program.append((np.matmul, (w, columns, target)))
            program += end.first(flat, image, start, stop)
        return program

    return ws.share(tiles(g, tile, x.itemsize, ws.threads, single=True), share)
