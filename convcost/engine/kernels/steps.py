"""The steps of LSTM and GRU with the usual functions: few calls a step, and none that allocates.

Sigmoid is tanh: σ(v) = tanh(v / 2) / 2 + 1/2. The halves go into the weights, which is exact, so that one tanh serves
all gates of a step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from convcost.engine.kernels import checkpoint
from convcost.engine.values import Array

OFTEN = 64
"""Steps between two looks at the time limit."""
FEW = 16
"""Fewer steps are not worth arrays full of ones: adding such an array is faster than adding a number."""


class Stacked(NamedTuple):
    """Weights of one direction made ready: wt (I, G·H), rt (H, G·H), their bias, that of R for a new state."""

    wt: Array
    rt: Array
    bias: Any
    inner: Any


def lstm_weights(w: Array, r: Array, wb: Any, rb: Any) -> Stacked:
    """From W (4H, I) and R (4H, H): gates i, o, f, c, the first three halved."""
    hidden = r.shape[1]
    half = np.ones(4 * hidden, w.dtype)
    half[: 3 * hidden] = 0.5
    bias = None if wb is None else (wb + rb) * half
    return Stacked(np.ascontiguousarray(w.T) * half, np.ascontiguousarray(r.T) * half, bias, None)


def gru_weights(w: Array, r: Array, wb: Any, rb: Any) -> Stacked:
    """From W (3H, I) and R (3H, H): gates z, r, h, the first two halved. The bias of R for h stands apart."""
    hidden = r.shape[1]
    half = np.ones(3 * hidden, w.dtype)
    half[: 2 * hidden] = 0.5
    bias = inner = None
    if wb is not None:
        inner = rb[2 * hidden :]
        bias = (wb + np.concatenate([rb[: 2 * hidden], np.zeros(hidden, w.dtype)])) * half
    return Stacked(np.ascontiguousarray(w.T) * half, np.ascontiguousarray(r.T) * half, bias, inner)


def inputs_of(x: Array, s: Stacked) -> Array:
    """The products of all steps: (T, B, G·H)."""
    steps, batch, size = x.shape
    pre = np.matmul(np.ascontiguousarray(x).reshape(steps * batch, size), s.wt)
    if s.bias is not None:
        pre += s.bias
    return np.asarray(pre.reshape(steps, batch, -1))


def numbers(gates: Array, steps: int) -> tuple[Any, Any]:
    """1 and 1/2, to be combined with the gates."""
    if steps < FEW:
        return np.float32(1), np.float32(0.5)
    return np.full_like(gates, 1), np.full_like(gates, 0.5)


def lstm(x: Array, s: Stacked, h: Array, c: Array, y: Array, see: Any = None) -> tuple[Array, Array]:
    """Write y: (T, B, H) for x: (T, B, I); (last h, last c). `see` is what the products make of the hidden state."""
    return run_lstm(inputs_of(x, s), lambda h, z: np.matmul(h if see is None else see(h), s.rt, z), h, c, y)


def run_lstm(
    pre: Array, multiplied: Callable[[Array, Array], object], h: Array, c: Array, y: Array
) -> tuple[Array, Array]:
    """Write y: (T, B, H) for the products of the inputs, pre: (T, B, 4H); (last h, last c).

    `multiplied(h, z)` writes the product of a hidden state (B, H) and the matrix (H, 4H) to z.
    """
    hidden = h.shape[-1]
    z = np.empty(pre.shape[1:], pre.dtype)
    c, spare = c.copy(), np.empty_like(c)
    i, o, f, g = (z[:, k * hidden : (k + 1) * hidden] for k in range(4))
    gates = z[:, : 3 * hidden]
    one, half = numbers(gates, len(y))
    add, multiply, tanh = np.add, np.multiply, np.tanh
    for t, (now, out) in enumerate(zip(pre, y, strict=True)):
        if not t % OFTEN:
            checkpoint()
        multiplied(h, z)
        add(z, now, z)
        tanh(z, z)
        add(gates, one, gates)
        multiply(gates, half, gates)
        multiply(c, f, c)
        multiply(i, g, spare)
        add(c, spare, c)
        tanh(c, spare)
        h = multiply(o, spare, out)
    return h, c


def gru(x: Array, s: Stacked, h: Array, y: Array, *, before: bool) -> Array:
    """Write y: (T, B, H) for x: (T, B, I); last h. `before` applies the reset gate after the product with R."""
    return run_gru(inputs_of(x, s), s.rt, s.inner, h, y, before=before)


def run_gru(pre: Array, rt: Array, bias: Any, h: Array, y: Array, *, before: bool) -> Array:
    """Write y: (T, B, H) for the products of the inputs, pre: (T, B, 3H), rt: (H, 3H), R's bias for a new state."""
    hidden = rt.shape[0]
    z = np.empty(pre.shape[1:], pre.dtype)
    gates, new = z[:, : 2 * hidden], z[:, 2 * hidden :]
    keep, reset = z[:, :hidden], z[:, hidden : 2 * hidden]
    spare, inner = np.empty_like(h), None if bias is None else np.broadcast_to(bias, h.shape).copy()
    one, half = numbers(gates, len(y))
    last, to = rt, z
    if not before:
        rt, last = (np.ascontiguousarray(r) for r in np.split(rt, [2 * hidden], axis=1))
        to = np.empty((len(h), 2 * hidden), h.dtype)
    sums = to[:, : 2 * hidden]
    add, multiply, tanh, matmul = np.add, np.multiply, np.tanh, np.matmul
    for t, (first, second, out) in enumerate(zip(pre[..., : 2 * hidden], pre[..., 2 * hidden :], y, strict=True)):
        if not t % OFTEN:
            checkpoint()
        matmul(h, rt, to)
        add(sums, first, gates)
        tanh(gates, gates)
        add(gates, one, gates)
        multiply(gates, half, gates)
        if not before:
            multiply(reset, h, spare)
            matmul(spare, last, new)
        if inner is not None:
            add(new, inner, new)
        if before:
            multiply(new, reset, new)
        add(new, second, new)
        tanh(new, new)
        np.subtract(h, new, spare)
        multiply(spare, keep, spare)
        h = add(new, spare, out)
    return np.asarray(h)
