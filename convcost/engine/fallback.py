"""Operators without a kernel of ours: the implementations of onnx's reference evaluator, one node at a time."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from convcost.engine.kernels import Bound
from convcost.engine.values import Value, dtype_of
from convcost.errors import EngineError
from convcost.ir import Graph, Node, Tensor

IR_VERSION = 10

_ALONE = Graph("", (), (), (), {})


class Reference(Bound):
    """One node in onnx's reference evaluator, made for the types of its inputs at the first call and kept."""

    __slots__ = ("node", "ready")

    def __init__(self, node: Node) -> None:
        super().__init__("reference")
        self.node = node
        self.ready: dict[tuple[Any, ...], Any] = {}

    def __call__(self, inputs: list[Value]) -> list[Value]:
        key = tuple(v.dtype.str + v.dtype.name if isinstance(v, np.ndarray) else type(v).__name__ for v in inputs)
        evaluator = self.ready.get(key)
        if evaluator is None:
            evaluator = self.ready[key] = _evaluator(self.node, inputs)
        feeds = {f"x{i}": v for i, v in enumerate(inputs) if v is not None}
        found = dict(zip(evaluator.output_names, evaluator.run(None, feeds), strict=True))
        return [found.get(f"y{i}") for i in range(len(self.node.outputs))]


RENAMED = {("", "Scatter"): ("ScatterElements", 11)}
"""Operators that live on under another name, and the version from which on."""


def bind(node: Node) -> Bound:
    """The reference operator for `node`. Raises EngineError where onnx has none."""
    import onnx.defs  # noqa: PLC0415 - the long tail only

    if (node.domain, node.op) in RENAMED:
        op, version = RENAMED[node.domain, node.op]
        node = msgspec.structs.replace(node, op=op, since_version=version)
    try:
        onnx.defs.get_schema(node.op, max_inclusive_version=node.since_version, domain=node.domain)
    except onnx.defs.SchemaError:
        where = f"{node.domain}:" if node.domain else ""
        raise EngineError(f"no kernel runs the operator {where}{node.op}", node=node.name, code="C412") from None
    return Reference(node)


def _evaluator(node: Node, inputs: list[Value]) -> Any:
    import onnx  # noqa: PLC0415 - the long tail only
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415

    names = [f"x{i}" if v is not None else "" for i, v in enumerate(inputs)]
    outputs = [f"y{i}" if name else "" for i, name in enumerate(node.outputs)]
    proto = onnx.helper.make_node(node.op, names, outputs, domain=node.domain)
    proto.attribute.extend(attributes(node))
    graph = onnx.helper.make_graph(
        [proto],
        "one",
        [_input(f"x{i}", v) for i, v in enumerate(inputs) if v is not None],
        [onnx.ValueInfoProto(name=o) for o in outputs if o],
    )
    opsets = {node.domain: node.since_version}
    if node.domain:
        opsets[""] = onnx.defs.onnx_opset_version()
    imports = [onnx.helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return ReferenceEvaluator(onnx.helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION))


def _input(name: str, value: Value) -> Any:
    import onnx  # noqa: PLC0415

    if isinstance(value, np.ndarray):
        return onnx.helper.make_tensor_value_info(name, dtype_of(value).code, value.shape)
    return onnx.ValueInfoProto(name=name)


def attributes(node: Node) -> list[Any]:
    """The stored attributes as messages, with the types that the operator's schema gives them."""
    import onnx  # noqa: PLC0415

    schema = onnx.defs.get_schema(node.op, max_inclusive_version=node.since_version, domain=node.domain)
    kinds = onnx.AttributeProto.AttributeType
    out = []
    for name, value in node.raw:
        declared: Any = schema.attributes.get(name)
        if declared is not None:
            out.append(onnx.helper.make_attribute(name, _stored(value), attr_type=kinds.Value(declared.type.name)))
    return out


def _stored(value: Any) -> Any:
    """A stored attribute value as onnx's helpers take it."""
    if isinstance(value, Tensor):
        return tensor_proto(value)
    if isinstance(value, bytes):
        from onnx import TypeProto  # noqa: PLC0415 - types as attributes are rare

        return TypeProto.FromString(value)
    if isinstance(value, tuple):
        return [_stored(v) for v in value]
    return value


def tensor_proto(t: Tensor) -> Any:
    """A stored tensor as a message."""
    from onnx import numpy_helper  # noqa: PLC0415

    from convcost.engine.weights import Weights  # noqa: PLC0415 - weights fall back to this module

    return numpy_helper.from_array(Weights().load(t, _ALONE), t.name)
