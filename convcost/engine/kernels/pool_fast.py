"""Maximum and average pooling over any window, local response normalisation, and global pooling, in both layouts.

Like the convolutions they compile to programs on the given arrays: `ws.execute(max_pool(x, g, y, ws, layout=…))`, and
the programs can be kept for as long as the arrays are.
A window is separable: the maximum (or the sum) along one axis, then along the next, each by k - 1 operations on whole
shifted arrays, without a gather. Tiles stay in cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from convcost.engine.kernels.convolution.geometry import Geometry, ints
from convcost.engine.kernels.convolution.slab import fill_slab, inside, reads
from convcost.engine.kernels.convolution.workspace import (
    Array,
    Box,
    Program,
    Workspace,
    boxes,
    index,
    lengths,
    slices,
)
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


def max_pool(x: Array, g: Geometry, y: Array, ws: Workspace, *, layout: str) -> list[Program]:
    """The maximum over every window of x, to y; windows entirely in the padding give the lowest value.

    x: g.x_shape(layout), y: g.y_shape(layout), of any real type. A NaN in a window is its maximum.
    """
    low = -np.inf if np.issubdtype(x.dtype, np.inexact) else np.iinfo(x.dtype).min
    return _pool(x, g, y, ws, layout, np.maximum, low, None)


def average_pool(
    x: Array, g: Geometry, y: Array, ws: Workspace, *, layout: str, count_include_pad: bool
) -> list[Program]:
    """The mean over every window of x, to y: of the elements inside x, or also of the declared padding.

    x: g.x_shape(layout), y: g.y_shape(layout), floating point.
    """
    divisor = divisors(g, count_include_pad=count_include_pad).astype(x.dtype)
    return _pool(x, g, y, ws, layout, np.add, 0, divisor)


def divisors(g: Geometry, *, count_include_pad: bool) -> Array:
    """How many elements each window averages: (*O)."""
    out: Array = np.ones((), np.int64)
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
) -> list[Program]:
    first = layout == "nchw"
    line = prod(g.out[1:]) * (1 if first else g.c)
    grid = (g.batch, g.c, g.out[0]) if first else (g.batch, g.out[0])
    rows = max(1, TILE // max(1, line * x.itemsize * g.strides[0]))

    def share(part: Sequence[Box], slot: int) -> Program:
        program: Program = []
        for box in part:
            program += _box(x, g, box, y, ws, slot, combine, value, first=first)
            if divisor is not None:
                target, by = y[slices(box)], divisor[slice(*box[-1])]
                program.append((np.divide, (target, by if first else by[..., None], target)))
        return program

    return ws.share(boxes(grid, rows, ws.threads), share)


def _box(
    x: Array, g: Geometry, box: Box, y: Array, ws: Workspace, slot: int, combine: Combine, value: float, *, first: bool
) -> Program:
    """One box of (image, [channel,] first axis), with everything on the other axes."""
    places = (box[-1], *((0, o) for o in g.out[1:]))
    ranges, counts, lead = reads(g, places), lengths(places), lengths(box[:-1])
    size, tail, axis = lengths(ranges), () if first else (g.c,), len(box) - 1
    shapes = [(*lead, *counts[:j], *size[j:], *tail) for j in range(g.rank)]
    program: Program = []
    if inside(g, ranges):
        slab = x[index(*slices(box[:-1]), *slices(ranges))]
        between = ws.take(slot, x.dtype, *shapes[1:])
    else:
        slab, *between = ws.take(slot, x.dtype, *shapes)
        program = fill_slab(x[slices(box[:-1])], ranges, axis, slab, value)
    for j, out in enumerate((*between, y[slices(box)])):
        program += _reduce(slab, axis + j, g, j, counts[j], combine, out)
        slab = out
    return program


def _reduce(slab: Array, axis: int, g: Geometry, j: int, count: int, combine: Combine, out: Array) -> Program:
    """Combine the taps of one axis: k shifted views of `count` elements each."""
    s, d = g.strides[j], g.dilations[j]
    lead = (slice(None),) * axis
    views = [slab[(*lead, slice(t * d, t * d + (count - 1) * s + 1, s))] for t in range(g.kernel[j])]
    if len(views) == 1:
        return [(np.copyto, (out, views[0]))]
    to = into(combine, out)
    return [(to, (views[0], views[1])), *((to, (out, view)) for view in views[2:])]


def into(combine: Combine, out: Array) -> Callable[[Array, Array], Array]:
    """The operation with its output given."""
    return lambda a, b: combine(a, b, out=out)


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
    first = layout == "nchw"
    flat = x.reshape((*x.shape[:2], -1) if first else (x.shape[0], -1, x.shape[-1]))
    out: Array = flat.max(2 if first else 1)
    return out


def lrn(
    x: Array, y: Array, ws: Workspace, *, size: int, alpha: float, beta: float, bias: float, layout: str
) -> list[Program]:
    """X / (bias + alpha/size · Σ x²)^beta, the sum over `size` channels, to y. x, y: (N, C, *I) or (N, *I, C).

    The exponent 0.75, the usual one, is computed by two square roots.
    Source: A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep CNNs", 2012, section 3.3.
    """
    first = layout == "nchw"
    source = x.reshape(*x.shape[:2], -1) if first else x.reshape(1, -1, x.shape[-1])
    target = y.reshape(source.shape)
    places, axis = source.shape[2 if first else 1], 1 if first else 2
    c = source.shape[axis]
    grid = (source.shape[0], places)

    def share(part: Sequence[Box], slot: int) -> Program:
        program: Program = []
        for n, at in part:
            here = index(slice(*n), slice(None), slice(*at)) if first else index(slice(*n), slice(*at))
            shape = source[here].shape
            wide = (*shape[:axis], c + size - 1, *shape[axis + 1 :])
            square, total = ws.take(slot, x.dtype, wide, shape)
            views = [square[index(*(slice(None),) * axis, slice(t, t + c))] for t in range(size)]
            middle = (size - 1) // 2
            program += [(square.fill, (0,)), (np.multiply, (source[here], source[here], views[middle]))]
            program.append((np.add, (views[0], views[1], total)) if size > 1 else (np.copyto, (total, views[0])))
            program += [(np.add, (total, view, total)) for view in views[2:]]
            program += [(np.multiply, (total, alpha / size, total)), (np.add, (total, bias, total))]
            program += _power(total, beta, square.reshape(-1)[: total.size].reshape(shape))
            program.append((np.divide, (source[here], total, target[here])))
        return program

    return ws.share(boxes(grid, min(places, max(1, TILE // (2 * c * x.itemsize))), ws.threads), share)


def _power(total: Array, beta: float, spare: Array) -> Program:
    """Total ** beta in place, for positive values."""
    if beta != 0.75:
        return [(np.power, (total, beta, total))]
    return [(np.sqrt, (total, spare)), (np.sqrt, (spare, total)), (np.multiply, (total, spare, total))]
