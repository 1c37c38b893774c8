"""Operators of onnxruntime's own domains: ONNX's under another name, reorderings for its kernels, packed tables."""

from __future__ import annotations

from typing import Any

import msgspec

from convcost.ir import Dim, DType, Tensor, product
from convcost.ops import find
from convcost.ops.base import Attrs, Call, Kind, Op, Work, axis_of, free, require, show, typed
from convcost.ops.conv_variants import FusedConvAttrs, fused_cost, fused_shape, integer_kind
from convcost.ops.image import ResizeAttrs, resize_cost, resize_shape

MS = "com.microsoft"
NCHWC = "com.microsoft.nchwc"


class ReorderAttrs(Attrs, frozen=True):
    """Attributes of ReorderInput and ReorderOutput."""

    channels: int = 0
    channels_last: int = 0


class TableAttrs(Attrs, frozen=True):
    """Attributes of GatherBlockQuantized."""

    bits: int = 4
    block_size: int = 128
    gather_axis: int = 0
    quantize_axis: int = 1


def as_standard(name: str, version: int) -> Op:
    """The record of ONNX's operator `name` at opset `version`, for onnxruntime's of the same name and meaning."""
    op = find("", name)
    assert op is not None
    standard = op.upgrade

    def upgrade(_: int, raw: dict[str, Any]) -> dict[str, Any]:
        return raw if standard is None else standard(version, raw)

    return msgspec.structs.replace(op, domain=MS, upgrade=upgrade)


def reorder_input_shape(call: Call) -> tuple[Tensor, ...]:
    """X: (N, C, *I), or (N, *I, C) for channels_last -> y: (N, C, *I), its channels in blocks."""
    x = call.x(0)
    require(x.rank >= 3, f"the input {show(x.dims)} needs 3 dimensions or more")
    last = call.attrs.channels_last != 0
    return (typed(x, (x.dims[0], x.dims[-1], *x.dims[1:-1]) if last else x.dims),)


def reorder_output_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), its channels in blocks -> y: (N, channels, *I), or (N, *I, channels) for channels_last."""
    x, a = call.x(0), call.attrs
    require(x.rank >= 3, f"the input {show(x.dims)} needs 3 dimensions or more")
    c: Dim = a.channels or x.dims[1]
    spatial = x.dims[2:]
    return (typed(x, (x.dims[0], *spatial, c) if a.channels_last else (x.dims[0], c, *spatial)),)


def in_blocks(call: Call) -> Call:
    """The same convolution, with as many input channels as its weight reads: blocks may be filled up with zeros."""
    x, w = call.x(0), call.x(1).dims
    require(x.rank >= 3 and len(w) == x.rank, f"the input {show(x.dims)} and the weight {show(w)} differ in rank")
    c, read = x.dims[1], w[1] * call.attrs.group
    if isinstance(c, int) and isinstance(read, int):
        require(c <= read, f"the weight {show(w)} reads {read} channels, but the input {show(x.dims)} has {c}")
    inputs = (typed(x, (x.dims[0], read, *x.dims[2:])), *call.inputs[1:])
    return Call(call.attrs, inputs, call.outputs, call.n_outputs, name=call.name)


def blocked_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), w: (M, C/g, *K), b: (M), z: (N, M, *O), channels in blocks -> y: (N, M, *O)."""
    return fused_shape(in_blocks(call))


def blocked_cost(call: Call) -> Work:
    """Conv. x: (N, C, *I), w: (M, C/g, *K), b: (M), z: (N, M, *O), channels in blocks -> y: f(conv(x, w) + b + z).

    Counted: as FusedConv, the channels that fill up the last block included, as the stored weight has them.
    Source: onnxruntime operator Conv of the domain com.microsoft.nchwc.
    """
    return fused_cost(in_blocks(call))


def blocked_kind(call: Call) -> Kind:
    """As Conv."""
    return integer_kind(in_blocks(call))


def whole_scales(_: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Scales stored as integers."""
    return raw | {"scales": tuple(float(s) for s in raw.get("scales", ())), "scales_input": 1}


def packed(call: Call) -> int:
    """Elements in each stored one: bytes hold two of 4 bits, other types one."""
    return 8 // call.attrs.bits if call.x(0).dtype is DType.UINT8 else 1


def table_shape(call: Call) -> tuple[Tensor, ...]:
    """Table: (…, V, …, M), indices: (*I), scales -> y: (…, *I, …, M), with the type of the scales."""
    table, a = call.x(0), call.attrs
    require(1 <= a.bits <= 8 and 8 % a.bits == 0, f"bits {a.bits} do not fit a byte")
    require(table.rank >= 1, "the table needs at least 1 dimension")
    axis = axis_of(a.gather_axis, table.rank, "gather_axis")
    wide = (*table.dims[:-1], table.dims[-1] * packed(call))
    return (typed(call.x(2), (*wide[:axis], *call.x(1).dims, *wide[axis + 1 :])),)


def table_cost(call: Call) -> Work:
    """GatherBlockQuantized. table: (…, V, …, M), indices: (*I), scales, zero points -> y: (…, *I, …, M).

    Counted: for each output one multiplication (scale), and one subtraction for a zero point.
    Not counted: unpacking, copying.
    Source: onnxruntime operator GatherBlockQuantized.
    """
    n = call.y().size
    return Work(multiplications=n, additions=n if call.has(3) else 0)


def table_elements(call: Call) -> Dim:
    """The elements that the packed table stands for."""
    return product(call.x(0).dims) * packed(call)


OPS = (
    as_standard("QuantizeLinear", 21),
    as_standard("DequantizeLinear", 21),
    as_standard("GatherND", 13),
    as_standard("Pad", 13),
    as_standard("Trilu", 14),
    Op(
        "GatherBlockQuantized",
        TableAttrs,
        table_shape,
        table_cost,
        "move",
        (3, 4),
        domain=MS,
        weights=(0,),
        logical_weight=table_elements,
    ),
    Op("Conv", FusedConvAttrs, blocked_shape, blocked_cost, blocked_kind, (2, 4), domain=NCHWC, weights=(1, 2)),
    Op("ReorderInput", ReorderAttrs, reorder_input_shape, free, "move", (1, 1), domain=NCHWC),
    Op("ReorderOutput", ReorderAttrs, reorder_output_shape, free, "move", (1, 1), domain=NCHWC),
    Op("Upsample", ResizeAttrs, resize_shape, resize_cost, "resize", (1, 1), domain=NCHWC, upgrade=whole_scales),
)
