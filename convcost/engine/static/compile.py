"""Units as lists of calls on ready-made views, cut into pieces that stay in cache."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from convcost.engine.kernels.convolution.workspace import Program, Workspace
from convcost.engine.kernels.pooling import pool_sizes
from convcost.engine.kernels.windowed import reach as compute_reach
from convcost.engine.static.layout import FIRST
from convcost.engine.static.units import Unit, relu
from convcost.engine.values import Array

PIECE = 64 * 1024
"""Elements of one array that are worked on at a time: several arrays of it stay in the cache of a core."""

WIDE = 2048
"""A row of channels is repeated to about this many elements: short rows make NumPy's inner loop slow."""


def maximum(a: Any, b: Any, out: Any) -> None:
    """The larger of each pair, into `out`."""
    np.maximum(a, b, out=out)


def pieces(total: int, size: int) -> list[tuple[int, int]]:
    """[0, total) in even parts of about `size`."""
    n = max(1, -(-total // max(size, 1)))
    cuts = [total * i // n for i in range(n + 1)]
    return [(a, b) for a, b in pairwise(cuts) if a < b]


def shared(ws: Workspace, items: Sequence[Any], make: Any) -> list[Program]:
    """The programs of `items`, spread over the threads; `make(item)` is the program of one."""
    return ws.share(items, lambda share, _: [call for item in share for call in make(item)])


def activation(unit: Unit, x: Array, y: Array, ws: Workspace) -> list[Program]:
    """Y = act(x), flat."""
    a, b = x.reshape(-1), y.reshape(-1)
    same = np.may_share_memory(a, b)

    def make(part: tuple[int, int]) -> Program:
        s = slice(*part)
        if unit.act is relu:
            return [(maximum, (a[s], 0, b[s]))]
        first: Program = [] if same else [(np.copyto, (b[s], a[s]))]
        return [*first, (unit.act, (b[s],))] if unit.act is not None else first

    return shared(ws, pieces(a.size, PIECE), make)


def addition(unit: Unit, x: Array, other: Array, y: Array, ws: Workspace) -> list[Program]:
    """Y = act(x + other), flat."""
    a, b, c = x.reshape(-1), other.reshape(-1), y.reshape(-1)

    def make(part: tuple[int, int]) -> Program:
        s = slice(*part)
        program: Program = [(np.add, (a[s], b[s], c[s]))]
        return program if unit.act is None else [*program, (unit.act, (c[s],))]

    return shared(ws, pieces(a.size, PIECE), make)


def affine(unit: Unit, x: Array, y: Array, layout: str, ws: Workspace) -> list[Program]:
    """Y = act(scale · x + shift), by channel."""
    c = unit.scale.size
    plain = bool((unit.scale == 1).all())
    bare = not unit.shift.any()
    if layout == FIRST:
        rows = x.reshape(x.shape[0], c, -1)
        out = y.reshape(rows.shape)
        scale, shift = unit.scale[:, None], unit.shift[:, None]
        parts = [(n, p) for n in range(rows.shape[0]) for p in pieces(c, max(1, PIECE // max(rows.shape[2], 1)))]
        views = [(rows[n, a:b], out[n, a:b], scale[a:b], shift[a:b]) for n, (a, b) in parts]
    else:
        repeat = max(1, WIDE // c)
        flat: Any = x.reshape(-1, c)
        target: Any = y.reshape(-1, c)
        whole = flat.shape[0] // repeat * repeat
        wide, out = flat[:whole].reshape(-1, c * repeat), target[:whole].reshape(-1, c * repeat)
        scale, shift = np.tile(unit.scale, repeat), np.tile(unit.shift, repeat)
        cuts = pieces(wide.shape[0], max(1, PIECE // (c * repeat)))
        views = [(wide[a:b], out[a:b], scale, shift) for a, b in cuts]
        if whole < flat.shape[0]:
            views.append((flat[whole:], target[whole:], unit.scale, unit.shift))

    def make(part: tuple[Array, Array, Array, Array]) -> Program:
        a, b, by, plus = part
        program: Program = []
        if not plain:
            program.append((np.multiply, (a, by, b)))
            a = b
        if not bare:
            program.append((np.add, (a, plus, b)))
        elif plain:
            program.append((np.copyto, (b, a)))
        return program if unit.act is None else [*program, (unit.act, (b,))]

    return shared(ws, views, make)


def concat(xs: list[Array], y: Array, layout: str, ws: Workspace) -> list[Program]:
    """The inputs side by side in their channels."""
    program: Program = []
    start = 0
    for x in xs:
        if layout == FIRST:
            stop = start + x.shape[1]
            program.append((np.copyto, (y[:, start:stop], x)))
        else:
            stop = start + x.shape[-1]
            program.append((np.copyto, (y[..., start:stop], x)))
        start = stop
    return shared(ws, program, lambda call: [call])


def gemm(unit: Unit, x: Array, y: Array, ws: Workspace) -> list[Program]:
    """Y = act(x W' + b); the rows of W are shared by the threads."""
    w = unit.weight
    a = x.reshape(-1, w.shape[1])
    out = y.reshape(a.shape[0], w.shape[0])

    def make(part: tuple[int, int]) -> Program:
        s = slice(*part)
        program: Program = [(np.matmul, (a, w[s].T, out[:, s]))]
        if unit.bias is not None:
            program.append((np.add, (out[:, s], unit.bias[s], out[:, s])))
        return program if unit.act is None else [*program, (unit.act, (out[:, s],))]

    return shared(ws, pieces(w.shape[0], -(-w.shape[0] // ws.threads)), make)


def lrn(unit: Unit, x: Array, y: Array, layout: str, ws: Workspace) -> list[Program]:
    """Sums of squares over neighbouring channels as a product with a banded matrix, in pieces."""
    a = unit.attrs
    c = x.shape[1] if layout == FIRST else x.shape[-1]
    below = (a.size - 1) // 2
    index = np.arange(c)
    reach = index[None, :] - index[:, None]
    band = ((reach >= below - a.size + 1) & (reach <= below)).astype(np.float32) * np.float32(a.alpha / a.size)
    if layout == FIRST:
        images = [(x[n].reshape(c, -1), y[n].reshape(c, -1)) for n in range(x.shape[0])]
        cut = [(p[:, s:e], q[:, s:e]) for p, q in images for s, e in pieces(p.shape[1], max(1, PIECE // c))]
        band = np.ascontiguousarray(band.T)
    else:
        flat, out = x.reshape(-1, c), y.reshape(-1, c)
        cut = [(flat[s:e], out[s:e]) for s, e in pieces(flat.shape[0], max(1, PIECE // c))]

    def compile_share(share: Sequence[tuple[Array, Array]], slot: int) -> Program:
        del slot
        program: Program = []
        size = max(p.size for p, _ in share)
        squares, sums = np.empty(size, np.float32), np.empty(size, np.float32)
        for p, q in share:
            sq, su = (t[: p.size].reshape(p.shape) for t in (squares, sums))
            program.append((np.multiply, (p, p, sq)))
            program.append((np.matmul, (band, sq, su) if layout == FIRST else (sq, band, su)))
            program.append((np.add, (su, np.float32(a.bias), su)))
            if a.beta == 0.75:
                program += [
                    (np.sqrt, (su, su)),
                    (np.sqrt, (su, sq)),
                    (np.multiply, (su, sq, su)),
                    (np.divide, (p, su, q)),
                ]
            else:
                program += [(np.power, (su, np.float32(-a.beta), su)), (np.multiply, (p, su, q))]
        return program

    return ws.share(cut, compile_share)


def pool(unit: Unit, x: Array, y: Array, layout: str, ws: Workspace) -> list[Program]:
    """Maxima or means over windows: along one axis, then along the next, in bands of output rows."""
    op, a = unit.step.node.op, unit.attrs
    if op == "GlobalAveragePool":
        return global_average(x, y, layout, ws)
    first = layout == FIRST
    spatial = x.shape[2:] if first else x.shape[1:-1]
    win, out, after = pool_sizes(a, spatial)
    largest = op == "MaxPool"
    combine = maximum if largest else np.add
    padded, fill = surrounded(x, win.before, after, 2 if first else 1, -np.inf if largest else 0)
    divisor = None if largest else divisors(a, spatial, win, out, after)
    if divisor is not None and not first:
        divisor = divisor[..., None]
    lead = (slice(None),) * (2 if first else 1)
    rank = len(out)
    per_row = prod(y.shape) // max(out[0], 1)
    bands = pieces(out[0], max(1, PIECE // max(per_row, 1)))
    if ws.threads > 1:
        bands = pieces(out[0], min(bands[0][1], -(-out[0] // ws.threads)))

    def make(band: tuple[int, int], between: dict[tuple[int, ...], Array]) -> Program:
        program: Program = []
        low = band[0] * win.strides[0]
        reach = (band[1] - 1) * win.strides[0] + compute_reach(win.kernel[0], win.dilations[0])
        part: Array = padded[(*lead, slice(low, reach))]
        for axis in range(rank):
            count = band[1] - band[0] if axis == 0 else out[axis]
            s, d, at = win.strides[axis], win.dilations[axis], len(lead) + axis
            head = (slice(None),) * at
            views = [part[(*head, slice(t * d, t * d + s * (count - 1) + 1, s))] for t in range(win.kernel[axis])]
            target: Array = y[(*lead, slice(*band))]
            if axis < rank - 1:
                key = (axis, *views[0].shape)
                target = between.setdefault(key, np.empty(views[0].shape, np.float32))
            if len(views) == 1:
                program.append((np.copyto, (target, views[0])))
            else:
                program.append((combine, (views[0], views[1], target)))
                program += [(combine, (target, v, target)) for v in views[2:]]
            part = target
        if divisor is not None:
            rows = divisor[band[0] : band[1]] if divisor.shape[0] > 1 else divisor
            program.append((np.multiply, (part, rows, part)))
        return program

    def compile_share(share: Sequence[tuple[int, int]], slot: int) -> Program:
        del slot
        between: dict[tuple[int, ...], Array] = {}
        return [call for band in share for call in make(band, between)]

    inner = ws.share(bands, compile_share)
    return [[*fill, *(call for program in inner for call in program)]] if fill else inner


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


def global_average(x: Array, y: Array, layout: str, ws: Workspace) -> list[Program]:
    """Means over whole images: a product with a row of 1 / size where channels are last."""
    n = x.shape[0]
    if layout == FIRST:
        rows = x.reshape(n * x.shape[1], -1)
        ones = np.full(rows.shape[1], 1 / rows.shape[1], np.float32)
        return shared(ws, [0], lambda _: [(np.matmul, (rows, ones, y.reshape(-1)))])
    images = x.reshape(n, -1, x.shape[-1])
    ones = np.full((1, images.shape[1]), 1 / images.shape[1], np.float32)
    return shared(ws, [0], lambda _: [(np.matmul, (ones, images, y.reshape(n, 1, -1)))])
