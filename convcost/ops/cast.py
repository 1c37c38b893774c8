"""Changes of element type: casts and quantisation."""

from __future__ import annotations

from fractions import Fraction
from math import trunc
from typing import Any

from convcost.errors import Unknown
from convcost.ir import DType, Expr, Scalar, Tensor, Value, ceildiv
from convcost.ops.base import CARRY_FIRST, Attrs, Call, NoAttrs, Op, Work, axis_of, free, require, show, typed
from convcost.ops.folding import fitted

OLD_TYPE_NAMES = {"FLOAT": DType.FLOAT32, "DOUBLE": DType.FLOAT64}


class CastAttrs(Attrs, frozen=True):
    """`to`: the number of an element type."""

    to: int


class LinearAttrs(Attrs, frozen=True):
    """`axis` of a scale for each slice, `block_size` of a scale for each block, `output_dtype` as a number."""

    axis: int = 1
    block_size: int = 0
    output_dtype: int = 0


def element_type(code: int, what: str) -> DType:
    """The element type with this number."""
    dtype = DType.from_code(code)
    if dtype is None:
        require(condition=False, message=f"{what} {code} is a value that stands for no element type")
    assert dtype is not None
    return dtype


def cast_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x, of the type `to`."""
    return (typed(call.x(0), call.x(0).dims, dtype=element_type(call.attrs.to, "to")),)


def cast_like_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, like: any -> y: like x, of the type of `like`."""
    dtype = call.x(1).dtype
    if dtype is None:
        raise Unknown("the element type to cast to is not known")
    return (typed(call.x(0), call.x(0).dims, dtype=dtype),)


def bit_cast_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x, of a type with as many bits."""
    x, to = call.x(0), element_type(call.attrs.to, "to")
    require(x.dtype is None or x.dtype.bits == to.bits, f"type {to.label} has a size other than the input's type")
    return (typed(x, x.dims, dtype=to),)


def fold_cast(call: Call) -> tuple[Value | None, ...]:
    """The same numbers in another type: fractions truncate towards zero, what does not fit is unknown."""
    dtype = call.y().dtype
    assert dtype is not None

    def cast(v: Scalar) -> Scalar:
        if dtype is DType.BOOL:
            return int(bool(v))
        return trunc(v) if isinstance(v, Fraction) and dtype.is_integer else v

    return (fitted([cast(v) for v in call.x(0).content], dtype),)


def cast_attrs(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Below operator set 6 the type is a name."""
    to = raw.get("to")
    if version < 6 and isinstance(to, str):
        named = OLD_TYPE_NAMES.get(to.upper()) or DType.from_label(to.lower())
        raw["to"] = 0 if named is None else named.code
    return raw


def check_scale(x: Tensor, scale: Tensor, a: LinearAttrs) -> None:
    """One scale, one for each slice along `axis`, or one for each block along it."""
    if x.shape is None or scale.shape is None or scale.size == 1:
        return
    x_dims, s = x.dims, scale.dims
    if len(s) == 1 and not a.block_size:
        axis = axis_of(a.axis, len(x_dims)) if len(x_dims) > 1 else 0
        agree = not x_dims or s[0] == x_dims[axis] or isinstance(s[0], Expr) or isinstance(x_dims[axis], Expr)
        require(agree, f"the scale {show(s)} does not match axis {axis} of the shape {show(x_dims)}")
        return
    require(len(s) == len(x_dims), f"the scale {show(s)} has another rank than the input {show(x_dims)}")
    if a.block_size:
        axis = axis_of(a.axis, len(x_dims))
        blocks = ceildiv(x_dims[axis], a.block_size)
        agree = s[axis] == blocks or isinstance(s[axis], Expr) or isinstance(blocks, Expr)
        require(agree, f"the scale {show(s)} has a size other than {blocks} blocks on axis {axis}")


