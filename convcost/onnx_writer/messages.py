"""Nodes, tensors and types as messages of ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, TypeProto, ValueInfoProto, defs, helper

from convcost.errors import ReportError
from convcost.ir import Graph, Node, Tensor


def opsets_of(graph: Graph) -> dict[str, int]:
    """Operator sets that the graph imports; a shape string is written in a fixed one."""
    from convcost.onnx_writer import DEFAULT_OPSET  # noqa: PLC0415 - the package loads this module

    return dict(graph.opset) or {"": DEFAULT_OPSET}


def graph_proto(graph: Graph, weights: Mapping[str, Any]) -> GraphProto:
    """A graph with its stored tensors as initializers."""
    made = {o for node in graph.nodes for o in node.outputs}
    used = {i for node in graph.nodes for i in node.inputs} | set(graph.outputs)
    initializers = []
    for t in graph.tensors.values():
        if t.stored and t.name not in made and (t.name in used or t.name in weights):
            if t.name not in weights and t.value is None:
                raise ReportError(f"the content of '{t.name[:80]}' is not given")
            initializers.append(tensor_proto(t.name, weights[t.name] if t.name in weights else content(t)))
    opset = opsets_of(graph)
    return helper.make_graph(
        [node_proto(node, opset, weights) for node in graph.nodes],
        graph.name or "graph",
        [value_info(t) for t in graph.inputs],
        [value_info(graph.tensors.get(name, Tensor(name))) for name in graph.outputs],
        initializer=initializers,
    )


def tensor_proto(name: str, array: Any) -> TensorProto:
    """An array as a message, its bytes in one piece."""
    given = np.asarray(array)
    if given.dtype == object:
        strings = [str(s).encode() for s in given.flat]
        return TensorProto(name=name, data_type=TensorProto.STRING, dims=given.shape, string_data=strings)
    kind = helper.np_dtype_to_tensor_dtype(given.dtype)
    return helper.make_tensor(name, kind, given.shape, np.ascontiguousarray(given).tobytes(), raw=True)


def value_info(t: Tensor) -> ValueInfoProto:
    """The type of a tensor; open dimensions by their formula."""
    if t.dtype is None:
        return ValueInfoProto(name=t.name)
    shape = None if t.shape is None else [d if isinstance(d, int) else str(d) for d in t.shape]
    return helper.make_tensor_value_info(t.name, t.dtype.code, shape)


def node_proto(node: Node, opset: Mapping[str, int], weights: Mapping[str, Any]) -> NodeProto:
    """One operation. Stored attributes are written as they are; a shape string's come from its record."""
    proto = helper.make_node(node.op, list(node.inputs), list(node.outputs), name=node.name, domain=node.domain)
    bodies = dict(node.bodies)
    if "function" in bodies:
        raise ReportError(f"the function {node.op} cannot be written")
    for role, body in bodies.items():
        proto.attribute.append(helper.make_attribute(role, graph_proto(body, weights)))
    types = attribute_types(node, opset)
    for name, value in node.raw or from_record(node):
        if name not in bodies and (not types or name in types):
            proto.attribute.append(attribute(name, value, types.get(name)))
    return proto


def attribute_types(node: Node, opset: Mapping[str, int]) -> dict[str, int]:
    """Attribute types by name, from the operator's schema; empty for an operator that onnx does not know."""
    try:
        schema = defs.get_schema(node.op, max_inclusive_version=opset.get(node.domain, 1), domain=node.domain)
    except defs.SchemaError:
        return {}
    given: dict[str, Any] = dict(schema.attributes)
    return {name: AttributeProto.AttributeType.Value(a.type.name) for name, a in given.items()}


def from_record(node: Node) -> list[tuple[str, Any]]:
    """The attributes that differ from their defaults, and required ones."""
    if node.attrs is None:
        return []
    out = []
    for field in msgspec.structs.fields(node.attrs):
        value = getattr(node.attrs, field.name)
        if field.required or (value != field.default and value is not None):
            out.append((field.name, value))
    return out


def attribute(name: str, value: Any, kind: int | None) -> AttributeProto:
    """One attribute as a message of the type `kind`."""
    if isinstance(value, Tensor):
        return helper.make_attribute(name, tensor_proto(value.name, content(value)))
    if isinstance(value, bytes):
        return helper.make_attribute(name, TypeProto.FromString(value))
    if isinstance(value, tuple):
        items = [tensor_proto(v.name, content(v)) if isinstance(v, Tensor) else v for v in value]
        return helper.make_attribute(name, items, attr_type=kind)
    return helper.make_attribute(name, value, attr_type=kind)


def content(t: Tensor) -> Any:
    """The array of a tensor that an attribute holds."""
    if t.dtype is None or t.shape is None:
        raise ReportError("an attribute holds a tensor without a type")
    shape = tuple(d for d in t.shape if isinstance(d, int))
    kind = helper.tensor_dtype_to_np_dtype(t.dtype.code)
    if t.value is not None:
        return np.array([float(v) if t.dtype.is_float else v for v in t.value], kind).reshape(shape)  # type: ignore[arg-type]
    if t.payload is None or t.payload.data is None or t.dtype.bits < 8 or t.payload.encoding != "raw":
        raise ReportError("an attribute holds a tensor whose content is not in memory")
    return np.frombuffer(t.payload.data, kind).reshape(shape)
