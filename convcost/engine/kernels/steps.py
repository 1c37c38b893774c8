"""The steps of LSTM and GRU with the usual functions: few calls a step, and none that allocates.

Sigmoid is tanh: σ(v) = tanh(v / 2) / 2 + 1/2. The halves go into the weights, which is exact, so that one tanh serves
all gates of a step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from convcost.engine.kernels import checkpoint
from convcost.engine.values import Array

OFTEN = 64
"""Steps between two looks at the time limit."""


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


def lstm(x: Array, s: Stacked, h: Array, c: Array, see: Any = None) -> tuple[Array, Array, Array]:
    """(y: (T, B, H), last h, last c) from x: (T, B, I). `see` is what the products make of the hidden state."""
    pre = inputs_of(x, s)
    hidden = s.rt.shape[0]
    y = np.empty((*x.shape[:2], hidden), x.dtype)
    z = np.empty(pre.shape[1:], x.dtype)
    c, spare = c.copy(), np.empty_like(c)
    i, o, f, g = (z[:, k * hidden : (k + 1) * hidden] for k in range(4))
    gates = z[:, : 3 * hidden]
    for t in range(len(y)):
        if not t % OFTEN:
            checkpoint()
        np.matmul(h if see is None else see(h), s.rt, out=z)
        z += pre[t]
        np.tanh(z, out=z)
        gates += 1
        gates *= 0.5
        c *= f
        np.multiply(i, g, out=spare)
        c += spare
        np.tanh(c, out=spare)
        h = np.multiply(o, spare, out=y[t])
    return y, h, c


def gru(x: Array, s: Stacked, h: Array, *, before: bool) -> tuple[Array, Array]:
    """(y: (T, B, H), last h) from x: (T, B, I); `before` applies the reset gate after the product with R."""
    pre = inputs_of(x, s)
    hidden = s.rt.shape[0]
    y = np.empty((*x.shape[:2], hidden), x.dtype)
    z = np.empty(pre.shape[1:], x.dtype)
    gates, new = z[:, : 2 * hidden], z[:, 2 * hidden :]
    keep, reset = z[:, :hidden], z[:, hidden : 2 * hidden]
    spare = np.empty_like(h)
    split = (
        None if before else (np.ascontiguousarray(s.rt[:, : 2 * hidden]), np.ascontiguousarray(s.rt[:, 2 * hidden :]))
    )
    two, one = np.empty((len(h), 2 * hidden), x.dtype), np.empty_like(h)
    for t in range(len(y)):
        if not t % OFTEN:
            checkpoint()
        now = pre[t]
        if split is None:
            np.matmul(h, s.rt, out=z)
            gates += now[:, : 2 * hidden]
        else:
            np.matmul(h, split[0], out=two)
            np.add(two, now[:, : 2 * hidden], out=gates)
        np.tanh(gates, out=gates)
        gates += 1
        gates *= 0.5
        if split is not None:
            np.multiply(reset, h, out=spare)
            np.matmul(spare, split[1], out=one)
            new[...] = one
        if s.inner is not None:
            new += s.inner
        if split is None:
            new *= reset
        new += now[:, 2 * hidden :]
        np.tanh(new, out=new)
        np.subtract(h, new, out=spare)
        spare *= keep
        h = np.add(new, spare, out=y[t])
    return y, h
