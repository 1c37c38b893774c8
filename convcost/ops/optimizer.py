"""Training steps (domain ai.onnx.preview.training): arithmetic on each element of the trained tensors."""

from __future__ import annotations

from typing import Any

from convcost.errors import Unknown
from convcost.ir import Dim, Tensor
from convcost.ops.base import MANY, Attrs, Call, NoAttrs, Op, Work, require, typed
from convcost.ops.pointwise import described, text

DOMAIN = "ai.onnx.preview.training"


class MomentumAttrs(Attrs, frozen=True):
    """`mode`: standard or nesterov."""

    mode: str = "standard"


class GradientAttrs(Attrs, frozen=True):
    """Names of the tensors to derive by."""

    xs: tuple[str, ...]


ADAGRAD = Work(multiplications=3, additions=4, divisions=1, special=1)
ADAM = Work(multiplications=8, additions=5, divisions=1, special=1)
STANDARD = Work(multiplications=4, additions=3)
NESTEROV = Work(multiplications=5, additions=4)


def trained(call: Call, per_tensor: int) -> tuple[Tensor, ...]:
    """The tensors after learning rate and step count: `per_tensor` inputs for each that is trained."""
    rest = call.inputs[2:]
    require(len(rest) % per_tensor == 0, f"{len(rest)} input tensors are no multiple of {per_tensor}")
    return tuple(call.x(2 + i) for i in range(len(rest) // per_tensor))


def step_shape(call: Call, per_tensor: int) -> tuple[Tensor, ...]:
    """rate, step, then values, gradients and states -> new values, new states, each like its value."""
    values = trained(call, per_tensor)
    return tuple(typed(x, x.dims) for x in values * (per_tensor - 1))


def elements(call: Call, per_tensor: int) -> Dim:
    """Elements of all trained tensors."""
    out: Dim = 0
    for x in trained(call, per_tensor):
        out = out + x.size
    return out


def step(name: str, per_tensor: int, formula: str, each: Work) -> Op:
    """The record of a training step with the same work for each element."""

    def cost(call: Call) -> Work:
        return each.times(elements(call, per_tensor))

    counted = f"{described(each)} for each trained element"
    source = f"ONNX operator {name} of {DOMAIN}"
    cost.__doc__ = text(name, formula, counted, "factors that are the same for all elements", source)
    return record(name, lambda call: step_shape(call, per_tensor), cost, NoAttrs)


def momentum_cost(call: Call) -> Work:
    """Momentum. g = norm · x + dx, v' = α · v + β · g, x' = x - r · v', or x - r · (g + α · v') for nesterov.

    Counted: for each trained element 4 multiplications and 3 additions, for nesterov 5 and 4.
    Not counted: factors that are the same for all elements.
    Source: ONNX operator Momentum of ai.onnx.preview.training.
    """
    return (NESTEROV if call.attrs.mode == "nesterov" else STANDARD).times(elements(call, 3))


def gradient_shape(call: Call) -> tuple[Tensor, ...]:
    """The tensors `xs` and others -> the derivatives, each like its tensor."""
    n = len(call.attrs.xs)
    require(n <= len(call.inputs), f"xs names {n} tensors, {len(call.inputs)} inputs are given: mismatch")
    return tuple(typed(call.x(i), call.x(i).dims) for i in range(n))


def gradient_cost(_: Call) -> Work:
    """Gradient. The derivatives of a part of the graph.

    Not counted: the whole operator; its work is that of a backward pass which the graph does not spell out.
    Source: ONNX operator Gradient of ai.onnx.preview.training.
    """
    raise Unknown("a gradient is a backward pass, which the graph does not spell out")


def record(name: str, shape: Any, cost: Any, attrs: type[Attrs], least: int = 3) -> Op:
    """One operator of the domain."""
    return Op(
        name=name,
        attrs=attrs,
        shape=shape,
        cost=cost,
        kind="optimizer",
        inputs=(least, MANY),
        outputs=(1, MANY),
        domain=DOMAIN,
    )


OPS = (
    step("Adagrad", 3, "g = norm · x + dx, h' = h + g², x' = x - r · g / (√h' + ε)", ADAGRAD),
    step(
        "Adam",
        4,
        "g = norm · x + dx, v' = α · v + (1 - α) · g, h' = β · h + (1 - β) · g², x' = post · (x - r · v' / (√h' + ε))",
        ADAM,
    ),
    record("Momentum", lambda call: step_shape(call, 3), momentum_cost, MomentumAttrs),
    record("Gradient", gradient_shape, gradient_cost, GradientAttrs, least=1),
)
