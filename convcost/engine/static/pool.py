"""Poolings as lists of calls: one axis after the other, with no border made where none is needed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from convcost.engine.kernels.convolution.epilogue import acting
from convcost.engine.kernels.convolution.slab import fill_slab, higher
from convcost.engine.kernels.convolution.workspace import Program, Workspace, boxes
from convcost.engine.kernels.pooling import pool_sizes
from convcost.engine.static.compile import PIECE
from convcost.engine.static.layout import FIRST
from convcost.engine.static.units import Unit
from convcost.engine.values import Array

BAND = 64 * 1024
"""Elements of the rows that lie between two axes."""


def pool(unit: Unit, x: Array, y: Array, layout: str, ws: Workspace) -> list[Program]:
    """Maxima or means over windows: along one axis, then along the next, in bands of output rows."""
    op, a = unit.step.node.op, unit.attrs
    if op == "GlobalAveragePool":
        return [[*global_average(x, y, layout), *([] if unit.act is None else acting(unit.act, y))]]
    first = layout == FIRST
    spatial = x.shape[2:] if first else x.shape[1:-1]
    win, out, after = pool_sizes(a, spatial)
    plain = unit.act is None and x.flags.c_contiguous and y.flags.c_contiguous
    if op != "MaxPool" and plain and win.kernel == spatial and not any((*win.before, *after)):
        return [global_average(x, y, layout)]
    axes = [Axis(*v) for v in zip(spatial, out, win.kernel, win.strides, win.dilations, win.before, strict=True)]
    divisor = None if op == "MaxPool" else divisors(a, spatial, win, out)
    if divisor is not None and not first:
        divisor = divisor[..., None]
        if prod(out) * x.shape[-1] <= PIECE:  # a long run is much faster than one for each place
            divisor = np.repeat(divisor, x.shape[-1], axis=-1)
    combine: Any = higher if op == "MaxPool" else np.add
    bordered = -np.inf if op == "MaxPool" else 0.0
    per_row = x.size // spatial[0]
    bands = [(a, b) for ((a, b),) in boxes(out[:1], max(1, BAND // per_row), ws.threads)]

    def compile_share(share: Sequence[tuple[int, int]], slot: int) -> Program:
        windows = [Windows(x, 2 if first else 1, axes, band) for band in share]
        most = [max(sizes) for sizes in zip(*(w.sizes for w in windows), strict=True)]
        scratch = ws.take(slot, np.float32, *((n,) for n in most))
        program: Program = []
        for w in windows:
            target = y[(*w.lead, slice(*w.band))]
            program += w.compile(combine, bordered, target, scratch)
            if divisor is not None:
                rows = divisor[slice(*w.band)] if divisor.shape[0] > 1 else divisor
                program.append((np.multiply, (target, rows, target)))
            if unit.act is not None:
                program += acting(unit.act, target)
        return program

    return ws.share(bands, compile_share)


class Axis(NamedTuple):
    """One spatial axis of a pooling."""

    size: int
    out: int
    kernel: int
    stride: int
    dilation: int
    before: int

    def valid(self, tap: int, places: tuple[int, int]) -> tuple[int, int]:
        """Those of the output `places` for which a tap reads the input and not its border."""
        low = self.before - tap * self.dilation
        stop = (self.size - 1 + low) // self.stride + 1
        start = max(places[0], -(-low // self.stride))
        return start, max(start, min(places[1], stop))

    @property
    def centred(self) -> bool:
        """Whether one tap reads the input at every output, so that no border needs to be made."""
        return any(self.valid(t, (0, self.out)) == (0, self.out) for t in range(self.kernel))


def combined(part: Array, at: int, axis: Axis, places: tuple[int, int], combine: Any, target: Array) -> Program:
    """Combine the taps of one axis for the output `places`, each where it reads the input."""
    lead = (slice(None),) * at
    reach = {t: axis.valid(t, places) for t in range(axis.kernel)}
    base, *others = sorted(reach, key=lambda t: (reach[t] != places, t))

    def view(tap: int, low: int, high: int) -> Array:
        start = low * axis.stride - axis.before + tap * axis.dilation
        return part[(*lead, slice(start, start + (high - low - 1) * axis.stride + 1, axis.stride))]

    def goal(low: int, high: int) -> Array:
        return target[(*lead, slice(low - places[0], high - places[0]))]

    program: Program = []
    done = False
    for tap in others:
        low, high = reach[tap]
        if low >= high:
            continue
        into = goal(low, high)
        program.append((combine, (into if done else view(base, low, high), view(tap, low, high), into)))
        if not done:
            rest = [(a, b) for a, b in ((places[0], low), (high, places[1])) if a < b]
            program += [(np.copyto, (goal(a, b), view(base, a, b))) for a, b in rest]
            done = True
    return program if done else [(np.copyto, (target, view(base, *places)))]


class Windows:
    """The windows of a band of output rows, and the scratch that they need.

    The input with its border, where a border must be made, and what lies between two axes.
    """

    def __init__(self, x: Array, at: int, axes: list[Axis], band: tuple[int, int]) -> None:
        self.x, self.at, self.axes, self.band = x, at, axes, band
        self.lead = (slice(None),) * at
        self.tail = x.shape[at + len(axes) :]
        self.places = [band, *((0, axis.out) for axis in axes[1:])]
        self.slab: tuple[int, ...] = ()
        if not all(axis.centred for axis in axes):
            self.slab = tuple(hi - lo for lo, hi in self.reads())
        source = self.slab or tuple(axis.size for axis in axes)
        counts = [b - a for a, b in self.places]
        self.shapes = [(*x.shape[:at], *self.slab, *self.tail) if self.slab else (0,)]
        for i in range(1, len(axes)):
            self.shapes.append((*x.shape[:at], *counts[:i], *source[i:], *self.tail))

    @property
    def sizes(self) -> list[int]:
        """Elements of each array of scratch."""
        return [prod(shape) for shape in self.shapes]

    def reads(self) -> list[tuple[int, int]]:
        """The ranges of the input with its border that the windows read."""
        starts = [[p * a.stride - a.before for p in (low, high - 1)] for a, (low, high) in self.parts()]
        return [(s[0], s[1] + (a.kernel - 1) * a.dilation + 1) for a, s in zip(self.axes, starts, strict=True)]

    def parts(self) -> list[tuple[Axis, tuple[int, int]]]:
        """Each axis with its output places."""
        return list(zip(self.axes, self.places, strict=True))

    def compile(self, combine: Any, border: float, target: Array, scratch: Sequence[Array]) -> Program:
        """The calls for the band, one axis after the other."""
        slab, *between = (s[:n].reshape(v) for s, n, v in zip(scratch, self.sizes, self.shapes, strict=True))
        program: Program = []
        part, parts = self.x, self.parts()
        if self.slab:
            program += fill_slab(self.x, tuple(self.reads()), self.at, slab, border)
            part = slab
            inner = [a._replace(size=n, before=0) for a, n in zip(self.axes, self.slab, strict=True)]
            parts = [(a, (0, high - low)) for a, (low, high) in zip(inner, self.places, strict=True)]
        for i, (axis, places) in enumerate(parts):
            goal = between[i] if i < len(between) else target
            program += combined(part, self.at + i, axis, places, combine, goal)
            part = goal
        return program


def divisors(a: Any, spatial: tuple[int, ...], win: Any, out: tuple[int, ...]) -> Array:
    """1 / the number of elements that each window averages: (*O)."""
    total: Any = np.ones((), np.float64)
    for i, (n, o) in enumerate(zip(spatial, out, strict=True)):
        places = np.arange(o)[:, None] * win.strides[i] - win.before[i] + np.arange(win.kernel[i]) * win.dilations[i]
        low, high = (-win.before[i], n + win.after[i]) if a.count_include_pad else (0, n)
        total = total[..., None] * ((places >= low) & (places < high)).sum(axis=1)
    return np.asarray(1 / total, np.float32)


def global_average(x: Array, y: Array, layout: str) -> Program:
    """Means over whole images: a product with a row of 1 / size where channels are last."""
    n = x.shape[0]
    if layout == FIRST:
        rows = x.reshape(n * x.shape[1], -1)
        ones = np.full(rows.shape[1], 1 / rows.shape[1], np.float32)
        return [(np.matmul, (rows, ones, y.reshape(-1)))]
    images = x.reshape(n, -1, x.shape[-1])
    ones = np.full((1, images.shape[1]), 1 / images.shape[1], np.float32)
    return [(np.matmul, (ones, images, y.reshape(n, 1, -1)))]
