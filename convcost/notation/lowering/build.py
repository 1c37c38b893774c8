"""Nodes and tensors from layers: the only place that knows both HWxC / HWxIO and ONNX's NCHW / OIHW."""

from __future__ import annotations

from typing import Any

import msgspec

from convcost.ir import DType, Graph, Node, Note, Tensor, Value
from convcost.notation.faults import Fault, Span
from convcost.notation.grammar.syntax import Shape
from convcost.notation.grammar.tokens import MAX_NUMBER
from convcost.notation.lowering.printing import dims_text
from convcost.ops import find
from convcost.ops.base import make_attrs

OPSET = 21

SINCE = {
    "Add": 14,
    "AveragePool": 19,
    "BatchNormalization": 15,
    "Concat": 13,
    "Conv": 11,
    "ConvTranspose": 11,
    "Flatten": 21,
    "Gemm": 13,
    "GlobalAveragePool": 1,
    "MaxPool": 12,
    "Relu": 14,
    "Reshape": 21,
    "Resize": 19,
    "Transpose": 21,
}
"""The operator-set version at which each operator that a shape string can make was last changed, up to OPSET."""


class Flow(msgspec.Struct, frozen=True):
    """The tensor that flows from one step to the next: its name, its sizes channels last, and where it is written."""

    name: str
    dims: tuple[int, ...]
    shape: Shape | None = None

    @property
    def channels(self) -> int:
        return self.dims[-1]

    @property
    def spatial(self) -> tuple[int, ...]:
        return self.dims[:-1]

    @property
    def channels_at(self) -> tuple[Span, ...]:
        """Where the channels are written; empty for a shape that was left out."""
        return (self.shape.numbers[-1].span,) if self.shape else ()

    @property
    def at(self) -> tuple[Span, ...]:
        """Where the shape is written."""
        return (self.shape.span,) if self.shape else ()


class Builder:
    """The graph under construction."""

    __slots__ = ("batch", "counts", "dtype", "nodes", "notes", "tensors", "text")

    def __init__(self, text: str, batch: int, dtype: DType) -> None:
        self.text = text
        self.batch = batch
        self.dtype = dtype
        self.nodes: list[Node] = []
        self.tensors: dict[str, Tensor] = {}
        self.notes: list[Note] = []
        self.counts: dict[str, int] = {}

    def name(self, kind: str) -> str:
        """conv1, conv2, …: a name not used before."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return f"{kind}{self.counts[kind]}"

    def note(self, code: str, message: str, where: str) -> None:
        self.notes.append(Note(code, message, location=where))

    def activation(self, dims: tuple[int, ...]) -> tuple[int, ...]:
        """HxWxC as (N, C, H, W)."""
        return (self.batch, dims[-1], *dims[:-1])

    def weight(self, node: str, role: str, *shape: int) -> str:
        """A stored constant of a node, in ONNX's own order."""
        name = f"{node}.{role}"
        self.tensors[name] = Tensor(name, self.dtype, shape, constant=True, stored=True)
        return name

    def integers(self, node: str, role: str, value: Value) -> str:
        """A stored vector of integers."""
        name = f"{node}.{role}"
        self.tensors[name] = Tensor(name, DType.INT64, (len(value),), value, constant=True, stored=True)
        return name

    def kernel(
        self, node: str, sizes: tuple[int, ...], per_group: int, outputs: int, groups: int, *, transposed: bool
    ) -> str:
        """KHxKWxCINxCOUT as (M, C/g, KH, KW), or (C, M/g, KH, KW) for a transposed convolution."""
        if transposed:
            return self.weight(node, "weight", per_group * groups, outputs // groups, *sizes)
        return self.weight(node, "weight", outputs, per_group, *sizes)

    def node(
        self,
        op: str,
        name: str,
        inputs: tuple[str, ...],
        dims: tuple[int, ...],
        *,
        notation: str = "",
        reading: tuple[str, ...] = (),
        **attributes: Any,
    ) -> Flow:
        """Add a node whose output has `dims`, channels last."""
        record = find("", op)
        out = f"{name}.out"
        self.nodes.append(
            Node(
                len(self.nodes),
                name,
                op,
                inputs,
                (out,),
                attrs=make_attrs(record, OPSET, attributes) if record else None,
                since_version=SINCE[op],
                notation=notation,
                reading=reading,
                raw=tuple(attributes.items()),
            )
        )
        return Flow(out, dims)

    def layer(
        self,
        op: str,
        name: str,
        source: Flow,
        inside: str,
        dims: tuple[int, ...],
        *weights: str,
        reading: tuple[str, ...] = (),
        **attributes: Any,
    ) -> Flow:
        """A node that is a layer of its own: `source -(inside)-> dims` is its notation."""
        notation = f"{dims_text(source.dims)} -({inside})-> {dims_text(dims)}"
        return self.node(op, name, (source.name, *weights), dims, notation=notation, reading=reading, **attributes)

    def graph(self, name: str, source: Flow, result: Flow) -> Graph:
        """The finished graph, not yet resolved."""
        x = Tensor(source.name, self.dtype, self.activation(source.dims))
        return Graph(
            name,
            (x,),
            (result.name,),
            tuple(self.nodes),
            {x.name: x, **self.tensors},
            notes=tuple(self.notes),
            opset={"": OPSET},
        )


def within_limit(value: int, what: str, at: Span) -> int:
    """`value`, or a Fault at `at` where it is over the limit of written numbers."""
    if value > MAX_NUMBER:
        raise Fault("C113", f"{what} would be {value}, which is over the limit {MAX_NUMBER} (2^63-1)", at)
    return value