def quantize_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, scale, zero point -> y: like x, of the zero point's type, `output_dtype` or uint8."""
    x, a = call.x(0), call.attrs
    check_scale(x, call.x(1), a)
    zero = call.optional(2)
    dtype: DType | None = DType.UINT8
    if a.output_dtype:
        dtype = element_type(a.output_dtype, "output_dtype")
    elif zero is not None:
        dtype = zero.dtype
    return (Tensor("", dtype=dtype, shape=x.dims),)


def quantize_cost(call: Call) -> Work:
    """QuantizeLinear. x: any, scale, zero point -> y: like x; y = saturate(round(x / scale) + zero point).

    Counted: for each element of y 1 division, 1 rounding (special) and 2 comparisons (saturation), and 1 addition
    where there is a zero point.
    Source: ONNX operator QuantizeLinear.
    """
    return Work(divisions=1, additions=int(call.has(2)), comparisons=2, special=1).times(call.y().size)


def dequantize_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, scale, zero point -> y: like x, of the scale's type or `output_dtype`."""
    x, scale, a = call.x(0), call.x(1), call.attrs
    check_scale(x, scale, a)
    dtype = element_type(a.output_dtype, "output_dtype") if a.output_dtype else scale.dtype
    return (Tensor("", dtype=dtype, shape=x.dims),)


def dequantize_cost(call: Call) -> Work:
    """DequantizeLinear. x: any, scale, zero point -> y: like x; y = (x - zero point) · scale.

    Counted: for each element of y 1 multiplication, and 1 addition where there is a zero point.
    Source: ONNX operator DequantizeLinear.
    """
    return Work(multiplications=1, additions=int(call.has(2))).times(call.y().size)


def dynamic_quantize_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x, scale: scalar, zero point: scalar."""
    x = call.x(0)
    return (
        typed(x, x.dims, dtype=DType.UINT8),
        typed(x, (), dtype=DType.FLOAT32),
        typed(x, (), dtype=DType.UINT8),
    )


def dynamic_quantize_cost(call: Call) -> Work:
    """DynamicQuantizeLinear. x: any -> y: like x, scale, zero point: scalars.

    Counted: the smallest and the largest of x and of 0, |x| comparisons each; scale (1 addition, 1 division) and zero
    point (1 division, 1 addition, 2 comparisons, 1 rounding); then QuantizeLinear with a zero point.
    Source: ONNX operator DynamicQuantizeLinear, its function body.
    """
    n = call.y().size
    once = Work(additions=2, divisions=2, comparisons=2, special=1)
    return Work(divisions=1, additions=1, comparisons=4, special=1).times(n) + once


OPS = (
    Op(
        name="Cast",
        attrs=CastAttrs,
        shape=cast_shape,
        cost=free,
        kind="quantize",
        inputs=(1, 1),
        carry=CARRY_FIRST,
        fold=fold_cast,
        upgrade=cast_attrs,
    ),
    Op(
        name="CastLike",
        attrs=NoAttrs,
        shape=cast_like_shape,
        cost=free,
        kind="quantize",
        inputs=(2, 2),
        carry=CARRY_FIRST,
        fold=fold_cast,
    ),
    Op(
        name="BitCast",
        attrs=CastAttrs,
        shape=bit_cast_shape,
        cost=free,
        kind="quantize",
        inputs=(1, 1),
        carry=CARRY_FIRST,
    ),
    Op(
        name="QuantizeLinear",
        attrs=LinearAttrs,
        shape=quantize_shape,
        cost=quantize_cost,
        kind="quantize",
        inputs=(2, 3),
        carry=CARRY_FIRST,
    ),
    Op(
        name="DequantizeLinear",
        attrs=LinearAttrs,
        shape=dequantize_shape,
        cost=dequantize_cost,
        kind="quantize",
        inputs=(2, 3),
        carry=CARRY_FIRST,
    ),
    Op(
        name="DynamicQuantizeLinear",
        attrs=NoAttrs,
        shape=dynamic_quantize_shape,
        cost=dynamic_quantize_cost,
        kind="quantize",
        inputs=(1, 1),
        outputs=(3, 3),
    ),
)
