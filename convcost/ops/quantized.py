"""Elementwise and moving operators on quantised integers, as onnxruntime's quantiser makes them."""

from __future__ import annotations

from typing import Any

from convcost.ir import DType, Tensor
from convcost.ops.base import (
    MANY,
    Attrs,
    Call,
    NoAttrs,
    Op,
    Work,
    agree,
    axis_of,
    broadcast,
    joins,
    require,
    show,
    typed,
)
from convcost.ops.fused import activation, requantize
from convcost.ops.reduce import ReduceAttrs, reduce_shape, sets_of
from convcost.ops.softmax import SoftmaxAttrs, groups_of, softmax_shape, softmax_work

MS = "com.microsoft"


class ConcatAttrs(Attrs, frozen=True):
    """Attributes of QLinearConcat."""

    axis: int


class SlopeAttrs(Attrs, frozen=True):
    """Attributes of QLinearLeakyRelu."""

    alpha: float = 0.01


def pair_shape(call: Call) -> tuple[Tensor, ...]:
    """A and b, each with scale and zero point -> y, broadcast."""
    a = call.x(0)
    return (typed(a, broadcast(a.dims, call.x(3).dims)),)


def add_cost(call: Call) -> Work:
    """QLinearAdd. a and b with scales and zero points, broadcast -> y.

    Counted: for each output two multiplications (the operands' scales), one addition, and to requantise one
    multiplication and one addition.
    Not counted: subtraction of the operands' zero points, rounding and saturation.
    Source: onnxruntime operator QLinearAdd.
    """
    y = call.y()
    return Work(multiplications=y.size * 2, additions=y.size) + requantize(y)


def mul_cost(call: Call) -> Work:
    """QLinearMul. a and b with scales and zero points, broadcast -> y.

    Counted: for each output one multiplication, and to requantise one multiplication and one addition.
    Not counted: subtraction of the operands' zero points, rounding and saturation.
    Source: onnxruntime operator QLinearMul.
    """
    return Work(multiplications=call.y().size) + requantize(call.y())


def same_shape(call: Call) -> tuple[Tensor, ...]:
    """X with scale and zero point -> y of the same shape."""
    return (typed(call.x(0), call.x(0).dims),)


def sigmoid_cost(call: Call) -> Work:
    """QLinearSigmoid. x with scale and zero point -> y of the same shape.

    Counted: for each element one multiplication (scale), Sigmoid, and to requantise one multiplication and one
    addition. A table of 256 results, as runtimes use it, does none of that.
    Source: onnxruntime operator QLinearSigmoid.
    """
    y = call.y()
    return Work(multiplications=y.size) + activation("Sigmoid", y) + requantize(y)


def leaky_cost(call: Call) -> Work:
    """QLinearLeakyRelu. x with scale and zero point -> y of the same shape.

    Counted: for each element one multiplication (scale), LeakyRelu, and to requantise one multiplication and one
    addition. A table of 256 results, as runtimes use it, does none of that.
    Source: onnxruntime operator QLinearLeakyRelu.
    """
    y = call.y()
    return Work(multiplications=y.size) + activation("LeakyRelu", y) + requantize(y)


def softmax_upgrade(_: int, raw: dict[str, Any]) -> dict[str, Any]:
    """The attribute `opset` says which Softmax is meant."""
    return raw | {"flatten": raw.get("opset", 13) < 13}


def softmax_cost(call: Call) -> Work:
    """QLinearSoftmax. x with scale and zero point -> y of the same shape.

    Counted: for each element one multiplication (scale), Softmax, and to requantise one multiplication and addition.
    Source: onnxruntime operator QLinearSoftmax.
    """
    y = call.y()
    return Work(multiplications=y.size) + softmax_work(*groups_of(call.attrs, call.x(0).dims)) + requantize(y)


