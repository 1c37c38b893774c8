"""Quantisation by published operators outside of ONNX: QONNX (also spelled onnx.brevitas) and FINN."""

from __future__ import annotations

from convcost.ir import DType, Tensor
from convcost.ops.base import CARRY_FIRST, Attrs, Call, NoAttrs, Op, Work, broadcast, require, show, typed
from convcost.ops.pointwise import per_element

DOMAINS = ("onnx.brevitas", "qonnx.custom_op.general", "finn.custom_op.general")


class ThresholdAttrs(Attrs, frozen=True):
    """What the number of crossed thresholds is scaled by and added to."""

    out_scale: float = 1.0
    out_bias: float = 0.0


def quant_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, scale, zero point, width: shapes that broadcast to x's -> y: like x."""
    x = call.x(0)
    for t in call.inputs[1:]:
        if t is not None and t.shape is not None:
            y = broadcast(x.dims, t.shape)
            require(len(y) == x.rank, f"the shape {show(t.shape)} does not broadcast to {show(x.dims)}")
    return (typed(x, x.dims),)


def threshold_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, …), thresholds: (C or 1, T) -> y: like x."""
    x, limits = call.x(0), call.x(1)
    require(limits.rank == 2, f"the thresholds {show(limits.dims)} have rank {limits.rank}, not 2")
    return (typed(x, x.dims, dtype=DType.FLOAT32),)


def threshold_cost(call: Call) -> Work:
    """MultiThreshold. x: (N, C, …), thresholds: (C, T) -> y: scale · (number of thresholds that x reaches) + bias.

    Counted: for each element of y T comparisons and T - 1 additions; 1 multiplication and 1 addition where there is
    a scale or a bias.
    Source: operator MultiThreshold of qonnx.custom_op.general.
    """
    t = call.x(1).dims[1]
    scaled = int(call.attrs.out_scale != 1)
    moved = int(call.attrs.out_bias != 0)
    each = Work(multiplications=scaled, comparisons=t, additions=t - 1 + moved)
    return each.times(call.y().size)


ROWS = (
    (
        "Quant",
        (4, 4),
        "y = scale · (clip(round(x / scale + zero)) - zero)",
        Work(multiplications=1, additions=2, divisions=1, comparisons=2, special=1),
    ),
    (
        "IntQuant",
        (4, 4),
        "y = scale · (clip(round(x / scale + zero)) - zero)",
        Work(multiplications=1, additions=2, divisions=1, comparisons=2, special=1),
    ),
    ("BipolarQuant", (2, 2), "y = scale, or -scale for x < 0", Work(multiplications=1, comparisons=1)),
    (
        "Trunc",
        (5, 6),
        "y = scale · (⌊round(x / scale + zero) / 2^(bits cut)⌋ - zero)",
        Work(multiplications=1, additions=2, divisions=2, special=2),
    ),
)


def records(domain: str) -> tuple[Op, ...]:
    """The operators as one domain has them."""
    rows = [
        Op(
            name=name,
            attrs=NoAttrs,
            shape=quant_shape,
            cost=per_element(name, formula, each, source=f"operator {name} of qonnx.custom_op.general"),
            kind="quantize",
            inputs=inputs,
            domain=domain,
            carry=CARRY_FIRST,
        )
        for name, inputs, formula, each in ROWS
    ]
    threshold = Op(
        name="MultiThreshold",
        attrs=ThresholdAttrs,
        shape=threshold_shape,
        cost=threshold_cost,
        kind="quantize",
        inputs=(2, 2),
        domain=domain,
    )
    return (*rows, threshold)


OPS = tuple(op for domain in DOMAINS for op in records(domain))
