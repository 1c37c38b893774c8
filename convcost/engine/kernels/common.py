"""LSTM and GRU of the common kind: constant weights, the usual functions, sequences of one length."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.kernels import steps
from convcost.engine.values import Value
from convcost.ir import Node

USUAL = ("sigmoid", "tanh", "tanh")
"""The activation functions of an LSTM unless others are named; a GRU has the first two."""

SMALL = 1 << 18
"""Bytes of the matrix of two directions up to which they run side by side: half as many calls, twice the products."""


def is_common(node: Node, gates: int) -> bool:
    """Whether a layer has the usual functions and neither clipping, lengths, peepholes nor batches first."""
    a = node.attrs
    if gates == 1 or a.clip is not None or a.layout or getattr(a, "input_forget", 0):
        return False
    names = tuple(name.lower() for name in a.activations or ())
    directions = 2 if a.direction == "bidirectional" else 1
    given = any(node.inputs[i] for i in (4, 7) if i < len(node.inputs))
    return not given and names in ((), (USUAL if gates == 4 else USUAL[:2]) * directions)


class Common:
    """Such a layer; its weights are prepared at the first run."""

    __slots__ = ("backward", "before", "both", "lstm", "ready")

    def __init__(self, node: Node, gates: int) -> None:
        self.lstm = gates == 4
        self.backward = node.attrs.direction == "reverse"
        self.before = not self.lstm and node.attrs.linear_before_reset != 0
        self.ready: list[steps.Stacked] = []
        self.both: tuple[Any, Any] | None = None

    def run(self, inputs: list[Value]) -> list[Value]:
        """[y: (T, D, B, H), last h, last c: (D, B, H)] from x: (T, B, I), the weights and the first states."""
        x, w, r, b, _, h0, c0 = [*inputs, *[None] * 7][:7]
        if not self.ready:
            make, half = (steps.lstm_weights if self.lstm else steps.gru_weights), w.shape[1]
            biases = [(None, None) if b is None else (b[d, :half], b[d, half:]) for d in range(len(w))]
            self.ready = [make(w[d], r[d], *biases[d]) for d in range(len(w))]
        y = np.empty((len(x), len(w), x.shape[1], r.shape[2]), np.float32)
        states: Any = np.zeros((2 if self.lstm else 1, *y.shape[1:]), np.float32)
        for state, first in zip(states, (h0, c0), strict=False):
            if first is not None:
                state[...] = first
        if len(w) == 2 and 4 * r[0].nbytes <= SMALL and len(x) > 1:
            self.together(x, y, states)
            return [y, *states]
        for d, weights in enumerate(self.ready):
            way = slice(None, None, -1 if self.backward or d == 1 else 1)
            given, out, state = x[way], y[way, d], states[:, d]
            if self.lstm:
                state[...] = steps.lstm(given, weights, state[0], state[1], out)
            else:
                state[0] = steps.gru(given, weights, state[0], out, before=self.before)
        return [y, *states]

    def together(self, x: Any, y: Any, states: Any) -> None:
        """Both directions as one layer of twice the size, whose matrix has zeros where they would meet."""
        length, _, batch, hidden = y.shape
        first, second = self.ready
        if self.both is None:
            gates = first.rt.shape[1] // hidden
            rt = np.zeros((2, hidden, gates, 2, hidden), np.float32)
            rt[0, :, :, 0], rt[1, :, :, 1] = (s.rt.reshape(hidden, gates, hidden) for s in self.ready)
            inner = None if first.inner is None else np.concatenate([first.inner, second.inner])
            self.both = rt.reshape(2 * hidden, -1), inner
        rt, inner = self.both
        pre = np.empty((length, batch, first.rt.shape[1] // hidden, 2, hidden), np.float32)
        pre[..., 0, :] = steps.inputs_of(x, first).reshape(length, batch, -1, hidden)
        pre[::-1, ..., 1, :] = steps.inputs_of(x, second).reshape(length, batch, -1, hidden)
        pre = pre.reshape(length, batch, -1)
        out = np.empty((length, batch, 2, hidden), np.float32)
        flat = out.reshape(length, batch, -1)
        begin = [state.swapaxes(0, 1).reshape(batch, -1) for state in states]
        if self.lstm:
            end: tuple[Any, ...] = steps.run_lstm(pre, lambda h, z: np.matmul(h, rt, z), begin[0], begin[1], flat)
        else:
            end = (steps.run_gru(pre, rt, inner, begin[0], flat, before=self.before),)
        for state, last in zip(states, end, strict=True):
            state[...] = last.reshape(batch, 2, hidden).swapaxes(0, 1)
        y[:, 0] = out[:, :, 0]
        y[:, 1] = out[::-1, :, 1]
