"""Depthwise convolution: one multiply-add per element and tap by `einsum`, on runs of about a thousand elements.

Channels last: `hwijx,ijx->hwx`, where x joins several columns with their channels, so that few channels still give
long runs; the weights are repeated as often. A stride along the last axis splits the columns into phases, in which
the taps are contiguous again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.slab import fill_slab, inside, reads, slab_shape
from convcost.engine.kernels.convolution.workspace import (
    Array,
    Box,
    Program,
    Workspace,
    boxes,
    largest,
    lengths,
    scratch_size,
    slices,
    span,
)

RUN = 1024
PLACES = 112


def applies(g: Geometry) -> str | None:
    """None, or why not."""
    if g.transposed:
        return "transposed"
    if g.group != g.c or g.group == 1:
        return "not one input channel a group"
    if g.m != g.c:
        return "more outputs than inputs"
    return "strided and dilated" if g.strides[-1] > 1 and g.dilations[-1] > 1 else None


def columns(g: Geometry) -> int:
    """How many output columns one run joins: about RUN elements, and a divisor of the line where there is one."""
    wanted, width = max(1, -(-RUN // g.c)), g.out[-1]
    close = [t for t in range(1, width + 1) if width % t == 0 and wanted <= 2 * t <= 4 * wanted]
    return min(close, key=lambda t: abs(t - wanted)) if close else min(wanted, width)


def prepare(w: Array, g: Geometry) -> Array:
    """Weights (C, 1, *K), in the order of the outputs, as (*K, columns·C) in that of the inputs."""
    if g.shuffled:
        w = w.reshape(-1, g.shuffled, *w.shape[1:]).swapaxes(0, 1).reshape(w.shape)
    taps = np.ascontiguousarray(np.moveaxis(w[:, 0], 0, -1))
    return np.tile(taps, (*(1,) * g.rank, columns(g)))


def tiles(g: Geometry, tile: int, itemsize: int, threads: int, *, single: bool) -> list[Box]:
    """Boxes of (image, *output) with whole lines and about `tile` bytes of output; `single`: of one image each."""
    lines = lines_in(g, tile, itemsize)
    lines = min(lines, prod(g.out[:-1])) if single else lines
    return [(*b, (0, g.out[-1])) for b in boxes((g.batch, *g.out[:-1]), lines, threads)]


def lines_in(g: Geometry, tile: int, itemsize: int) -> int:
    """Output lines in a tile of about so many bytes."""
    return max(1, tile // (g.out[-1] * g.c * itemsize))


def weight_bytes(g: Geometry) -> int:
    """Bytes of the repeated weights."""
    return 4 * g.taps * columns(g) * g.c


def sizes(g: Geometry, box: Box, *, made: bool) -> tuple[tuple[int, ...], ...]:
    """Shapes of the slab of a box, or of one phase of it, of what a second phase adds, and of outputs to be moved."""
    lead, size, s = box[0][1] - box[0][0], slab_shape(g, box[1:]), g.strides[-1]
    out = (*lengths(box), g.c)
    return (lead, *size[:-1], -(-size[-1] // s), g.c), (out if s > 1 else (0,)), (out if made else (0,))


def scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int) -> int:
    """Bytes of scratch a thread."""
    lines = lines_in(g, tile, np.dtype(dtype).itemsize)
    box = (*largest((g.batch, *g.out[:-1]), lines, threads), (0, g.out[-1]))
    return scratch_size(dtype, *sizes(g, box, made=True))


def compiled(
    x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, x_first: bool, y_first: bool
) -> list[Program]:
    """x: (N, *I, C), or (N, C, *I) with `x_first`, to y: (N, *O, C), or (N, C, *O) with `y_first`."""
    source = np.moveaxis(x, 1, -1) if x_first else x
    target = np.moveaxis(y, 1, -1) if y_first else y
    flat = y.reshape((g.batch, g.c, -1) if y_first else (g.positions, g.c))

    def share(part: Sequence[Box], slot: int) -> Program:
        program: Program = []
        for box in part:
            slab, extra, made = ws.take(slot, x.dtype, *sizes(g, box, made=y_first))
            out = made if y_first else target[slices(box)]
            if g.strides[-1] > 1:
                program += phases(source, w, g, box, out, slab, extra, end.floor)
            elif inside(g, reads(g, box[1:])) and not x_first and end.floor is None:
                program += correlate(source[slices((box[0], *reads(g, box[1:])))], w, g, out, g.kernel[-1])
            else:
                program += fill_slab(source[slice(*box[0])], reads(g, box[1:]), 1, slab, floor=end.floor)
                program += correlate(slab, w, g, out, g.kernel[-1])
            if y_first:
                program += moved(made, y, g, box)
                program += end.first(flat, box[0][0], *span(box[1:], g.out))
            else:
                program += end.last(flat, *span(box, (g.batch, *g.out)))
        return program

    return ws.share(tiles(g, tile, x.itemsize, ws.threads, single=y_first), share)


def moved(made: Array, y: Array, g: Geometry, box: Box) -> Program:
    """Write outputs (n, *o, C) to their box of y: (N, C, *O); shuffled where the geometry says so.

    Some PLACES at a time, so that the lines of cache that a channel reads are still there for the next channels.
    """
    groups = g.shuffled or 1
    parts = made.reshape(*made.shape[:-1], groups, -1)
    place = (slice(*box[0]), slice(None), slice(None), *slices(box[1:]))
    target = y.reshape(y.shape[0], -1, groups, *y.shape[2:])[place]
    target = np.moveaxis(target, (2, 1), (-2, -1))
    lines = max(1, PLACES // prod(made.shape[2:-1]))
    cuts = range(0, made.shape[1], lines)
    return [(np.copyto, (target[:, a : a + lines], parts[:, a : a + lines])) for a in cuts]


def phases(
    x: Array, w: Array, g: Geometry, box: Box, out: Array, packed: Array, extra: Array, floor: Array | None
) -> Program:
    """The box of outputs, for a longer stride: column p, p + s, p + 2s … are brought together for each p < s."""
    ranges, s = reads(g, box[1:]), g.strides[-1]
    low, high = ranges[-1]
    program: Program = []
    for p in range(min(s, g.kernel[-1])):
        program += fill_slab(x[slice(*box[0])], (*ranges[:-1], (low + p, high)), 1, packed, step=s, floor=floor)
        taps = w[..., p::s, :]
        program += correlate(packed, taps, g, extra if p else out, taps.shape[-2])
        if p:
            program.append((np.add, (out, extra, out)))
    return program


def correlate(slab: Array, w: Array, g: Geometry, out: Array, taps: int) -> Program:
    """Σ over taps of windows times weights, whose columns follow one another without a stride."""
    r, c, width = g.rank, g.c, out.shape[-2]
    t, st = w.shape[-1] // c, slab.strides
    steps = tuple(st[1 + j] * g.strides[j] for j in range(r - 1))
    reach = tuple(st[1 + j] * g.dilations[j] for j in range(r))
    lead, ks = list(range(r)), list(range(r + 1, 2 * r + 1))
    program: Program = []
    for a, count, run in ((0, width // t, t), (width // t * t, 1, width % t)):
        if not count or not run:
            continue
        view = as_strided(
            slab[..., a:, :],
            (*out.shape[:-2], count, *g.kernel[:-1], taps, run * c),
            (st[0], *steps, st[r] * run, *reach, st[-1]),
        )
        target = as_strided(
            out[..., a:, :],
            (*out.shape[:-2], count, run * c),
            (*out.strides[:-2], out.strides[-2] * run, out.strides[-1]),
        )
        operands = (view, [*lead, r, *ks, 2 * r + 1], w[..., : run * c], [*ks, 2 * r + 1], [*lead, r, 2 * r + 1])
        program.append((partial(np.einsum, *operands, out=target), ()))
    return program
