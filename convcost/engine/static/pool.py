"""Poolings as lists of calls: one axis after the other, with no border made where none is needed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from convcost.engine.kernels.convolution.workspace import Program, Workspace
from convcost.engine.kernels.pooling import pool_sizes
from convcost.engine.static.compile import PIECE, maximum, pieces
from convcost.engine.static.layout import FIRST
from convcost.engine.static.units import Unit
from convcost.engine.values import Array


def pool(unit: Unit, x: Array, y: Array, layout: str, ws: Workspace) -> list[Program]:
    """Maxima or means over windows: along one axis, then along the next, in bands of output rows."""
    op, a = unit.step.node.op, unit.attrs
    if op == "GlobalAveragePool":
        return global_average(x, y, layout)
    first = layout == FIRST
    spatial = x.shape[2:] if first else x.shape[1:-1]
    win, out, after = pool_sizes(a, spatial)
    largest = op == "MaxPool"
    divisor = None if largest else divisors(a, spatial, win, out, after)
    if divisor is not None and not first:
        divisor = divisor[..., None]
        if prod(out) * x.shape[-1] <= PIECE:  # a long run is much faster than one for each place
            divisor = np.repeat(divisor, x.shape[-1], axis=-1)
    lead = (slice(None),) * (2 if first else 1)
    axes = [Axis(*v) for v in zip(spatial, out, win.kernel, win.strides, win.dilations, win.before, strict=True)]
    source: Array = x
    fill: Program = []
    if not all(axis.centred for axis in axes):
        source, fill = surrounded(x, win.before, after, len(lead), -np.inf if largest else 0)
        axes = [axis._replace(size=n, before=0) for axis, n in zip(axes, source.shape[len(lead) :], strict=False)]
    per_row = prod(y.shape) // max(out[0], 1)
    bands = pieces(out[0], max(1, PIECE // max(per_row, 1)))
    if ws.threads > 1:
        bands = pieces(out[0], min(bands[0][1], -(-out[0] // ws.threads)))

    def make(band: tuple[int, int], between: dict[tuple[int, ...], Array]) -> Program:
        program: Program = []
        part = source
        for i, axis in enumerate(axes):
            at, places = len(lead) + i, band if i == 0 else (0, axis.out)
            target: Array = y[(*lead, slice(*band))]
            if i < len(axes) - 1:
                shape = (*part.shape[:at], places[1] - places[0], *part.shape[at + 1 :])
                target = between.setdefault((i, *shape), np.empty(shape, np.float32))
            program += combined(part, at, axis, places, maximum if largest else np.add, target)
            part = target
        if divisor is not None:
            rows = divisor[band[0] : band[1]] if divisor.shape[0] > 1 else divisor
            program.append((np.multiply, (part, rows, part)))
        if unit.act is not None:
            program.append((unit.act, (part,)))
        return program

    def compile_share(share: Sequence[tuple[int, int]], slot: int) -> Program:
        del slot
        between: dict[tuple[int, ...], Array] = {}
        return [call for band in share for call in make(band, between)]

    inner = ws.share(bands, compile_share)
    return [[*fill, *(call for program in inner for call in program)]] if fill else inner


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


def surrounded(
    x: Array, before: tuple[int, ...], after: tuple[int, ...], at: int, value: float
) -> tuple[Array, Program]:
    """X with a border that is filled once, and the call that copies x inside; x itself where there is no border."""
    if not any(before) and not any(after):
        return x, []
    shape = list(x.shape)
    inside: list[slice] = [slice(None)] * x.ndim
    source: list[slice] = [slice(None)] * x.ndim
    for i, (b, a) in enumerate(zip(before, after, strict=True)):
        n = x.shape[at + i]
        shape[at + i] = n + b + a
        inside[at + i] = slice(max(b, 0), max(b, 0) + n + min(b, 0) + min(a, 0))
        source[at + i] = slice(max(-b, 0), n - max(-a, 0))
    padded = np.full(shape, value, np.float32)
    return padded, [(np.copyto, (padded[tuple(inside)], x[tuple(source)]))]


def divisors(a: Any, spatial: tuple[int, ...], win: Any, out: tuple[int, ...], after: tuple[int, ...]) -> Array:
    """1 / the number of elements that each window averages: (*O)."""
    total: Any = np.ones((), np.float64)
    del after
    for i, (n, o) in enumerate(zip(spatial, out, strict=True)):
        places = np.arange(o)[:, None] * win.strides[i] - win.before[i] + np.arange(win.kernel[i]) * win.dilations[i]
        low, high = (-win.before[i], n + win.after[i]) if a.count_include_pad else (0, n)
        total = total[..., None] * ((places >= low) & (places < high)).sum(axis=1)
    return np.asarray(1 / total, np.float32)


def global_average(x: Array, y: Array, layout: str) -> list[Program]:
    """Means over whole images: a product with a row of 1 / size where channels are last."""
    n = x.shape[0]
    if layout == FIRST:
        rows = x.reshape(n * x.shape[1], -1)
        ones = np.full(rows.shape[1], 1 / rows.shape[1], np.float32)
        return [[(np.matmul, (rows, ones, y.reshape(-1)))]]
    images = x.reshape(n, -1, x.shape[-1])
    ones = np.full((1, images.shape[1]), 1 / images.shape[1], np.float32)
    return [[(np.matmul, (ones, images, y.reshape(n, 1, -1)))]]
