"""What is left to do with an array that several units made together: the least value of a channel, and its bias."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from convcost.engine.kernels.convolution.epilogue import RUN, along, by_row
from convcost.engine.kernels.convolution.workspace import Program, Workspace
from convcost.engine.static.layout import FIRST
from convcost.engine.static.units import Unit
from convcost.engine.values import Array

PIECE = 64 * 1024
"""Elements that are worked on at a time."""


def finish(unit: Unit, y: Array, layout: str, ws: Workspace) -> list[Program]:
    """Y = max(y, floor) + bias by channel, in place; y: (N, C, …), or (N, …, C) where channels are last."""
    steps: list[tuple[Any, Array]] = [(np.maximum, unit.floor)] if unit.floor is not None else []
    steps += [(np.add, unit.bias)] if unit.bias is not None else []
    c = y.shape[1 if layout == FIRST else -1]
    flat = y.reshape(-1, c) if layout != FIRST else y.reshape(y.shape[0] * c, -1)
    dense = layout != FIRST and flat.flags.c_contiguous
    repeat = max(1, RUN // c)
    times = y.shape[0] if layout == FIRST else repeat if dense else 1
    vectors = [(f, np.tile(v, times)) for f, v in steps]
    count = ws.threads * -(-flat.size // (PIECE * ws.threads)) or 1
    cuts = sorted({flat.shape[0] * i // count for i in range(count + 1)})

    def make(a: int, b: int) -> Program:
        rows = flat[a:b]
        if dense:
            return [call for f, v in vectors for call in along(f, rows, v, rows)]
        if layout == FIRST:
            return by_row([(f, v[a:b]) for f, v in vectors], rows, rows)
        return [(partial(f, out=rows), (rows, v)) for f, v in vectors]

    return ws.share(list(pairwise(cuts)), lambda share, _: [call for a, b in share for call in make(a, b)])
