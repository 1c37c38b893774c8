"""Convolutions under other names: integer, quantised, fused, channels last, deformable, and with a carried state."""

from __future__ import annotations

from convcost.ir import DType, Shape, Tensor, product
from convcost.ops.base import Call, Kind, Op, Work, agree, numbers, products, require, show, typed
from convcost.ops.conv import (
    ConvAttrs,
    ConvTransposeAttrs,
    bias_of,
    conv_output,
    conv_transpose_cost,
    conv_transpose_kind,
    conv_transpose_shape,
    conv_work,
    name_kind,
    padding_mode,
)
from convcost.ops.fused import activation, requantize
from convcost.ops.pool import channels_back, channels_first
from convcost.ops.windows import window_of


class FusedConvAttrs(ConvAttrs, frozen=True):
    """Conv with an activation function."""

    activation: str = ""
    activation_params: tuple[float, ...] = ()


class QuantizedAttrs(ConvAttrs, frozen=True):
    """Conv of quantised integers."""

    channels_last: int = 0


class DeformAttrs(ConvAttrs, frozen=True):
    """Attributes of DeformConv."""

    offset_group: int = 1


def kind_of(a: ConvAttrs, x: Shape, w: Shape, y: Shape) -> Kind:
    """The named kind of a convolution of x: (N, C, *I) with w: (M, C/g, *K)."""
    win = window_of(a, x[2:], w[2:])
    return name_kind(x[1], y[1], a.group, win, padding_mode(x[2:], win))


def integer_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), w: (M, C/g, *K) -> y: (N, M, *O) of int32."""
    x = call.x(0)
    return (typed(x, conv_output(call.attrs, x.dims, call.x(1).dims, None), dtype=DType.INT32),)


def integer_cost(call: Call) -> Work:
    """ConvInteger. x: (N, C, *I), w: (M, C/g, *K) of integers -> y: (N, M, *O) of int32.

    Counted: |y| · C/g · ΠK multiply-accumulates.
    Not counted: subtraction of the zero points.
    Source: ONNX operator ConvInteger.
    """
    return conv_work(call.attrs, call.x(0).dims, call.x(1).dims, call.y().dims, bias=False)


def integer_kind(call: Call) -> Kind:
    """As Conv."""
    return kind_of(call.attrs, call.x(0).dims, call.x(1).dims, call.y().dims)


def is_last(call: Call) -> bool:
    """Whether the channels are the last dimension."""
    return getattr(call.attrs, "channels_last", 0) != 0


def quantized_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), w: (M, C/g, *K) -> y: (N, M, *O), with the type of the output's zero point."""
    x = channels_first(call.x(0).dims, last=is_last(call))
    y = conv_output(call.attrs, x, call.x(3).dims, bias_of(call, 8))
    return (typed(call.x(7), channels_back(y, last=is_last(call))),)


def quantized_cost(call: Call) -> Work:
    """QLinearConv. x: (N, C, *I), w: (M, C/g, *K), b: (M), integers with scales and zero points -> y: (N, M, *O).

    Counted: |y| · C/g · ΠK multiply-accumulates, and |y| additions for a bias; to requantise one multiplication and
    one addition for each output.
    Not counted: subtraction of the operands' zero points, rounding and saturation.
    Source: ONNX operator QLinearConv.
    """
    last = is_last(call)
    x, y = channels_first(call.x(0).dims, last=last), channels_first(call.y().dims, last=last)
    return conv_work(call.attrs, x, call.x(3).dims, y, bias=call.has(8)) + requantize(call.y())


def quantized_kind(call: Call) -> Kind:
    """As Conv."""
    last = is_last(call)
    x, y = channels_first(call.x(0).dims, last=last), channels_first(call.y().dims, last=last)
    return kind_of(call.attrs, x, call.x(3).dims, y)


def fused_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), w: (M, C/g, *K), b: (M), z: (N, M, *O) -> y: (N, M, *O)."""
    x = call.x(0)
    return (typed(x, conv_output(call.attrs, x.dims, call.x(1).dims, bias_of(call))),)


def fused_cost(call: Call) -> Work:
    """FusedConv. x: (N, C, *I), w: (M, C/g, *K), b: (M), z: (N, M, *O) -> y: f(conv(x, w) + b + z).

    Counted: as Conv; |y| additions for z; the activation function f.
    Source: onnxruntime operator FusedConv.
    """
    y = call.y()
    work = conv_work(call.attrs, call.x(0).dims, call.x(1).dims, y.dims, bias=call.has(2))
    return fused_tail(call, work)


def fused_tail(call: Call, work: Work) -> Work:
    """`work`, the addition of z and the activation function."""
    if call.has(3):
        work += Work(additions=call.y().size)
    return work + activation(getattr(call.attrs, "activation", ""), call.y())


def last_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, *I, C), w: (M, C/g, *K), b: (M) -> y: (N, *O, M)."""
    x = call.x(0)
    y = conv_output(call.attrs, channels_first(x.dims, last=True), call.x(1).dims, bias_of(call))
    return (typed(x, channels_back(y, last=True)),)


