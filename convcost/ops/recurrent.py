"""Recurrent layers: RNN, GRU, LSTM, and the LSTM with packed integer weights."""

from __future__ import annotations

from typing import Any

import msgspec

from convcost.ir import Dim, Shape, Tensor, total
from convcost.ops.base import NOTHING, Attrs, Call, Op, Work, agree, integers, products, require, show, typed
from convcost.ops.fused import activation

DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}


class RecurrentAttrs(Attrs, frozen=True):
    """Attributes of the recurrent layers. `activations` empty: ONNX's defaults, Sigmoid for gates, Tanh else."""

    activations: tuple[str, ...] = ()
    activation_alpha: tuple[float, ...] = ()
    activation_beta: tuple[float, ...] = ()
    clip: float | None = None
    direction: str = "forward"
    hidden_size: int | None = None
    input_forget: int = 0
    layout: int = 0
    linear_before_reset: int = 0


class Sizes(msgspec.Struct, frozen=True):
    """T steps, B sequences, I inputs, H hidden units, D directions."""

    t: Dim
    b: Dim
    i: Dim
    h: Dim
    d: int


def sizes_of(call: Call, gates: int, *, packed: bool = False) -> Sizes:
    """The sizes of a recurrent layer, checked against its weights. `packed` weights stand as (D, I, gates·H)."""
    x, w, r, a = call.x(0).dims, call.x(1).dims, call.x(2).dims, call.attrs
    require(len(x) == 3, f"the input needs rank 3 (steps, batch, input), not {show(x)}")
    require(len(w) == 3 and len(r) == 3, f"the weights need rank 3, not {show(w)} and {show(r)}")
    require(a.direction in DIRECTIONS, f"direction '{a.direction[:40]}' is not one of {', '.join(DIRECTIONS)}")
    d = DIRECTIONS[a.direction]
    t, b = x[:2] if a.layout == 0 else (x[1], x[0])
    wi, wg = (w[1], w[2]) if packed else (w[2], w[1])
    h, rg = (r[1], r[2]) if packed else (r[2], r[1])
    if a.hidden_size is not None:
        h = agree(h, a.hidden_size, f"the weight R {show(r)} has {h} hidden units, hidden_size is {a.hidden_size}")
    i = agree(x[2], wi, f"the weight W {show(w)} reads {wi} values, the input {show(x)} has {x[2]}")
    for shape, rows in ((w, wg), (r, rg)):
        agree(shape[0], d, f"the weight {show(shape)} has {shape[0]} directions, {a.direction} needs {d}")
        agree(rows, gates * h, f"the weight {show(shape)} does not hold {gates} gates of {h} hidden units")
    return Sizes(t, b, i, h, d)


def outputs_of(call: Call, s: Sizes, states: int) -> tuple[Tensor, ...]:
    """y: (T, D, B, H) and the last states: (D, B, H), or (B, T, D, H) and (B, D, H) for layout 1."""
    y: Shape = (s.t, s.d, s.b, s.h)
    last: Shape = (s.d, s.b, s.h)
    if call.attrs.layout:
        y, last = (s.b, s.t, s.d, s.h), (s.b, s.d, s.h)
    x = call.x(0)
    return (typed(x, y), *(typed(x, last) for _ in range(states)))


def steps_of(call: Call, s: Sizes) -> Dim:
    """Σ of the sequence lengths where their content is known, else T·B."""
    lens = call.optional(4)
    return s.t * s.b if lens is None or lens.value is None else total(integers(lens, "sequence_lens"))


def recurrent_work(call: Call, s: Sizes, gates: int, cell: Work, defaults: tuple[str, ...]) -> Work:
    """The products of all gates, two biases a gate, the clip, the cell's own work and its activation functions."""
    steps = steps_of(call, s)
    per_direction = steps * s.h
    units = per_direction * s.d
    work = products(gates * units * (s.i + s.h), plus=2 * gates * units if call.has(3) else 0)
    work += cell.times(units)
    if call.attrs.clip is not None:
        work += Work(comparisons=2 * gates * units)
    names = call.attrs.activations or defaults * s.d
    require(
        len(names) >= len(defaults) * s.d, f"{len(names)} activation functions are given, not {len(defaults) * s.d}"
    )
    for j in range(s.d):
        for k, uses in enumerate(USES[gates]):
            work += cell_activation(names[j * len(defaults) + k], per_direction).times(uses)
    return work


USES = {1: (1,), 3: (2, 1), 4: (3, 1, 1)}
"""How often each activation function f, g, h is used for one hidden unit, by number of gates."""


def cell_activation(name: str, n: Dim) -> Work:
    """The work of an activation function on n values. Affine and ScaledTanh exist in recurrent layers only."""
    if name.lower() == "affine":
        return Work(multiplications=n, additions=n)
    if name.lower() == "scaledtanh":
        return Work(multiplications=n * 2, special=n)
    return activation(NAMES.get(name.lower(), name), Tensor("", shape=(n,)))


NAMES = {
    name.lower(): name
    for name in (
        "Relu",
        "Tanh",
        "Sigmoid",
        "LeakyRelu",
        "ThresholdedRelu",
        "HardSigmoid",
        "Elu",
        "Softsign",
        "Softplus",
    )
}


