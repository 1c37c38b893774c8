"""Two convolutions in the place of one: the first along some spatial axes, the second along the others."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from convcost.alternatives.fitting.unfold import ORDERS, factors, outer, unfolded
from convcost.alternatives.layer import need
from convcost.errors import ShapeError
from convcost.ir import Dim, Graph, Node, Tensor
from convcost.ops import find
from convcost.ops.base import Call, make_attrs
from convcost.ops.conv import ConvAttrs, ConvTransposeAttrs, transposed_window
from convcost.record.separations import Form

Array = Any


class Layer(msgspec.Struct, frozen=True):
    """A convolution as it stands in a model: its node, its input, its weight as (g, m, c, *K), its bias by name."""

    node: Node
    x: Tensor
    groups: int
    m: int
    c: int
    kernel: tuple[int, ...]
    bias: str

    @property
    def transposed(self) -> bool:
        return self.node.op == "ConvTranspose"

    @property
    def large(self) -> tuple[int, ...]:
        """The axes along which the kernel is larger than 1."""
        return tuple(a for a, k in enumerate(self.kernel) if k > 1)

    @property
    def weight(self) -> tuple[int, ...]:
        """The weight's shape in ONNX's order."""
        return shape_of(self.groups, self.m, self.c, self.kernel, transposed=self.transposed)


class Half(msgspec.Struct, frozen=True):
    """One of the two convolutions: its groups, outputs and inputs of each group, kernel and attributes."""

    groups: int
    m: int
    c: int
    kernel: tuple[int, ...]
    attributes: tuple[tuple[str, Any], ...]


def shape_of(g: int, m: int, c: int, kernel: tuple[int, ...], *, transposed: bool) -> tuple[int, ...]:
    """(M, C/g, *K), or (C, M/g, *K) for a transposed convolution."""
    return (g * c, m, *kernel) if transposed else (g * m, c, *kernel)


def partitions(layer: Layer) -> list[tuple[int, ...]]:
    """The axes that the first step may go along: those of one side of the kernel, and the others.

    Axes without a kernel go with the first step of a convolution and with the second of a transposed one, where their
    stride leaves less to do.
    """
    large = layer.large
    small = tuple(a for a in range(len(layer.kernel)) if a not in large)
    extra = () if layer.transposed else small
    sides = {tuple(sorted((*side, *extra))) for a in large for side in ((a,), tuple(b for b in large if b != a))}
    return sorted(sides)


def channels(layer: Layer, form: Form, rank: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """(groups, outputs, inputs of each group) of both steps."""
    g, m, c = layer.groups, layer.m, layer.c
    if form == "joint":
        return (g, rank, c), (g, m, rank)
    if form == "by_output":
        return (g, m * rank, c), (g * m, 1, rank)
    return (g * c, rank, 1), (g, m, c * rank)


def halves(layer: Layer, form: Form, first: tuple[int, ...], rank: int) -> tuple[Half, Half]:
    """Both steps. Raises `Skip` where the padding cannot be divided."""
    second = tuple(a for a in range(len(layer.kernel)) if a not in first)
    one, two = (
        Half(
            *sizes, tuple(k if a in axes else 1 for a, k in enumerate(layer.kernel)), attributes(layer, axes, sizes[0])
        )
        for sizes, axes in zip(channels(layer, form, rank), (first, second), strict=True)
    )
    return one, two


def attributes(layer: Layer, axes: tuple[int, ...], group: int) -> tuple[tuple[str, Any], ...]:
    """The attributes of a step along `axes`: along the others it has a kernel of 1, stride 1 and no padding.

    Automatic padding stays automatic, as it is decided along each axis by itself.
    """
    a = layer.node.attrs
    assert isinstance(a, ConvAttrs)
    rank = len(layer.kernel)

    def pick(values: tuple[int, ...], other: int) -> tuple[int, ...]:
        return tuple(v if i in axes else other for i, v in enumerate(values or (other,) * rank))

    auto, pads = a.auto_pad, a.pads or (0,) * (2 * rank)
    if isinstance(a, ConvTransposeAttrs) and a.output_shape:
        auto, pads = "NOTSET", explicit(layer, a)
    out: list[tuple[str, Any]] = [
        ("dilations", pick(a.dilations, 1)),
        ("group", group),
        ("kernel_shape", pick(layer.kernel, 1)),
        ("strides", pick(a.strides, 1)),
    ]
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        out.append(("auto_pad", auto))
    elif auto == "NOTSET":
        out.append(("pads", pick(pads[:rank], 0) + pick(pads[rank:], 0)))
    if isinstance(a, ConvTransposeAttrs) and any(a.output_padding):
        out.append(("output_padding", pick(a.output_padding, 0)))
    return tuple(out)


def explicit(layer: Layer, a: ConvTransposeAttrs) -> tuple[int, ...]:
    """The padding that an `output_shape` stands for."""
    need(layer.x.shape is not None, "its output_shape needs the shape of its input")
    window, _ = transposed_window(a, layer.x.dims[2:], layer.kernel)
    pads = tuple(p for p in (*window.before, *window.after) if isinstance(p, int))
    need(len(pads) == 2 * len(layer.kernel), "its output_shape needs an input of known shape")
    need(min(pads) >= 0, "its output_shape is larger than what it makes")
    return pads


def macs_of(op: str, x: Tensor, weight: tuple[int, ...], attributes: Any) -> tuple[Dim, Tensor]:
    """MACs and output of one convolution, by the operator table."""
    record = find("", op)
    assert record is not None
    call = Call(attributes, (x, Tensor("w", x.dtype, weight, constant=True)))
    y = record.shape(call)[0]
    return record.cost(Call(call.attrs, call.inputs, (y,))).macs, y


def priced(layer: Layer, form: Form, first: tuple[int, ...], rank: int) -> int | None:
    """MACs of both steps; None where shapes are not numbers. Linear in `rank`."""
    record = find("", layer.node.op)
    assert record is not None
    x, total = layer.x, 0
    if x.shape is None:
        return None
    for half in halves(layer, form, first, rank):
        weight = shape_of(half.groups, half.m, half.c, half.kernel, transposed=layer.transposed)
        try:
            macs, x = macs_of(layer.node.op, x, weight, make_attrs(record, 11, dict(half.attributes)))
        except ShapeError:
            return None
        if not isinstance(macs, int):
            return None
        total += macs
    return total


def params_of(layer: Layer, form: Form, first: tuple[int, ...], rank: int) -> int:
    """Elements of both kernels."""
    return sum(h.groups * h.m * h.c * math.prod(h.kernel) for h in halves(layer, form, first, rank))


def pair(
    layer: Layer, parts: Array, form: Form, first: tuple[int, ...], rank: int, *, dtype: Any, exact: bool
) -> tuple[Graph, dict[str, Array]]:
    """The two steps as a graph with one input and one output, and their weights; the bias is called `bias`."""
    matrices = unfolded(parts, form, first)
    u, v = outer(matrices) if exact and rank == 1 else factors(matrices, rank)
    steps = halves(layer, form, first, rank)
    arrays = weights_of(layer, form, u, v, rank)
    record = find("", layer.node.op)
    assert record is not None
    nodes, weights = [], {}
    tensors = {"x": Tensor("x", layer.x.dtype, layer.x.shape)}
    flow = "x"
    for i, (half, array) in enumerate(zip(steps, arrays, strict=True)):
        shape = shape_of(half.groups, half.m, half.c, half.kernel, transposed=layer.transposed)
        grouped = array.reshape(half.groups, half.m, half.c, *half.kernel)
        name = "x".join(map(str, half.kernel))
        weights[f"{name}.weight"] = (
            (grouped.swapaxes(1, 2) if layer.transposed else grouped).reshape(shape).astype(dtype)
        )
        tensors[f"{name}.weight"] = Tensor(f"{name}.weight", layer.x.dtype, shape, constant=True, stored=True)
        bias = ("bias",) if i and layer.bias else ()
        out = ("between", "y")[i]
        nodes.append(
            msgspec.structs.replace(
                layer.node,
                index=i,
                name=name,
                inputs=(flow, f"{name}.weight", *bias),
                outputs=(out,),
                attrs=make_attrs(record, 11, dict(half.attributes)),
                raw=half.attributes,
            )
        )
        flow = out
    if layer.bias:
        tensors["bias"] = Tensor("bias", layer.x.dtype, (layer.groups * layer.m,), constant=True)
    return Graph("pair", (tensors["x"],), (flow,), tuple(nodes), tensors), weights


def weights_of(layer: Layer, form: Form, u: Array, v: Array, rank: int) -> tuple[Array, Array]:
    """U and V as (g, m, c, elements) of the first and the second step."""
    g, m, c = layer.groups, layer.m, layer.c
    a = u.shape[1] // (1 if form == "by_input" else c)
    b = v.shape[2] // (1 if form == "by_output" else m)
    if form == "joint":
        return u.reshape(g, c, a, rank).transpose(0, 3, 1, 2), v.reshape(g, rank, m, b).transpose(0, 2, 1, 3)
    if form == "by_output":
        one = u.reshape(g, m, c, a, rank).transpose(0, 1, 4, 2, 3)
        return one, v.reshape(g * m, 1, rank, b)
    one = u.reshape(g * c, a, rank).transpose(0, 2, 1)
    return one, v.reshape(g, c, rank, m, b).transpose(0, 3, 1, 2, 4)


__all__ = ["ORDERS", "Half", "Layer", "halves", "pair", "params_of", "partitions", "priced"]
