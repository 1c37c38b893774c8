"""AttributeProto → Python values, by the declared type; an attribute whose type lies is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcost.errors import ModelError
from convcost.onnx_reader.limits import MAX_ALIKE_BYTES, MAX_ATTRIBUTE_ELEMENTS
from convcost.onnx_reader.names import quoted, text
from convcost.onnx_reader.tensors import Place, sparse_of, tensor_of

FLOAT, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS, TENSORS, GRAPHS = range(1, 11)
SPARSE_TENSOR, SPARSE_TENSORS, TYPE_PROTO, TYPE_PROTOS = 11, 12, 13, 14

FIELD = {
    FLOAT: "f",
    INT: "i",
    STRING: "s",
    TENSOR: "t",
    GRAPH: "g",
    FLOATS: "floats",
    INTS: "ints",
    STRINGS: "strings",
    TENSORS: "tensors",
    GRAPHS: "graphs",
    SPARSE_TENSOR: "sparse_tensor",
    SPARSE_TENSORS: "sparse_tensors",
    TYPE_PROTO: "tp",
    TYPE_PROTOS: "type_protos",
}
"""Attribute type (numbers from onnx.proto) -> the field that holds the value."""

SCALARS = frozenset((FLOAT, INT, STRING, TENSOR, GRAPH, SPARSE_TENSOR, TYPE_PROTO))
PLAIN = frozenset(FIELD) - {GRAPH, GRAPHS}
"""Types without a graph inside."""

NO_TYPE_IR = 1
"""The only version of the format in which an attribute need not state its type."""


def stored_as(node: Any) -> tuple[str | bytes, ...] | None:
    """Operator and attributes of a node as they are stored; None where they are long, or a graph may be in them."""
    parts: list[str | bytes] = [node.op_type, node.domain, node.overload]
    size = 0
    for a in node.attribute[:]:
        if a.type not in PLAIN:
            return None
        stored = a.SerializeToString()
        size += len(stored)
        if size > MAX_ALIKE_BYTES:
            return None
        parts.append(stored)
    return tuple(parts)


def attribute_type(proto: Any, ir_version: int) -> int:
    """The declared type. Raises `ModelError` where there is none, save in the version that had none."""
    declared: int = proto.type
    if declared in FIELD:
        return declared
    found = [t for t, f in FIELD.items() if _filled(proto, t, f)]
    if ir_version <= NO_TYPE_IR and len(found) == 1:
        return found[0]
    raise _wrong(proto, "has no type that ONNX defines")


def value_of(proto: Any, kind: int, place: Place) -> Any:
    """The value of an attribute: int, float, str, ir.Tensor, or a tuple of them; graphs are left as they are stored.

    A value that is empty is looked at again: another field may hold what the declared type hides.
    """
    if kind == INTS:
        value = tuple(proto.ints[:])
    elif kind == INT:
        value = proto.i
    else:
        value = CONVERT[kind](proto, place)
    if not value:
        _check_type(proto, kind)
    elif value.__class__ is tuple and len(value) > MAX_ATTRIBUTE_ELEMENTS:
        raise _wrong(proto, f"has {len(value):,} elements, over the limit of {MAX_ATTRIBUTE_ELEMENTS:,}")
    return value


def _check_type(proto: Any, kind: int) -> None:
    field = FIELD[kind]
    if not _filled(proto, kind, field):
        others = [f for t, f in FIELD.items() if _filled(proto, t, f)]
        if others:
            raise _wrong(proto, f"says that it holds {field}, but it holds {others[0]}: its type lies")


CONVERT: dict[int, Callable[[Any, Place], Any]] = {
    FLOAT: lambda a, _: a.f,
    STRING: lambda a, _: string(a.s),
    TENSOR: lambda a, place: tensor_of(a.t, place),
    FLOATS: lambda a, _: tuple(a.floats[:]),
    GRAPH: lambda a, _: (a.g,) if a.HasField("g") else (),
    GRAPHS: lambda a, _: tuple(a.graphs),
    STRINGS: lambda a, _: tuple([string(s) for s in a.strings]),
    TENSORS: lambda a, place: tuple([tensor_of(t, place) for t in a.tensors]),
    SPARSE_TENSOR: lambda a, place: sparse_of(a.sparse_tensor, place),
    SPARSE_TENSORS: lambda a, place: tuple([sparse_of(t, place) for t in a.sparse_tensors]),
    TYPE_PROTO: lambda a, _: a.tp.SerializeToString(deterministic=True),
    TYPE_PROTOS: lambda a, _: tuple([t.SerializeToString(deterministic=True) for t in a.type_protos]),
}


def string(value: bytes) -> str:
    """The bytes of a string attribute as text; odd bytes are spelled out."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return text(value)


def _filled(proto: Any, kind: int, field: str) -> bool:
    return proto.HasField(field) if kind in SCALARS else len(getattr(proto, field)) > 0


def _wrong(proto: Any, message: str) -> ModelError:
    return ModelError(f"attribute {quoted(text(proto.name))} {message}", code="C211")