def rnn_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (T, B, I), w: (D, H, I), r: (D, H, H) -> y: (T, D, B, H), last hidden state: (D, B, H)."""
    return outputs_of(call, sizes_of(call, 1), 1)


def rnn_cost(call: Call) -> Work:
    """RNN. x: (T, B, I), w: (D, H, I), r: (D, H, H), b: (D, 2H) -> y: (T, D, B, H).

    Counted: S·D·H·(I + H) multiply-accumulates for S = T·B steps (Σ of the sequence lengths where they are constant);
    for each unit and step two additions for the biases and the activation function.
    Source: ONNX operator RNN.
    """
    return recurrent_work(call, sizes_of(call, 1), 1, NOTHING, ("Tanh",))


def gru_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (T, B, I), w: (D, 3H, I), r: (D, 3H, H) -> y: (T, D, B, H), last hidden state: (D, B, H)."""
    return outputs_of(call, sizes_of(call, 3), 1)


def gru_cost(call: Call) -> Work:
    """GRU. x: (T, B, I), w: (D, 3H, I), r: (D, 3H, H), b: (D, 6H) -> y: (T, D, B, H).

    Counted: 3·S·D·H·(I + H) multiply-accumulates for S = T·B steps (Σ of the sequence lengths where they are constant);
    for each unit and step 6 additions for the biases, 3 multiplications and 2 additions (reset and update) and three
    activation functions.
    Source: ONNX operator GRU.
    """
    cell = Work(multiplications=3, additions=2)
    return recurrent_work(call, sizes_of(call, 3), 3, cell, ("Sigmoid", "Tanh"))


def lstm_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (T, B, I), w: (D, 4H, I), r: (D, 4H, H) -> y: (T, D, B, H), last hidden and cell state: (D, B, H)."""
    return outputs_of(call, sizes_of(call, 4), 2)


def lstm_cell(call: Call) -> Work:
    """C' = f·c + i·g and h = o·tanh(c') of one unit, and three peepholes where there are."""
    return Work(multiplications=6, additions=4) if call.has(7) else Work(multiplications=3, additions=1)


def lstm_cost(call: Call) -> Work:
    """LSTM. x: (T, B, I), w: (D, 4H, I), r: (D, 4H, H), b: (D, 8H), peepholes: (D, 3H) -> y: (T, D, B, H).

    Counted: 4·S·D·H·(I + H) multiply-accumulates for S = T·B steps (Σ of the sequence lengths where they are constant);
    for each unit and step 8 additions for the biases, 3 multiplications and one addition (cell and output), 3 of each
    for peepholes, and five activation functions.
    Source: ONNX operator LSTM.
    """
    return recurrent_work(call, sizes_of(call, 4), 4, lstm_cell(call), ("Sigmoid", "Tanh", "Tanh"))


def packed_lstm_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (T, B, I), w: (D, I, 4H), r: (D, H, 4H) -> y: (T, D, B, H), last hidden and cell state: (D, B, H)."""
    return outputs_of(call, sizes_of(call, 4, packed=True), 2)


def packed_lstm_cost(call: Call) -> Work:
    """DynamicQuantizeLSTM. x: (T, B, I), w: (D, I, 4H), r: (D, H, 4H) of integers -> y: (T, D, B, H).

    Counted: as LSTM.
    Not counted: quantisation of the input and of the hidden state.
    Source: onnxruntime operator DynamicQuantizeLSTM.
    """
    return recurrent_work(call, sizes_of(call, 4, packed=True), 4, lstm_cell(call), ("Sigmoid", "Tanh", "Tanh"))


def without_empty_names(_: int, raw: dict[str, Any]) -> dict[str, Any]:
    """An absent list of activation functions may be stored as empty names."""
    if not any(raw.get("activations", ())):
        raw.pop("activations", None)
    return raw


OPS = (
    Op(
        name="RNN",
        attrs=RecurrentAttrs,
        shape=rnn_shape,
        cost=rnn_cost,
        kind="recurrent",
        inputs=(3, 6),
        outputs=(0, 2),
        weights=(1, 2, 3),
        upgrade=without_empty_names,
    ),
    Op(
        name="GRU",
        attrs=RecurrentAttrs,
        shape=gru_shape,
        cost=gru_cost,
        kind="recurrent",
        inputs=(3, 6),
        outputs=(0, 2),
        weights=(1, 2, 3),
        upgrade=without_empty_names,
    ),
    Op(
        name="LSTM",
        attrs=RecurrentAttrs,
        shape=lstm_shape,
        cost=lstm_cost,
        kind="recurrent",
        inputs=(3, 8),
        outputs=(0, 3),
        weights=(1, 2, 3, 7),
        upgrade=without_empty_names,
    ),
    Op(
        name="DynamicQuantizeLSTM",
        attrs=RecurrentAttrs,
        shape=packed_lstm_shape,
        cost=packed_lstm_cost,
        kind="recurrent",
        inputs=(12, 12),
        outputs=(0, 3),
        domain="com.microsoft",
        weights=(1, 2, 3, 7),
        upgrade=without_empty_names,
    ),
)
