"""Activation functions and their fusions with a bias, as onnxruntime's optimiser makes them."""

from __future__ import annotations

from convcost.ir import Tensor
from convcost.ops.activation import GELU
from convcost.ops.base import Attrs, Call, NoAttrs, Op, Work, agree, broadcast, require, show, typed
from convcost.ops.fused import activation
from convcost.ops.softmax import SoftmaxAttrs, groups_of, softmax_work

MS = "com.microsoft"


class QuickAttrs(Attrs, frozen=True):
    """Attributes of QuickGelu."""

    alpha: float = 1.702


class BiasSoftmaxAttrs(SoftmaxAttrs, frozen=True):
    """Attributes of BiasSoftmax: all dimensions from `axis` on are one group."""

    axis: int = 1
    flatten: bool = True
    is_inner_broadcast: int = 1


def same_shape(call: Call) -> tuple[Tensor, ...]:
    """X -> y of the same shape."""
    return (typed(call.x(0), call.x(0).dims),)


def biased_shape(call: Call) -> tuple[Tensor, ...]:
    """X and a bias that broadcasts to it -> y of the shape of x."""
    x, bias = call.x(0), call.optional(1)
    if bias is not None and bias.shape is not None:
        fits = broadcast(x.dims, bias.shape) == x.dims
        require(fits, f"the bias {show(bias.shape)} does not broadcast to {show(x.dims)}")
    return (typed(x, x.dims),)


def gelu_cost(call: Call) -> Work:
    """Gelu. x -> y: x/2 · (1 + erf(x / √2)).

    Counted: as the ONNX operator Gelu.
    Source: onnxruntime operator Gelu.
    """
    return GELU["none"].times(call.y().size)


def bias_gelu_cost(call: Call) -> Work:
    """BiasGelu. x and bias -> y: Gelu(x + bias).

    Counted: one addition for each element, and Gelu.
    Source: onnxruntime operator BiasGelu.
    """
    return (GELU["none"] + Work(additions=1)).times(call.y().size)


def fast_gelu_cost(call: Call) -> Work:
    """FastGelu. x and bias -> y: Gelu(x + bias), approximated by tanh.

    Counted: Gelu approximated by tanh; one addition for each element for a bias.
    Source: onnxruntime operator FastGelu.
    """
    bias = Work(additions=1 if call.has(1) else 0)
    return (GELU["tanh"] + bias).times(call.y().size)


def quick_gelu_cost(call: Call) -> Work:
    """QuickGelu. x -> y: x · Sigmoid(α · x).

    Counted: for each element Sigmoid, one multiplication, and one for α other than 1.
    Source: onnxruntime operator QuickGelu.
    """
    y = call.y()
    return activation("Sigmoid", y) + Work(multiplications=y.size * (1 if call.attrs.alpha == 1 else 2))


def split_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, 2D), bias: (2D) -> y: (…, D)."""
    x, bias = call.x(0), call.x(1)
    require(x.rank >= 1 and bias.rank == 1, f"the bias {show(bias.dims)} needs rank 1")
    d = agree(x.dims[-1], bias.dims[0], f"the bias {show(bias.dims)} does not fit {show(x.dims)}")
    if isinstance(d, int):
        require(d % 2 == 0, f"the last dimension {d} cannot be divided by 2")
    return (typed(x, (*x.dims[:-1], d // 2)),)


def split_cost(call: Call) -> Work:
    """BiasSplitGelu. x: (…, 2D), bias: (2D) -> y: (…, D), the first half times Gelu of the second.

    Counted: two additions for each output (bias), Gelu, and one multiplication.
    Source: onnxruntime operator BiasSplitGelu.
    """
    return (GELU["none"] + Work(additions=2, multiplications=1)).times(call.y().size)


def bias_add_cost(call: Call) -> Work:
    """BiasAdd. x, bias and skip -> y: x + bias + skip.

    Counted: two additions for each element.
    Source: onnxruntime operator BiasAdd.
    """
    return Work(additions=call.y().size * 2)


def bias_softmax_cost(call: Call) -> Work:
    """BiasSoftmax. x, bias -> y: Softmax(x + bias) over all dimensions from `axis` on.

    Counted: one addition for each element, and Softmax.
    Source: onnxruntime operator BiasSoftmax.
    """
    return softmax_work(*groups_of(call.attrs, call.x(0).dims)) + Work(additions=call.y().size)


def complex_shape(call: Call) -> tuple[Tensor, ...]:
    """A and b: (…, 2), pairs of real and imaginary part -> y, broadcast."""
    a, b = call.x(0), call.x(1)
    for t in (a, b):
        require(t.rank >= 1, "a complex number needs a dimension of 2")
        agree(t.dims[-1], 2, f"the last dimension of {show(t.dims)} is not 2")
    return (typed(a, broadcast(a.dims, b.dims)),)


def complex_cost(call: Call) -> Work:
    """ComplexMul, ComplexMulConj. a and b: (…, 2) -> y: the products of complex numbers.

    Counted: for each complex product 4 multiplications and 2 additions.
    Source: onnxruntime operators ComplexMul and ComplexMulConj.
    """
    n = call.y().size
    return Work(multiplications=n * 2, additions=n)


OPS = (
    Op("Gelu", NoAttrs, same_shape, gelu_cost, "activation", (1, 1), domain=MS),
    Op("BiasGelu", NoAttrs, biased_shape, bias_gelu_cost, "activation", (2, 2), domain=MS, weights=(1,)),
    Op("FastGelu", NoAttrs, biased_shape, fast_gelu_cost, "activation", (1, 2), domain=MS, weights=(1,)),
    Op("QuickGelu", QuickAttrs, same_shape, quick_gelu_cost, "activation", (1, 1), domain=MS),
    Op("BiasSplitGelu", NoAttrs, split_shape, split_cost, "activation", (2, 2), domain=MS, weights=(1,)),
    Op("BiasAdd", NoAttrs, biased_shape, bias_add_cost, "elementwise", (3, 3), domain=MS, weights=(1,)),
    Op("BiasSoftmax", BiasSoftmaxAttrs, biased_shape, bias_softmax_cost, "norm", (2, 2), domain=MS),
    Op("ComplexMul", NoAttrs, complex_shape, complex_cost, "elementwise", (2, 2), domain=MS),
    Op("ComplexMulConj", NoAttrs, complex_shape, complex_cost, "elementwise", (2, 2), domain=MS),
)
