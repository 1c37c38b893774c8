"""Units as lists of calls on ready-made views, cut into pieces that stay in cache."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from convcost.engine.kernels.convolution.epilogue import acting, by_row
from convcost.engine.kernels.convolution.workspace import Program, Workspace
from convcost.engine.static.layout import FIRST
from convcost.engine.static.units import Unit
from convcost.engine.values import Array

PIECE = 64 * 1024
"""Elements of one array that are worked on at a time: several arrays of it stay in the cache of a core."""

SPLIT = 16 * 1024
"""Elements from which on several threads are worth it."""

WIDE = 8192
"""A row of channels is repeated to about this many elements: short rows make NumPy's inner loop slow."""


def pieces(total: int, size: int) -> list[tuple[int, int]]:
    """[0, total) in even parts of about `size`."""
    n = max(1, -(-total // max(size, 1)))
    cuts = [total * i // n for i in range(n + 1)]
    return [(a, b) for a, b in pairwise(cuts) if a < b]


def piece(ws: Workspace, total: int) -> int:
    """Elements in one of the pieces of `total`: about PIECE, and each thread gets as many pieces as the others."""
    if ws.threads == 1 or total < SPLIT:
        return PIECE
    each = -(-total // ws.threads)
    return -(-each // -(-each // PIECE))


def shared(ws: Workspace, items: Sequence[Any], make: Any) -> list[Program]:
    """The programs of `items`, spread over the threads; `make(item)` is the program of one."""
    return ws.share(items, lambda share, _: [call for item in share for call in make(item)])


def activation(unit: Unit, x: Array, y: Array, ws: Workspace) -> list[Program]:
    """Y = act(x), flat."""
    a, b = x.reshape(-1), y.reshape(-1)

    def make(part: tuple[int, int]) -> Program:
        s = slice(*part)
        if unit.act is not None:
            return acting(unit.act, a[s], b[s])
        return [] if np.may_share_memory(a, b) else [(np.copyto, (b[s], a[s]))]

    return shared(ws, pieces(a.size, piece(ws, a.size)), make)


def addition(unit: Unit, x: Array, other: Array, y: Array, ws: Workspace) -> list[Program]:
    """Y = act(x + other), flat."""
    a, b, c = x.reshape(-1), other.reshape(-1), y.reshape(-1)

    def make(part: tuple[int, int]) -> Program:
        s = slice(*part)
        program: Program = [(np.add, (a[s], b[s], c[s]))]
        return program if unit.act is None else program + acting(unit.act, c[s])

    return shared(ws, pieces(a.size, piece(ws, a.size)), make)


def affine(unit: Unit, x: Array, y: Array, layout: str, ws: Workspace) -> list[Program]:
    """Y = act(scale · x + shift), by channel."""
    c = unit.scale.size
    if unit.floor is not None:
        steps: list[tuple[Any, Any]] = [(np.maximum, unit.floor)]
    else:
        steps = [(np.multiply, unit.scale)] if (unit.scale != 1).any() else []
        steps += [(np.add, unit.shift)] if unit.shift.any() or not steps else []
    if layout == FIRST:
        rows, out = x.reshape(x.shape[0], c, -1), y.reshape(y.shape[0], c, -1)
        cuts = pieces(c, -(-piece(ws, x.size) // max(rows.shape[2], 1)))
        images = [(rows[n, a:b], out[n, a:b], slice(a, b)) for n in range(rows.shape[0]) for a, b in cuts]
        return shared(ws, images, lambda i: by_row([(f, v[i[2]]) for f, v in steps], *i[:2]) + last(unit, i[1]))
    flat, target = x.reshape(-1, c), y.reshape(-1, c)
    repeat = evenly(flat.shape[0], max(1, WIDE // c)) if flat.flags.c_contiguous and target.flags.c_contiguous else 1
    whole = flat.shape[0] // repeat * repeat
    steps = [(f, np.tile(v, repeat)) for f, v in steps]
    wide, broad = (v[:whole].reshape(-1, c * repeat) for v in (flat, target))
    views = [(wide[a:b], broad[a:b]) for a, b in pieces(wide.shape[0], -(-piece(ws, x.size) // (c * repeat)))]
    if whole < flat.shape[0]:
        views.append((flat[whole:].reshape(-1), target[whole:].reshape(-1)))

    def make(part: tuple[Array, Array]) -> Program:
        a, b = part
        program: Program = []
        for f, v in steps:
            program.append((partial(f, out=b), (a, v[: b.shape[-1]])))
            a = b
        return program + last(unit, b)

    return shared(ws, views, make)


def evenly(count: int, most: int) -> int:
    """The largest divisor of `count` from 3/4 of `most` to `most`, so that nothing is left over; else `most`."""
    return next((n for n in range(most, most * 3 // 4, -1) if count % n == 0), most)


def last(unit: Unit, y: Array) -> Program:
    """The activation of a unit, in place."""
    return [] if unit.act is None else acting(unit.act, y)


def concat(unit: Unit, xs: list[Array], y: Array, layout: str, ws: Workspace) -> list[Program]:
    """The inputs side by side in their channels; those that were made in their place are not copied."""
    first = layout == FIRST
    items: list[tuple[Array, Array]] = []
    start = 0
    for x in xs:
        stop = start + x.shape[1 if first else -1]
        part = y[:, start:stop] if first else y[..., start:stop]
        if part.ctypes.data != x.ctypes.data:
            cuts = pieces(x.shape[1], -(-piece(ws, x.size) * x.shape[0] * x.shape[1] // x.size))
            items += [(part[n, a:b], x[n, a:b]) for n in range(x.shape[0]) for a, b in cuts]
        start = stop
    copies = shared(ws, items, lambda item: [(np.copyto, item if first else tuple(map(lines, item)))])
    if unit.act is None:
        return copies
    if not y.flags.c_contiguous:
        return [[*(call for part in copies for call in part), (unit.act, (y,))]]
    after = activation(unit, y, y, ws)
    return [[call for part in (*copies, *after) for call in part]] if items else after


def lines(x: Array) -> Array:
    """The last axis as one element: NumPy copies short lines two to three times as fast, as it counts no numbers."""
    return x.view(f"V{x.itemsize * x.shape[-1]}")[..., 0]


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
        cut = [(p[:, s:e], q[:, s:e]) for p, q in images for s, e in pieces(p.shape[1], -(-piece(ws, p.size) // c))]
        band = np.ascontiguousarray(band.T)
    else:
        flat, out = x.reshape(-1, c), y.reshape(-1, c)
        cut = [(flat[s:e], out[s:e]) for s, e in pieces(flat.shape[0], -(-piece(ws, x.size) // c))]

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
