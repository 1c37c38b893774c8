"""The part of an input that a box of outputs reads, with its padding, and the windows that slide over it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convcost.engine.kernels.convolution.geometry import Geometry, extent
from convcost.engine.kernels.convolution.workspace import Array, Box, Program

FEW = 16


def reads(g: Geometry, box: Box) -> Box:
    """The input range of each spatial axis, padding included, that outputs `box` (spatial axes only) read."""
    return tuple(
        (a * s - pb, (b - 1) * s - pb + extent(k, d))
        for (a, b), k, s, d, pb in zip(box, g.kernel, g.strides, g.dilations, g.before, strict=True)
    )


def inside(g: Geometry, ranges: Box) -> bool:
    """Whether the ranges read no padding."""
    return all(lo >= 0 and hi <= i for (lo, hi), i in zip(ranges, g.spatial, strict=True))


def slab_shape(g: Geometry, box: Box) -> tuple[int, ...]:
    """The spatial size of the slab of a box."""
    return tuple(hi - lo for lo, hi in reads(g, box))


def strided(start: int, step: int, count: int, size: int) -> tuple[int, int, slice]:
    """Which of `count` places start, start + step … lie in [0, size): the first, the one after, and their slice."""
    a = min(max(0, -(start // step)), count)
    b = max(a, min(count, -((start - size) // step)))
    return a, b, slice(start + a * step, start + (b - 1) * step + 1, step) if b > a else slice(0, 0)


def fill_slab(
    x: Array, ranges: Box, axis: int, out: Array, value: float = 0.0, step: int = 1, floor: Array | None = None
) -> Program:
    """Copy `ranges` of the spatial axes of x, which begin at `axis`, to `out`; `value` where they leave x.

    Of the last spatial axis only every `step`-th place is copied. With a `floor` by channel, which come last then, it
    is the border and the least value of what is copied.
    """
    border = value if floor is None else floor
    program: Program = []
    source: list[slice] = [slice(None)] * axis
    target: list[slice] = [slice(None)] * axis
    for j, (lo, hi) in enumerate(ranges):
        by = step if j == len(ranges) - 1 else 1
        count = -(-(hi - lo) // by)
        a, b, where = strided(lo, by, count, x.shape[axis + j])
        if a:
            program.append((np.copyto, (out[(*target, slice(0, a))], border)))
        if b < count:
            program.append((np.copyto, (out[(*target, slice(b, count))], border)))
        source.append(where)
        target.append(slice(a, b))
    copy, given = out[tuple(target)], x[tuple(source)]
    program.append((np.copyto, (copy, given)) if floor is None else raised(given, floor, copy))
    return program


def raised(x: Array, floor: Array, out: Array) -> tuple[Callable[..., object], tuple[Array, ...]]:
    """Write max(x, floor) to out, both (…, columns, C): in whole lines where the columns follow one another."""
    width, c = x.shape[-2:]
    if all(v.strides[-2:] == (c * v.itemsize, v.itemsize) for v in (x, out)):
        x, out = (as_strided(v, (*v.shape[:-2], width * c), (*v.strides[:-2], v.itemsize)) for v in (x, out))
        floor = np.tile(floor, width)
    return higher, (x, floor, out)


def higher(a: Array, b: Array, out: Array) -> None:
    """The larger of each pair, into `out`."""
    np.maximum(a, b, out=out)


def copy_channels(target: Array, source: Array) -> Program:
    """Copy (…, C) to (…, C): a few channels that are not neighbours in the source one by one, for longer runs."""
    if source.strides[-1] == source.itemsize or source.shape[-1] > FEW:
        return [(np.copyto, (target, source))]
    return [(np.copyto, (target[..., c], source[..., c])) for c in range(source.shape[-1])]


def windows(slab: Array, g: Geometry, counts: tuple[int, ...], axis: int) -> Array:
    """A view of the slab, whose spatial axes begin at `axis`, as (…, *counts, …, *kernel axes at the end).

    Channels last: slab (n, *I, C) gives (n, *counts, C, *K); channels first: (n, C, *I) gives (n, C, *counts, *K).
    """
    r = g.rank
    st = slab.strides
    steps = tuple(st[axis + j] * g.strides[j] for j in range(r))
    taps = tuple(st[axis + j] * g.dilations[j] for j in range(r))
    return as_strided(
        slab,
        (*slab.shape[:axis], *counts, *slab.shape[axis + r :], *g.kernel),
        (*st[:axis], *steps, *st[axis + r :], *taps),
    )
