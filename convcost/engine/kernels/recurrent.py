"""Recurrent layers: the input products of all steps in one GEMM, then one GEMM a step for the hidden state.

Gates are stacked along the rows of W and R as ONNX stores them: LSTM i, o, f, c; GRU z, r, h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from convcost.engine.kernels import Kernel
from convcost.engine.kernels.activation import sigmoid
from convcost.engine.values import Array, Value

Function = Callable[[Any], Any]
DEFAULTS = {1: ("Tanh",), 3: ("Sigmoid", "Tanh"), 4: ("Sigmoid", "Tanh", "Tanh")}


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


def function(name: str, alpha: float | None, beta: float | None) -> Function:
    """The activation function called `name`."""
    a = {"leakyrelu": 0.01, "thresholdedrelu": 1.0, "elu": 1.0, "hardsigmoid": 0.2}.get(name.lower(), 1.0)
    a = a if alpha is None else alpha
    b = (0.5 if name.lower() == "hardsigmoid" else 0.0) if beta is None else beta
    table: dict[str, Function] = {
        "sigmoid": sigmoid,
        "tanh": np.tanh,
        "relu": lambda v: np.maximum(v, 0),
        "affine": lambda v: a * v + b,
        "leakyrelu": lambda v: np.where(v >= 0, v, a * v),
        "thresholdedrelu": lambda v: np.where(v > a, v, 0),
        "scaledtanh": lambda v: a * np.tanh(b * v),
        "hardsigmoid": lambda v: np.clip(a * v + b, 0, 1),
        "elu": lambda v: np.where(v >= 0, v, a * np.expm1(np.minimum(v, 0))),
        "softsign": lambda v: v / (1 + np.abs(v)),
        "softplus": lambda v: np.logaddexp(v, 0),
    }
    if name.lower() not in table:
        raise ValueError(f"the activation function {name[:40]} is not known")
    return table[name.lower()]


def functions_of(attrs: Any, gates: int, direction: int) -> tuple[Function, ...]:
    """The activation functions of one direction; alphas and betas go to the functions that take them, in order."""
    names = attrs.activations or DEFAULTS[gates] * 2
    takes_alpha = {"affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu"}
    takes_beta = {"affine", "scaledtanh", "hardsigmoid"}
    alphas, betas = list(attrs.activation_alpha), list(attrs.activation_beta)
    out = []
    for name in names:
        alpha = alphas.pop(0) if name.lower() in takes_alpha and alphas else None
        beta = betas.pop(0) if name.lower() in takes_beta and betas else None
        out.append(function(name, alpha, beta))
    n = len(DEFAULTS[gates])
    return tuple(out[direction * n : direction * n + n])


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


STEPS: dict[int, Callable[[Sequence], tuple[Array, Array, Any]]] = {1: rnn_steps, 3: gru_steps, 4: lstm_steps}


def layer(attrs: Any, inputs: list[Value], gates: int, see: Function | None = None) -> list[Value]:
    """All directions of one layer: [y, last h, last c]. `see` is what an LSTM's products make of the hidden state."""
    given: list[Any] = [*inputs, *[None] * (8 - len(inputs))]
    x, w, r, b, lengths, h0, c0, p = given
    kind = x.dtype
    if kind == np.float16:
        wide = [v.astype(np.float32) if isinstance(v, np.ndarray) and v.dtype == kind else v for v in inputs]
        return [v.astype(kind) for v in layer(attrs, wide, gates)]
    if attrs.layout:
        x = x.swapaxes(0, 1)
        h0, c0 = (v if v is None else v.swapaxes(0, 1) for v in (h0, c0))
    steps, batch, hidden = x.shape[0], x.shape[1], r.shape[2]
    if lengths is not None and (lengths == steps).all():
        lengths = None
    y = np.empty((steps, w.shape[0], batch, hidden), kind)
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
        out, h, c = STEPS[gates](s)
        y[:, d] = reversed_(out, lengths) if backward else out
        states.append((h, c))
    last = [np.stack([h for h, _ in states])] + ([np.stack([c for _, c in states])] if gates == 4 else [])
    if attrs.layout:
        return [y.transpose(2, 0, 1, 3), *(v.swapaxes(0, 1) for v in last)]
    return [y, *last]


def packed_lstm(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """DynamicQuantizeLSTM: weights (D, I, 4H) of integers with scales; inputs are quantised to 8 bits at each product.

    The products here use the weights as numbers, and inputs that are rounded as the operator rounds them.
    """
    x, wq, rq, b, lengths, h0, c0, p, ws, wz, rs, rz = inputs
    w = unpacked(wq, ws, wz)
    r = unpacked(rq, rs, rz)
    return layer(attrs, [rounded(x), w, r, b, lengths, h0, c0, p], 4, see=rounded)


def unpacked(q: Array, scale: Array, zero: Array) -> Array:
    """(D, I, G) integers as (D, G, I) numbers; scales by direction or by direction and column."""
    s, z = (v.reshape(v.shape[0], 1, -1) if v.ndim else v for v in (scale, zero))
    return np.ascontiguousarray(((q.astype(np.float32) - z.astype(np.float32)) * s).swapaxes(1, 2))


def rounded(x: Array) -> Array:
    """X as it comes back from dynamic quantisation to uint8, one scale for the whole array."""
    low, high = min(float(x.min(initial=0)), 0.0), max(float(x.max(initial=0)), 0.0)
    scale = np.float32((high - low) / 255) if high > low else np.float32(1)
    zero = np.clip(np.rint(-low / scale), 0, 255)
    return np.asarray((np.clip(np.rint(x / scale) + zero, 0, 255) - zero) * scale).astype(np.float32)


KERNELS: dict[tuple[str, str, str], Kernel] = {
    ("", "LSTM", "fused gemm"): lambda attrs, inputs, _: layer(attrs, inputs, 4),
    ("", "GRU", "fused gemm"): lambda attrs, inputs, _: layer(attrs, inputs, 3),
    ("", "RNN", "fused gemm"): lambda attrs, inputs, _: layer(attrs, inputs, 1),
    ("com.microsoft", "DynamicQuantizeLSTM", "fused gemm"): packed_lstm,
}