def last_cost(call: Call) -> Work:
    """NhwcConv, NhwcFusedConv. x: (N, *I, C), w: (M, C/g, *K), b: (M), z: (N, *O, M) -> y: f(conv(x, w) + b + z).

    Counted: as FusedConv.
    Source: onnxruntime operators NhwcConv and NhwcFusedConv.
    """
    x, y = channels_first(call.x(0).dims, last=True), channels_first(call.y().dims, last=True)
    return fused_tail(call, conv_work(call.attrs, x, call.x(1).dims, y, bias=call.has(2)))


def last_kind(call: Call) -> Kind:
    """As Conv."""
    x, y = channels_first(call.x(0).dims, last=True), channels_first(call.y().dims, last=True)
    return kind_of(call.attrs, x, call.x(1).dims, y)


def deform_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), w: (M, C/g, *K), offset: (N, G·ΠK·rank, *O), b: (M), mask: (N, G·ΠK, *O) -> y: (N, M, *O)."""
    x, w, a = call.x(0), call.x(1).dims, call.attrs
    y = conv_output(a, x.dims, w, bias_of(call, 3))
    taps = product(w[2:]) * a.offset_group
    for slot, channels in ((2, taps * (len(w) - 2)), (4, taps)):
        t = call.optional(slot)
        if t is None or t.shape is None:
            continue
        require(len(t.shape) == len(y), f"input {slot} {show(t.shape)} needs {len(y)} dimensions")
        for got, wanted in zip(t.shape, (y[0], channels, *y[2:]), strict=True):
            agree(got, wanted, f"input {slot} has the shape {show(t.shape)}, not {show((y[0], channels, *y[2:]))}")
    return (typed(x, y),)


def deform_cost(call: Call) -> Work:
    """DeformConv. x: (N, C, *I), w: (M, C/g, *K), offset, b: (M), mask -> y: (N, M, *O).

    Counted: |y| · C/g · ΠK multiply-accumulates, and |y| additions for a bias; for each of the N·C·ΠO·ΠK samples 2^rank
    multiplications and 2^rank - 1 additions (interpolation), and one multiplication for a mask.
    Effective: not known, the data decide which samples fall outside.
    Source: ONNX operator DeformConv.
    """
    x, w, y = call.x(0).dims, call.x(1).dims, call.y().dims
    corners = 2 ** (len(w) - 2)
    samples = x[0] * x[1] * product(y[2:]) * product(w[2:])
    macs = product(y) * w[1] * product(w[2:])
    work = products(macs, plus=product(y) if call.has(3) else 0, effective_unknown=True)
    return work + Work(
        multiplications=samples * (corners + (1 if call.has(4) else 0)),
        additions=samples * (corners - 1),
    )


def dynamic_pads(call: Call) -> Call:
    """The same use as a ConvTranspose: the input `Pads` becomes an attribute."""
    a = call.attrs
    pads = numbers(call.x(2), "the padding") if call.has(2) else ()
    attrs = ConvTransposeAttrs(
        auto_pad=a.auto_pad,
        dilations=a.dilations,
        group=a.group,
        kernel_shape=a.kernel_shape,
        output_padding=a.output_padding,
        pads=pads,
        strides=a.strides,
    )
    inputs = (call.x(0), call.x(1), call.optional(3))
    return Call(attrs, inputs, call.outputs, call.n_outputs, name=call.name)


def dynamic_pads_shape(call: Call) -> tuple[Tensor, ...]:
    """As ConvTranspose, with the padding as an input."""
    return conv_transpose_shape(dynamic_pads(call))


def dynamic_pads_cost(call: Call) -> Work:
    """ConvTransposeWithDynamicPads. x: (N, C, *I), w: (C, M/g, *K), pads, b: (M) -> y: (N, M, *O).

    Counted: as ConvTranspose.
    Source: onnxruntime operator ConvTransposeWithDynamicPads.
    """
    return conv_transpose_cost(dynamic_pads(call))


def dynamic_pads_kind(call: Call) -> Kind:
    """As ConvTranspose."""
    return conv_transpose_kind(dynamic_pads(call))


MS = "com.microsoft"

OPS = (
    Op("ConvInteger", ConvAttrs, integer_shape, integer_cost, integer_kind, (2, 4), weights=(1,)),
    Op("QLinearConv", QuantizedAttrs, quantized_shape, quantized_cost, quantized_kind, (8, 9), weights=(3, 8)),
    Op("DeformConv", DeformAttrs, deform_shape, deform_cost, integer_kind, (3, 5), weights=(1, 3)),
    Op("FusedConv", FusedConvAttrs, fused_shape, fused_cost, integer_kind, (2, 4), domain=MS, weights=(1, 2)),
    Op("NhwcConv", ConvAttrs, last_shape, last_cost, last_kind, (2, 3), domain=MS, weights=(1, 2)),
    Op("NhwcFusedConv", FusedConvAttrs, last_shape, last_cost, last_kind, (2, 4), domain=MS, weights=(1, 2)),
    Op(
        "QLinearConv",
        QuantizedAttrs,
        quantized_shape,
        quantized_cost,
        quantized_kind,
        (8, 9),
        domain=MS,
        weights=(3, 8),
    ),
    Op(
        "ConvTransposeWithDynamicPads",
        ConvTransposeAttrs,
        dynamic_pads_shape,
        dynamic_pads_cost,
        dynamic_pads_kind,
        (2, 4),
        domain=MS,
        weights=(1, 3),
    ),
)
