"""What is left to do with an array that several units made together: the least value of a channel, and its bias."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from convcost.engine.kernels.convolution.epilogue import RUN
from convcost.engine.kernels.convolution.slab import higher
from convcost.engine.kernels.convolution.workspace import Program, Step, Workspace
from convcost.engine.static.layout import FIRST
from convcost.engine.static.units import Unit
from convcost.engine.values import Array

PIECE = 64 * 1024
"""Elements that are worked on at a time."""


def finish(unit: Unit, y: Array, layout: str, ws: Workspace) -> list[Program]:
    """Y = max(y, floor) + bias by channel, in place; y: (N, C, …), or (N, …, C) where channels are last."""
    steps: list[tuple[Any, Array]] = [(higher, unit.floor)] if unit.floor is not None else []
    steps += [(np.add, unit.bias)] if unit.bias is not None else []
    c = y.shape[1 if layout == FIRST else -1]
    flat = y.reshape(-1, c) if layout != FIRST else y.reshape(y.shape[0] * c, -1)
    dense = layout != FIRST and flat.flags.c_contiguous
    repeat = max(1, RUN // c)
    vectors = [(f, np.tile(v, repeat) if dense else v) for f, v in steps]
    if layout == FIRST:
        vectors = [(f, np.tile(v, y.shape[0])[:, None]) for f, v in steps]
    count = max(ws.threads, -(-flat.size // PIECE), 1)
    cuts = sorted({flat.shape[0] * i // count for i in range(count + 1)})

    def make(a: int, b: int) -> Program:
        program: Program = []
        for f, vector in vectors:
            if dense:
                program += along(f, flat[a:b], vector)
            else:
                program.append((f, (flat[a:b], vector[a:b] if layout == FIRST else vector, flat[a:b])))
        return program

    return ws.share(list(pairwise(cuts)), lambda share, _: [call for a, b in share for call in make(a, b)])


def along(f: Any, rows: Array, vector: Array) -> list[Step]:
    """Apply f in place to contiguous rows and a vector that repeats their second operand: in runs of its length."""
    flat = rows.reshape(-1)
    whole = flat.size - flat.size % vector.size
    long, rest = flat[:whole].reshape(-1, vector.size), flat[whole:]
    parts = [(long, vector)] if whole else []
    parts += [(rest, vector[: rest.size])] if rest.size else []
    return [(f, (a, v, a)) for a, v in parts]
