"""LSTM on integers: 8-bit weights, and inputs and hidden states that are quantised to 8 bits before each product.

The sums of products are exact, as single precision holds integers up to 2²⁴, so that a step differs from one computed
in integers only by the rounding of its activation functions. The gates' halves (see `steps`) are in the weights.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from convcost.engine.kernels.convolution.workspace import aligned
from convcost.engine.kernels.steps import run_lstm
from convcost.engine.values import Array

EXACT = 1 << 23
"""Multiples of 1/2 up to this are exact in single precision."""
ZERO, HALF, ONE, LEVELS = (np.float32(v) for v in (0, 0.5, 1, 255))
TIE = np.float32(1e-3)
"""Ends of a range so near to half a step may both round outwards, to one level more than there are."""


class Direction(NamedTuple):
    """One direction's integers less their zero points, wt: (I, 4H), rt: (H, 4H), with scales, and its bias: (4H)."""

    wt: Array
    rt: Array
    w_scale: Any
    r_scale: Any
    bias: Any


def levels(x: Array, out: Array) -> Any:
    """Write x in steps of DynamicQuantizeLinear, less the zero point, to `out`; the size of a step.

    Single precision throughout, as the operator: scale = (max - min) / 255 with 0 in the range. The zero point is the
    lowest value's own step, so that only the highest may have to be kept within the 256 levels.
    """
    low, high = np.minimum.reduce(x, None), np.maximum.reduce(x, None)
    low, high = low if low < 0 else ZERO, high if high > 0 else ZERO
    scale = (high - low) / LEVELS
    if not 0 < scale < np.inf:
        scale = ONE
    np.divide(x, scale, out)
    np.rint(out, out)
    if abs(high / scale % 1 - HALF) < TIE:
        np.minimum(out, LEVELS + np.rint(low / scale), out=out)
    return scale


def direction(wq: Array, rq: Array, scales: list[Any], b: Any, d: int) -> Direction | None:
    """Direction d of weights (D, I, 4H) and (D, H, 4H), b: (D, 8H). None where a sum might not be exact.

    `scales` are scale and zero point of each: by direction, or by direction and column.
    """
    ws, wz, rs, rz = (v[d if v.shape[0] > 1 else 0] if v.ndim else v for v in scales)
    hidden = rq.shape[1]
    half = np.ones(4 * hidden, np.float32)
    half[: 3 * hidden] = 0.5
    made = []
    for q, zero in ((wq[d], wz), (rq[d], rz)):
        wide = q.astype(np.int32) - np.asarray(zero, np.int32)
        if np.abs(wide).sum(axis=0).max(initial=0) * 255 > EXACT:
            return None
        made.append(aligned(q.shape, np.float32))
        np.multiply(wide, half, out=made[-1], casting="unsafe")
    w_scale, r_scale = (s.reshape(())[()] if s.size == 1 else s for s in (ws, rs))
    bias = None if b is None else (b[d, : 4 * hidden] + b[d, 4 * hidden :]) * half
    return Direction(made[0], made[1], w_scale, r_scale, bias)


def layer(x: Array, weights: list[Direction], h0: Any, c0: Any, *, backward: bool) -> list[Any]:
    """[y: (T, D, B, H), last h, last c: (D, B, H)] of all directions; `backward` is the first one's way."""
    hidden = weights[0].rt.shape[0]
    y = np.empty((len(x), len(weights), x.shape[1], hidden), np.float32)
    states = np.zeros((2, *y.shape[1:]), np.float32)
    for state, first in zip(states, (h0, c0), strict=True):
        if first is not None:
            state[...] = first
    for d, weight in enumerate(weights):
        way = slice(None, None, -1 if backward or d == 1 else 1)
        states[:, d] = lstm(x[way], weight, states[0, d], states[1, d], y[way, d])
    return [y, *states]


def lstm(x: Array, d: Direction, h: Array, c: Array, y: Array) -> tuple[Array, Array]:
    """Write y: (T, B, H) for x: (T, B, I); (last h, last c)."""
    steps = np.empty(x.shape, np.float32)
    scale = levels(x, steps)
    pre = np.matmul(steps.reshape(-1, x.shape[2]), d.wt)
    pre *= scale * d.w_scale
    if d.bias is not None:
        pre += d.bias
    q = np.empty(h.shape, np.float32)

    def multiplied(h: Array, z: Array) -> None:
        scale = levels(h, q)
        np.matmul(q, d.rt, z)
        np.multiply(z, scale * d.r_scale, z)

    return run_lstm(pre.reshape(*x.shape[:2], -1), multiplied, h, c, y)