def mean_cost(call: Call) -> Work:
    """QLinearReduceMean. x, G sets of m elements -> y: Σ x / m.

    Counted: m - 1 additions and one division for each set, and to requantise one multiplication and one addition.
    Source: onnxruntime operator QLinearReduceMean.
    """
    groups, m = sets_of(attribute_axes(call))
    return Work(additions=groups * joins(m), divisions=groups) + requantize(call.y())


def attribute_axes(call: Call) -> Call:
    """The same use as a reduction: only the first input counts, the axes are an attribute."""
    return Call(call.attrs, call.inputs[:1], call.outputs, call.n_outputs)


def mean_shape(call: Call) -> tuple[Tensor, ...]:
    """X -> y without the reduced axes, or with ones in their place."""
    return reduce_shape(attribute_axes(call))


def integer_sum_shape(call: Call) -> tuple[Tensor, ...]:
    """X of 8-bit integers -> y of int32, without the reduced axes, or with ones in their place."""
    return tuple(typed(t, t.dims, dtype=DType.INT32) for t in reduce_shape(call))


def integer_sum_cost(call: Call) -> Work:
    """ReduceSumInteger. x, G sets of m elements -> y: Σ x.

    Counted: m - 1 additions for each set.
    Source: onnxruntime operator ReduceSumInteger.
    """
    groups, m = sets_of(call)
    return Work(additions=groups * joins(m))


def concat_shape(call: Call) -> tuple[Tensor, ...]:
    """Scale and zero point of y, then each input with scale and zero point -> the inputs one after the other."""
    require(len(call.inputs) % 3 == 2 and len(call.inputs) >= 5, f"{len(call.inputs)} inputs are not 2 and threes")
    given = [call.x(i).dims for i in range(2, len(call.inputs), 3)]
    first = given[0]
    axis = axis_of(call.attrs.axis, len(first))
    out = list(first)
    for other in given[1:]:
        require(len(other) == len(first), f"the inputs {show(first)} and {show(other)} differ in rank")
        for i, (a, b) in enumerate(zip(tuple(out), other, strict=True)):
            out[i] = a + b if i == axis else agree(a, b, f"the inputs {show(first)} and {show(other)} differ in size")
    return (typed(call.x(1), tuple(out)),)


def moved_cost(call: Call) -> Work:
    """QLinearConcat, QLinearWhere. quantised inputs with scales and zero points -> y.

    Counted: to requantise one multiplication and one addition for each output.
    Source: onnxruntime operators QLinearConcat and QLinearWhere.
    """
    return requantize(call.y())


def where_shape(call: Call) -> tuple[Tensor, ...]:
    """Condition, x and y with scales and zero points -> z, broadcast."""
    x = call.x(1)
    return (typed(x, broadcast(call.x(0).dims, x.dims, call.x(4).dims)),)


OPS = (
    Op("QLinearAdd", NoAttrs, pair_shape, add_cost, "elementwise", (7, 8), domain=MS, operand=True),
    Op("QLinearMul", NoAttrs, pair_shape, mul_cost, "elementwise", (7, 8), domain=MS, operand=True),
    Op("QLinearSigmoid", NoAttrs, same_shape, sigmoid_cost, "activation", (4, 5), domain=MS),
    Op("QLinearLeakyRelu", SlopeAttrs, same_shape, leaky_cost, "activation", (4, 5), domain=MS),
    Op("QLinearSoftmax", SoftmaxAttrs, softmax_shape, softmax_cost, "norm", (5, 5), domain=MS, upgrade=softmax_upgrade),
    Op("QLinearReduceMean", ReduceAttrs, mean_shape, mean_cost, "reduce", (4, 5), domain=MS),
    Op("ReduceSumInteger", ReduceAttrs, integer_sum_shape, integer_sum_cost, "reduce", (1, 1), domain=MS),
    Op("QLinearConcat", ConcatAttrs, concat_shape, moved_cost, "move", (5, MANY), domain=MS),
    Op("QLinearWhere", NoAttrs, where_shape, moved_cost, "move", (9, 9), domain=MS),
)
