"""Maximum and average pooling over any window, and global pooling, in both layouts.

A window is separable: the extreme (or the sum) along one axis, then along the next, each by k - 1 operations on whole
shifted arrays, without a gather. Tiles of whole lines stay in cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from convcost.engine.kernels.convolution.geometry import Geometry, ints
from convcost.engine.kernels.convolution.slab import fill_slab, inside, lengths, reads
from convcost.engine.kernels.convolution.workspace import Array, Box, Workspace, boxes
from convcost.ops.windows import Window

TILE = 512 * 1024
Combine = Callable[..., Array]


def pool_geometry(batch: int, c: int, spatial: tuple[int, ...], out: tuple[int, ...], window: Window) -> Geometry:
    """The geometry of a pooling layer; `out` decides how far the last windows (ceil_mode) reach."""
    alone = int(len(spatial) == 1)
    one, zero = (1,) * alone, (0,) * alone
    return Geometry(
        batch=batch,
        c=c,
        m=c,
        group=c,
        kernel=one + ints(window.kernel),
        strides=one + window.strides,
        dilations=one + window.dilations,
        before=zero + ints(window.before),
        after=zero + ints(window.after),
        spatial=one + spatial,
        out=one + out,
    )


def max_pool(x: Array, g: Geometry, y: Array, ws: Workspace, *, layout: str) -> None:
    """Write the maximum over every window of x to y; windows entirely in the padding give the lowest value."""
    low = -np.inf if np.issubdtype(x.dtype, np.inexact) else np.iinfo(x.dtype).min
    _pool(x, g, y, ws, layout, np.maximum, low, None)


def average_pool(x: Array, g: Geometry, y: Array, ws: Workspace, *, layout: str, count_include_pad: bool) -> None:
    """Write the mean over every window of x to y, of the elements inside x, or also of the declared padding."""
    _pool(x, g, y, ws, layout, np.add, 0, divisors(g, count_include_pad=count_include_pad).astype(x.dtype))


def divisors(g: Geometry, *, count_include_pad: bool) -> Array:
    """How many elements each window averages: (*O), by axis."""
    out = np.ones((), np.int64)
    for i, o, k, s, d, pb, pe in zip(
        g.spatial, g.out, g.kernel, g.strides, g.dilations, g.before, g.after, strict=True
    ):
        places = np.arange(o)[:, None] * s - pb + np.arange(k)[None, :] * d
        low, high = (-pb, i + pe) if count_include_pad else (0, i)
        out = out[..., None] * np.maximum(((places >= low) & (places < high)).sum(1), 1)
    return out


def _pool(
    x: Array,
    g: Geometry,
    y: Array,
    ws: Workspace,
    layout: str,
    combine: Combine,
    value: float,
    divisor: Array | None,
) -> None:
    first = layout == "nchw"
    axis = 2 if first else 1
    inner = prod(g.out[1:]) if first else g.c * prod(g.out[1:])
    grid = (g.batch, g.c, g.out[0]) if first else (g.batch, g.out[0])
    rows = max(1, TILE // max(1, inner * x.itemsize * g.strides[0]))

    def work(share: Sequence[Box], slot: int) -> None:
        for box in share:
            places = (box[-1], *((0, o) for o in g.out[1:]))
            ranges = reads(g, places)
            lead = tuple(slice(a, b) for a, b in box[:-1])
            shape = [b - a for a, b in box[:-1]]
            size = [hi - lo for lo, hi in ranges]
            tail = [] if first else [g.c]
            counts = lengths(places)
            target = y[(*lead, slice(*box[-1]))]
            shapes = [tuple(shape + list(counts[:j]) + size[j:] + tail) for j in range(g.rank)]
            if inside(g, ranges):
                slab = x[(*lead, *(slice(lo, hi) for lo, hi in ranges))]
                _, *between = ws.take(slot, x.dtype, (0,), *shapes[1:])
            else:
                slab, *between = ws.take(slot, x.dtype, *shapes)
                fill_slab(x[lead], ranges, axis, slab, value)
            for j, out in enumerate((*between, target)):
                _reduce(slab, axis + j, g, j, counts[j], combine, out)
                slab = out
            if divisor is not None:
                part = divisor[slice(*box[-1])]
                np.divide(target, part if first else part[..., None], out=target)

    ws.share(boxes(grid, rows, ws.threads), work)


def _reduce(slab: Array, axis: int, g: Geometry, j: int, count: int, combine: Combine, out: Array) -> None:
    """Combine the taps of one axis: k shifted views of `count` elements each."""
    s, d = g.strides[j], g.dilations[j]
    lead = (slice(None),) * axis
    views = [slab[(*lead, slice(t * d, t * d + (count - 1) * s + 1, s))] for t in range(g.kernel[j])]
    if len(views) == 1:
        np.copyto(out, views[0])
        return
    combine(views[0], views[1], out=out)
    for view in views[2:]:
        combine(out, view, out=out)


def global_average(x: Array, *, layout: str) -> Array:
    """x: (N, C, *I) or (N, *I, C) -> (N, C)."""
    if layout == "nchw":
        flat = x.reshape(x.shape[0], x.shape[1], -1)
        out: Array = flat.mean(2, dtype=x.dtype)
        return out
    flat = x.reshape(x.shape[0], -1, x.shape[-1])
    ones = np.full((1, flat.shape[1]), 1 / flat.shape[1], x.dtype)
    mean: Array = np.matmul(ones, flat)[:, 0]
    return mean


def global_max(x: Array, *, layout: str) -> Array:
    """x: (N, C, *I) or (N, *I, C) -> (N, C)."""
    if layout == "nchw":
        out: Array = x.reshape(x.shape[0], x.shape[1], -1).max(2)
        return out
    last: Array = x.reshape(x.shape[0], -1, x.shape[-1]).max(1)
    return last


def lrn(x: Array, y: Array, *, size: int, alpha: float, beta: float, bias: float, layout: str) -> None:
    """Write x / (bias + alpha/size · Σ x²)^beta to y, the sum over `size` channels; beta 0.75 by square roots."""
    axis = 1 if layout == "nchw" else x.ndim - 1
    square = np.square(x)
    total = square.copy()
    c, before = x.shape[axis], (size - 1) // 2
    lead = (slice(None),) * axis
    for shift in range(-before, size - before):
        if shift and abs(shift) < c:
            here = (*lead, slice(max(0, -shift), c - max(0, shift)))
            there = (*lead, slice(max(0, shift), c - max(0, -shift)))
            total[here] += square[there]
    np.multiply(total, alpha / size, out=total)
    np.add(total, bias, out=total)
    if beta == 0.75:
        np.sqrt(total, out=square)
        np.sqrt(square, out=total)
        np.multiply(total, square, out=total)
    else:
        np.power(total, beta, out=total)
    np.divide(x, total, out=y)
