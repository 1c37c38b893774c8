"""Depthwise convolution: one multiply-add per element and tap by `einsum`, on runs of about a thousand elements.

Channels last: `hwijx,ijx->hwx`, where x joins several columns with their channels, so that few channels still give
long runs; the weights are repeated as often. A stride along the last axis splits the columns into phases, in which
the taps are contiguous again.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.slab import fill_slab, inside, lengths, reads, slab_shape
from convcost.engine.kernels.convolution.workspace import Array, Box, Workspace, boxes, scratch_size, span

RUN = 1024


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
    """How many output columns one run joins."""
    return min(g.out[-1], max(1, -(-RUN // g.c)))


def prepare(w: Array, g: Geometry) -> Array:
    """Weights (C, 1, *K) as (*K, columns·C)."""
    taps = np.ascontiguousarray(np.moveaxis(w[:, 0], 0, -1))
    return np.tile(taps, (*(1,) * g.rank, columns(g)))


def tiles(g: Geometry, tile: int, itemsize: int, threads: int) -> list[Box]:
    """Boxes of (image, *output) with whole lines and about `tile` bytes of output."""
    lines = max(1, tile // (g.out[-1] * g.c * itemsize))
    return [(*b, (0, g.out[-1])) for b in boxes((g.batch, *g.out[:-1]), lines, threads)]


def scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int) -> int:
    """Bytes of scratch a thread."""
    box = max(tiles(g, tile, np.dtype(dtype).itemsize, threads), key=lambda b: prod(lengths(b)))
    images = box[0][1] - box[0][0]
    return scratch_size(dtype, (images, *slab_shape(g, box[1:]), g.c)) + scratch_size(dtype, (prod(lengths(box)), g.c))


def run(x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int) -> None:
    """x: (N, *I, C) to y: (N, *O, C)."""
    flat = y.reshape(g.positions, g.c)

    def work(share: Sequence[Box], slot: int) -> None:
        for box in share:
            start, stop = span(box, (g.batch, *g.out))
            out = y[tuple(slice(a, b) for a, b in box)]
            if g.strides[-1] == 1:
                one_phase(x, w, g, box, out, ws, slot)
            else:
                phases(x, w, g, box, out, ws, slot)
            end.last(flat, start, stop)

    ws.share(tiles(g, tile, x.itemsize, ws.threads), work)


def one_phase(x: Array, w: Array, g: Geometry, box: Box, out: Array, ws: Workspace, slot: int) -> None:
    """The box of outputs, for stride 1 along the last axis."""
    (n0, n1), places = box[0], box[1:]
    ranges = reads(g, places)
    if inside(g, ranges):
        slab = x[(slice(n0, n1), *(slice(lo, hi) for lo, hi in ranges))]
    else:
        (slab,) = ws.take(slot, x.dtype, (n1 - n0, *(hi - lo for lo, hi in ranges), g.c))
        fill_slab(x[n0:n1], ranges, 1, slab)
    correlate(slab, w, g, out, 0, g.kernel[-1])


def phases(x: Array, w: Array, g: Geometry, box: Box, out: Array, ws: Workspace, slot: int) -> None:
    """The box of outputs, for a longer stride: column p, p + s, p + 2s … are brought together for each p < s."""
    (n0, n1), places = box[0], box[1:]
    ranges, s = reads(g, places), g.strides[-1]
    size = tuple(hi - lo for lo, hi in ranges)
    slab, part, extra = ws.take(
        slot,
        x.dtype,
        (n1 - n0, *size, g.c),
        (n1 - n0, *size[:-1], -(-size[-1] // s), g.c),
        out.shape,
    )
    fill_slab(x[n0:n1], ranges, 1, slab)
    for p in range(min(s, g.kernel[-1])):
        these = slab[..., p::s, :]
        packed = part[..., : these.shape[-2], :]
        np.copyto(packed, these)
        taps = w[..., p::s, :]
        correlate(packed, taps, g, out if p == 0 else extra, 0, taps.shape[-2])
        if p:
            np.add(out, extra, out=out)


def correlate(slab: Array, w: Array, g: Geometry, out: Array, first: int, taps: int) -> None:
    """Σ over taps of windows times weights, whose columns follow one another without a stride."""
    r, c, width = g.rank, g.c, out.shape[-2]
    t = w.shape[-1] // c
    st = slab.strides
    steps = tuple(st[1 + j] * g.strides[j] for j in range(r - 1))
    reach = (*(st[1 + j] * g.dilations[j] for j in range(r - 1)), st[r] * g.dilations[-1])
    kernel = (*g.kernel[:-1], taps)
    lead = list(range(r))
    ks = list(range(r + 1, 2 * r + 1))
    for a, count, run in ((first, width // t, t), (width // t * t, 1, width % t)):
        if not count or not run:
            continue
        view = as_strided(
            slab[..., a:, :],
            (*out.shape[:-2], count, *kernel, run * c),
            (st[0], *steps, st[r] * run, *reach, st[-1]),
        )
        target = as_strided(
            out[..., a:, :],
            (*out.shape[:-2], count, run * c),
            (*out.strides[:-2], out.strides[-2] * run, out.strides[-1]),
        )
        np.einsum(
            view, [*lead, r, *ks, 2 * r + 1], w[..., : run * c], [*ks, 2 * r + 1], [*lead, r, 2 * r + 1], out=target
        )
