"""Activation functions, element by element. Each row: name, formula, work for each element of y.

Both sides of a case distinction are counted, as vector code computes them; the choice between them is one comparison.
"""

from __future__ import annotations

from typing import Any

from convcost.ir import Shape, Tensor
from convcost.ops.base import Attrs, Call, NoAttrs, Op, Work, alike, broadcast, require, show, typed
from convcost.ops.pointwise import AxisAttrs, per_element, same_types, unary
from convcost.ops.scalars import larger


class AlphaAttrs(Attrs, frozen=True):
    """`alpha`, where its default is 1."""

    alpha: float = 1.0


class LeakyReluAttrs(Attrs, frozen=True):
    """Slope of the negative side."""

    alpha: float = 0.01


class SeluAttrs(Attrs, frozen=True):
    """Scale of both sides and of the exponential."""

    alpha: float = 1.67326319217681884765625
    gamma: float = 1.05070102214813232421875


class HardSigmoidAttrs(Attrs, frozen=True):
    """Slope and offset."""

    alpha: float = 0.2
    beta: float = 0.5


class ShrinkAttrs(Attrs, frozen=True):
    """Threshold and what is subtracted beyond it."""

    lambd: float = 0.5
    bias: float = 0.0


class GeluAttrs(Attrs, frozen=True):
    """`approximate`: none or tanh."""

    approximate: str = "none"


GELU = {
    "none": Work(multiplications=2, additions=1, divisions=1, special=1),
    "tanh": Work(multiplications=4, additions=2, special=2),
}


def gelu_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x."""
    how = call.attrs.approximate
    require(how in GELU, f"approximate '{how[:40]}' is a value other than none and tanh")
    return (typed(call.x(0), call.x(0).dims),)


def gelu_cost(call: Call) -> Work:
    """Gelu. y = x/2 · (1 + erf(x / √2)); approximated x/2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))).

    Counted: for each element of y 2 multiplications, 1 addition, 1 division and erf; approximated 4 multiplications,
    2 additions, a power and tanh.
    Not counted: the roots of constants.
    Source: ONNX operator Gelu, its function body; arXiv:1606.08415.
    """
    return GELU[call.attrs.approximate].times(call.y().size)


def prelu_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, slope: a shape that broadcasts to x's -> y: like x."""
    x, slope = call.x(0), call.x(1)
    same_types([x, slope])
    y = broadcast(*prelu_aligned(call))
    require(alike(y, x.dims), f"the slope {show(slope.dims)} does not broadcast to the shape {show(x.dims)}")
    return (typed(x, x.dims),)


def prelu_attrs(version: int, _: dict[str, Any]) -> dict[str, Any]:
    """Below operator set 7 a slope of one dimension belongs to the channels, axis 1."""
    return {"axis": 1} if version < 7 else {}


def prelu_aligned(call: Call) -> tuple[Shape, ...]:
    """The shapes of x and slope; an old slope of several elements lies along the channels."""
    x, slope = call.x(0).dims, call.x(1).dims
    if call.attrs.axis is not None and len(slope) == 1 and slope != (1,) and len(x) > 1:
        slope = slope + (1,) * (len(x) - 2)
    return x, slope


def swiglu_shape(call: Call) -> tuple[Tensor, ...]:
    """a, b: one shape -> y: the same shape."""
    a, b = call.x(0), call.x(1)
    same_types([a, b])
    require(
        alike(a.dims, b.dims),
        f"the shapes {show(a.dims)} and {show(b.dims)} differ",
    )
    return (typed(a, a.dims),)


SIGMOID = Work(additions=1, divisions=1, special=1)
SWISH = SIGMOID + Work(multiplications=2)


def row(name: str, formula: str, each: Work, attrs: type[Attrs] = NoAttrs, **more: Any) -> Op:
    """One activation."""
    return unary(name, formula, each, kind="activation", attrs=attrs, **more)


OPS = (
    row("Relu", "y = max(x, 0)", Work(comparisons=1), f=lambda x: larger(x, 0)),
    row("LeakyRelu", "y = x, or α · x for x < 0", Work(multiplications=1, comparisons=1), LeakyReluAttrs),
    row("ThresholdedRelu", "y = x, or 0 for x ≤ α", Work(comparisons=1), AlphaAttrs),
    row(
        "Elu",
        "y = x, or α · (exp(x) - 1) for x < 0",
        Work(multiplications=1, additions=1, comparisons=1, special=1),
        AlphaAttrs,
    ),
    row(
        "Selu",
        "y = γ · x, or γ · (α · exp(x) - α) for x < 0",
        Work(multiplications=3, additions=1, comparisons=1, special=1),
        SeluAttrs,
    ),
    row(
        "Celu",
        "y = α · elu(x / α)",
        Work(multiplications=2, additions=1, divisions=1, comparisons=1, special=1),
        AlphaAttrs,
    ),
    row("Sigmoid", "y = 1 / (1 + exp(-x))", SIGMOID, note="the change of sign"),
    row(
        "HardSigmoid",
        "y = max(0, min(1, α · x + β))",
        Work(multiplications=1, additions=1, comparisons=2),
        HardSigmoidAttrs,
    ),
    row("HardSwish", "y = x · max(0, min(1, x / 6 + 1/2))", Work(multiplications=2, additions=1, comparisons=2)),
    row("Swish", "y = x / (1 + exp(-α · x))", SWISH, AlphaAttrs, note="the change of sign"),
    row("Mish", "y = x · tanh(log(1 + exp(x)))", Work(multiplications=1, additions=1, special=3)),
    row("Softplus", "y = log(1 + exp(x))", Work(additions=1, special=2)),
    row("Softsign", "y = x / (1 + |x|)", Work(additions=1, divisions=1, comparisons=1)),
    row("Tanh", "y = tanh(x)", Work(special=1)),
    row("Shrink", "y = x + bias for x < -λ, x - bias for x > λ, else 0", Work(additions=2, comparisons=2), ShrinkAttrs),
    Op(name="Gelu", attrs=GeluAttrs, shape=gelu_shape, cost=gelu_cost, kind="activation", inputs=(1, 1)),
    Op(
        name="PRelu",
        attrs=AxisAttrs,
        shape=prelu_shape,
        cost=per_element("PRelu", "y = x, or slope · x for x < 0", Work(multiplications=1, comparisons=1)),
        kind="activation",
        inputs=(2, 2),
        weights=(1,),
        upgrade=prelu_attrs,
    ),
    Op(
        name="SwiGLU",
        attrs=AlphaAttrs,
        shape=swiglu_shape,
        cost=per_element("SwiGLU", "y = b · a / (1 + exp(-α · a))", SWISH + Work(multiplications=1)),
        kind="activation",
        inputs=(2, 2),
    ),
)
