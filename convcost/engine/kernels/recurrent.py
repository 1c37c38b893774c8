"""Recurrent layers: the input products of all steps in one GEMM, then one GEMM a step for the hidden state.

Gates are stacked along the rows of W and R as ONNX stores them: LSTM i, o, f, c; GRU z, r, h.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from convcost.engine.kernels import Binder, Bound, Kernel, Options, packed, steps
from convcost.engine.kernels.activation import sigmoid
from convcost.engine.kernels.common import USUAL, Common, is_common
from convcost.engine.kernels.gates import Function, functions_of
from convcost.engine.values import Array, Value
from convcost.ir import Node

WORTH = 8
"""Steps for which weights that change from run to run are worth preparing."""


class Sequence(NamedTuple):
    """One direction of one layer. x: (T, B, I), w: (gH, I), r: (gH, H), wb and rb: (gH), h: (B, H), c: (B, H)."""

    x: Array
    w: Array
    r: Array
    wb: Any
    rb: Any
    h: Array
    c: Any
    peephole: Any
    lengths: Any
    functions: tuple[Function, ...]
    clip: float | None
    attrs: Any
    see: Function | None = None


def clipped(v: Any, limit: float | None) -> Any:
    """V within ± limit."""
    return v if limit is None else np.clip(v, -limit, limit)


def lstm_steps(s: Sequence) -> tuple[Array, Array, Array]:
    """(y: (T, B, H), last h, last c)."""
    hidden = s.r.shape[1]
    f, g, last = s.functions
    pre = s.x @ s.w.T
    if s.wb is not None:
        pre += s.wb + s.rb
    rt = np.ascontiguousarray(s.r.T)
    h, c = s.h, s.c
    y = np.zeros((*s.x.shape[:2], hidden), s.x.dtype)
    fused = f is sigmoid and s.peephole is None
    for t in range(s.x.shape[0]):
        z = clipped(pre[t] + (h if s.see is None else s.see(h)) @ rt, s.clip)
        if fused:
            gates = sigmoid(z[:, : 3 * hidden])
            i, o, keep = gates[:, :hidden], gates[:, hidden : 2 * hidden], gates[:, 2 * hidden :]
            new = keep * c + (1 - keep if s.attrs.input_forget else i) * g(z[:, 3 * hidden :])
        else:
            zi, zo, zf, zc = (z[:, k * hidden : (k + 1) * hidden] for k in range(4))
            p = np.zeros(3 * hidden, z.dtype) if s.peephole is None else s.peephole
            keep = f(zf + p[2 * hidden :] * c)
            i = 1 - keep if s.attrs.input_forget else f(zi + p[:hidden] * c)
            new = keep * c + i * g(zc)
            o = f(zo + p[hidden : 2 * hidden] * new)
        out = o * last(new)
        h, c, y[t] = _kept(s, t, out, h), _kept(s, t, new, c), _kept(s, t, out, 0)
    return y, h, c


def gru_steps(s: Sequence) -> tuple[Array, Array, None]:
    """(y: (T, B, H), last h, None)."""
    hidden = s.r.shape[1]
    f, g = s.functions
    before = s.attrs.linear_before_reset != 0
    pre = s.x @ s.w.T
    rb = np.zeros(3 * hidden, s.x.dtype) if s.rb is None else s.rb
    if s.wb is not None:
        pre += s.wb
    pre[..., : 2 * hidden] += rb[: 2 * hidden]
    rt = np.ascontiguousarray(s.r.T)
    h = s.h
    y = np.zeros((*s.x.shape[:2], hidden), s.x.dtype)
    for t in range(s.x.shape[0]):
        if before:
            hr = h @ rt
            gates = f(clipped(pre[t, :, : 2 * hidden] + hr[:, : 2 * hidden], s.clip))
            z, r = gates[:, :hidden], gates[:, hidden:]
            inner = r * (hr[:, 2 * hidden :] + rb[2 * hidden :])
        else:
            gates = f(clipped(pre[t, :, : 2 * hidden] + h @ rt[:, : 2 * hidden], s.clip))
            z, r = gates[:, :hidden], gates[:, hidden:]
            inner = (r * h) @ rt[:, 2 * hidden :] + rb[2 * hidden :]
        new = g(clipped(pre[t, :, 2 * hidden :] + inner, s.clip))
        out = (1 - z) * new + z * h
        h, y[t] = _kept(s, t, out, h), _kept(s, t, out, 0)
    return y, h, None


def rnn_steps(s: Sequence) -> tuple[Array, Array, None]:
    """(y: (T, B, H), last h, None)."""
    (f,) = s.functions
    pre = s.x @ s.w.T
    if s.wb is not None:
        pre += s.wb + s.rb
    rt = np.ascontiguousarray(s.r.T)
    h = s.h
    y = np.zeros((*s.x.shape[:2], s.r.shape[1]), s.x.dtype)
    for t in range(s.x.shape[0]):
        out = f(clipped(pre[t] + h @ rt, s.clip))
        h, y[t] = _kept(s, t, out, h), _kept(s, t, out, 0)
    return y, h, None


def _kept(s: Sequence, t: int, new: Any, old: Any) -> Any:
    """The new value of the sequences that are still running at step t, the old one of the others."""
    return new if s.lengths is None else np.where((t < s.lengths)[:, None], new, old)


def reversed_(x: Array, lengths: Any) -> Array:
    """X: (T, B, …) backwards in time, each sequence within its own length."""
    if lengths is None:
        return x[::-1]
    out = x.copy()
    for b, n in enumerate(lengths):
        out[:n, b] = x[:n, b][::-1]
    return out


def usual(s: Sequence, gates: int) -> bool:
    """Whether the fast steps compute what is asked for."""
    names = tuple(name.lower() for name in s.attrs.activations or ()) or ("sigmoid", "tanh", "tanh")
    default = all(name == wanted for name, wanted in zip(names, ("sigmoid", "tanh", "tanh") * 2, strict=False))
    if gates == 3:
        default = all(name == wanted for name, wanted in zip(names, ("sigmoid", "tanh") * 2, strict=False))
        default = default or not s.attrs.activations
    plain = s.lengths is None and s.clip is None and s.peephole is None and s.x.dtype == np.float32
    return plain and default and gates > 1 and not getattr(s.attrs, "input_forget", 0) and s.x.shape[0] > 0


def fast(s: Sequence, gates: int, ready: Any) -> tuple[Array, Array, Any]:
    """One direction in fast steps. `ready` remembers the weights that were made for it."""
    make = steps.lstm_weights if gates == 4 else steps.gru_weights
    found = ready() if ready is not None else None
    stacked = found[0] if found else make(s.w, s.r, s.wb, s.rb)
    if found is not None and not found:
        found.append(stacked)
    y = np.empty((*s.x.shape[:2], s.r.shape[1]), s.x.dtype)
    if gates == 4:
        return y, *steps.lstm(s.x, stacked, s.h, s.c, y, s.see)
    return y, steps.gru(s.x, stacked, s.h, y, before=s.attrs.linear_before_reset != 0), None


STEPS: dict[int, Callable[[Sequence], tuple[Array, Array, Any]]] = {1: rnn_steps, 3: gru_steps, 4: lstm_steps}


def layer(
    attrs: Any, inputs: list[Value], gates: int, see: Function | None = None, kept: list[list[Any]] | None = None
) -> list[Value]:
    """All directions of one layer: [y, last h, last c]. `see` is what an LSTM's products make of the hidden state.

    `kept` has a list for each direction, in which prepared weights are left for the next run.
    """
    given: list[Any] = [*inputs, *[None] * (8 - len(inputs))]
    x, w, r, b, lengths, h0, c0, p = given
    kind = x.dtype
    if kind == np.float16:
        wide = [v.astype(np.float32) if isinstance(v, np.ndarray) and v.dtype == kind else v for v in inputs]
        return [v.astype(kind) for v in layer(attrs, wide, gates, kept=kept)]
    if attrs.layout:
        x = x.swapaxes(0, 1)
        h0, c0 = (v if v is None else v.swapaxes(0, 1) for v in (h0, c0))
    length, batch, hidden = x.shape[0], x.shape[1], r.shape[2]
    if lengths is not None and (lengths == length).all():
        lengths = None
    y = np.empty((length, w.shape[0], batch, hidden), kind)
    states: list[tuple[Any, Any]] = []
    for d in range(w.shape[0]):
        backward = attrs.direction == "reverse" or d == 1
        zeros = np.zeros((batch, hidden), kind)
        s = Sequence(
            x=reversed_(x, lengths) if backward else x,
            w=w[d],
            r=r[d],
            wb=None if b is None else b[d, : gates * hidden],
            rb=None if b is None else b[d, gates * hidden :],
            h=zeros if h0 is None else h0[d],
            c=zeros if c0 is None else c0[d],
            peephole=None if p is None else p[d],
            lengths=lengths,
            functions=functions_of(attrs, gates, d),
            clip=attrs.clip,
            attrs=attrs,
            see=see,
        )
        if (kept is not None or length >= WORTH) and usual(s, gates):
            out, h, c = fast(s, gates, None if kept is None else partial(kept.__getitem__, d))
        else:
            out, h, c = STEPS[gates](s)
        y[:, d] = reversed_(out, lengths) if backward else out
        states.append((h, c))
    last = [np.stack([h for h, _ in states])] + ([np.stack([c for _, c in states])] if gates == 4 else [])
    if attrs.layout:
        return [y.transpose(2, 0, 1, 3), *(v.swapaxes(0, 1) for v in last)]
    return [y, *last]


class Layer(Bound):
    """One layer whose weights, where they are constants, are prepared at the first run."""

    __slots__ = ("attrs", "common", "constant", "gates", "kept", "packed")

    def __init__(self, node: Node, constants: list[Value], gates: int, *, packed: bool = False) -> None:
        super().__init__("fused gemm")
        self.attrs = node.attrs
        self.gates = gates
        given = [
            i for i in ((1, 2, 3, 8, 9, 10, 11) if packed else (1, 2, 3)) if i < len(node.inputs) and node.inputs[i]
        ]
        self.constant = all(constants[i] is not None for i in given)
        self.kept: list[list[Any]] = [[], []]
        self.packed: list[Any] | None = [] if packed else None
        self.common = Common(node, gates) if self.constant and not packed and is_common(node, gates) else None

    def __call__(self, inputs: list[Value]) -> list[Value]:
        """[y, last h, last c]."""
        kept = self.kept if self.constant else None
        if self.packed is not None:
            return packed_lstm(self.attrs, inputs, kept, self.packed if self.constant else [])
        if self.common is not None and inputs[0].dtype == np.float32 and inputs[0].size:
            return self.common.run(inputs)
        return layer(self.attrs, inputs, self.gates, kept=kept)


def bind_recurrent(node: Node, constants: list[Value], _: Options) -> Bound:
    """LSTM, GRU, RNN, DynamicQuantizeLSTM."""
    gates = {"GRU": 3, "RNN": 1}.get(node.op, 4)
    return Layer(node, constants, gates, packed=node.op == "DynamicQuantizeLSTM")


def packed_lstm(attrs: Any, inputs: list[Value], kept: Any, weights: list[Any]) -> list[Value]:
    """DynamicQuantizeLSTM: weights (D, I, 4H) of integers with scales; inputs are quantised to 8 bits at each product.

    The usual layers run on integers, see `packed`. Others use the weights as numbers, and inputs that are rounded as
    the operator rounds them. Either form is made once, and left in `weights` and `kept`.
    """
    given: list[Any] = [*inputs, *[None] * (12 - len(inputs))]
    x, wq, rq, b, lengths, h0, c0, p, *scales = given
    if p is None and attrs.clip is None and not attrs.input_forget and x.dtype == np.float32 and x.size:
        names = tuple(name.lower() for name in attrs.activations or ())
        if names in ((), USUAL * wq.shape[0]) and (lengths is None or (lengths == len(x)).all()):
            if not weights:
                weights += [packed.direction(wq, rq, scales, b, d) for d in range(wq.shape[0])]
            if None not in weights:
                return packed.layer(x, weights, h0, c0, backward=attrs.direction == "reverse")
    ws, wz, rs, rz = scales
    w, r = numbers(wq, ws, wz), numbers(rq, rs, rz)
    return layer(attrs, [rounded(x), w, r, b, lengths, h0, c0, p], 4, see=rounded, kept=kept)


def numbers(q: Array, scale: Array, zero: Array) -> Array:
    """(D, I, G) integers as (D, G, I) numbers; scales by direction or by direction and column."""
    s, z = (v.reshape(v.shape[0], 1, -1) if v.ndim else v for v in (scale, zero))
    return np.ascontiguousarray(((q.astype(np.float32) - z.astype(np.float32)) * s).swapaxes(1, 2))


def rounded(x: Array) -> Array:
    """X as it comes back from dynamic quantisation to uint8, one scale for the whole array."""
    y = np.empty(x.shape, np.float32)
    scale = packed.levels(x, y)
    np.multiply(y, scale, y)
    return y


BINDERS: dict[tuple[str, str], Binder] = {
    **{("", op): bind_recurrent for op in ("LSTM", "GRU", "RNN")},
    ("com.microsoft", "DynamicQuantizeLSTM"): bind_recurrent,
}
KERNELS: dict[tuple[str, str, str], Kernel] = {
    ("", "LSTM", "fused gemm"): lambda attrs, inputs, _: layer(attrs, inputs, 4),
    ("", "GRU", "fused gemm"): lambda attrs, inputs, _: layer(attrs, inputs, 3),
    ("", "RNN", "fused gemm"): lambda attrs, inputs, _: layer(attrs, inputs, 1),
    ("com.microsoft", "DynamicQuantizeLSTM", "fused gemm"): lambda attrs, inputs, _: packed_lstm(
        attrs, inputs, None, []
    ),
}
