"""Counted nodes as rows of the report."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from convcost.analysis.receptive import described
from convcost.analysis.receptive_rules import Fields
from convcost.analysis.tally import Tally, cost_of
from convcost.ir import Dim, DType, Expr, Graph, Node, Shape, Tensor
from convcost.ops import Attrs, Call, Kind
from convcost.ops.base import remembered
from convcost.record import AlgorithmCost, Layer, Output, Share


class Row(msgspec.Struct, frozen=True, gc=False):
    """One node with all that is known of it."""

    node: Node
    scope: tuple[str, ...]
    kind: Kind
    call: Call
    tally: Tally
    repeats: Dim
    book: int
    fields: Fields | None


def shape_list(t: Tensor | None) -> list[int | str] | None:
    """A shape for the report; symbols as text."""
    return None if t is None or t.shape is None else listed(t.shape)


@remembered
def listed(shape: Shape) -> list[int | str]:
    """The dimensions of a shape, symbols as text."""
    return [str(d) if isinstance(d, Expr) else d for d in shape]


def layer(index: int, row: Row, tally: Tally, total: Tally, *, shared: bool, priced: bool) -> Layer:
    """The report's row; `priced` adds what other algorithms would cost."""
    node = row.node
    macs, whole = tally.work.macs, total.work.macs
    share = None
    if tally.n_unknown == 0 and isinstance(macs, int) and isinstance(whole, int) and whole > 0:
        share = macs / whole
    out = row.call.outputs[0] if row.call.outputs else None
    return Layer(
        index,
        "/".join((*row.scope, node.name)) if row.scope else node.name,
        list(row.scope),
        node.op,
        node.domain,
        row.kind.name,
        list(row.kind.traits),
        [shape_list(t) for t in row.call.inputs],
        [shape_list(t) for t in row.call.outputs],
        out.dtype.label if out is not None and out.dtype is not None else None,
        attributes(node.attrs),
        cost_of(tally, single=True),
        Share(share),
        node.notation or None,
        list(node.reading),
        shared,
        row.repeats if isinstance(row.repeats, int) else None,
        described(row.fields),
        priced_otherwise(row.call) if priced and node.op == "Conv" else None,
    )


def priced_otherwise(call: Call) -> list[AlgorithmCost]:
    """What a convolution would cost under other algorithms."""
    from convcost.analysis.algorithms import algorithms  # noqa: PLC0415 - few reports ask for them

    return algorithms(call)


MAX_ATTRIBUTE = 64
"""Elements of an attribute that are printed."""


@cache
def defaults_of(record: type[msgspec.Struct]) -> tuple[tuple[str, Any], ...]:
    """(name, default) of each field; looked up once a type, as it is slow."""
    return tuple((field.name, field.default) for field in msgspec.structs.fields(record))


@remembered
def attributes(attrs: Attrs | None) -> dict[str, Any]:
    """The attributes that differ from their defaults, as JSON can hold them."""
    if attrs is None:
        return {}
    out: dict[str, Any] = {}
    for name, default in defaults_of(attrs.__class__):
        value = getattr(attrs, name)
        if value != default:
            shown = plain(value)
            if shown is not None:
                out[name] = shown
    return out


def plain(value: Any) -> Any:
    """An attribute's value as JSON can hold it: floats that JSON lacks as text, tensors and graphs left out."""
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, DType):
        return value.label
    if isinstance(value, tuple) and len(value) <= MAX_ATTRIBUTE:
        return [plain(v) for v in value]
    return None


def outputs_of(graph: Graph) -> list[Output]:
    """The outputs of a graph as the report shows them."""
    out = []
    for name in graph.outputs:
        t = graph.tensors.get(name)
        dtype = t.dtype.label if t is not None and t.dtype is not None else None
        out.append(Output(name=name, dtype=dtype, shape=shape_list(t)))
    return out
