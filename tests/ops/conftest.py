"""What tests of operator records share: one operator applied by itself, and the node cases of the ONNX test suite."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import onnx
import onnx.backend.test.loader
import pytest

from convcost.ir import MAX_VALUE, DType, Graph, Shape, Tensor, Value
from convcost.onnx_reader import from_bytes
from convcost.ops import Work, find
from convcost.ops.base import Call, make_attrs
from convcost.ops.resolve import folded, resolve


class Applied(msgspec.Struct, frozen=True):
    """The outputs of one operator and its work."""

    outputs: tuple[Tensor, ...]
    cost: Callable[[], Work]

    @property
    def y(self) -> Tensor:
        return self.outputs[0]


def apply_op(
    name: str, *inputs: Any, domain: str = "", version: int = 28, n_outputs: int = 1, **attributes: Any
) -> Applied:
    """The rules of an operator, applied. An input is a tensor, None, an array (shape and content) or a shape."""
    op = find(domain, name)
    assert op is not None, f"{name} has no record"
    call = Call(make_attrs(op, version, attributes), tuple(map(as_tensor, inputs)), n_outputs=n_outputs)
    outputs = op.shape(call)
    if op.fold is not None:
        outputs = folded(op, call, outputs)
    call.outputs = outputs
    return Applied(outputs, lambda: op.cost(call))


def as_tensor(x: Any) -> Tensor | None:
    """A tensor for an input of `apply_op`."""
    if x is None or isinstance(x, Tensor):
        return x
    if isinstance(x, tuple):
        return Tensor("", dtype=DType.FLOAT32, shape=x)
    a = np.asarray(x)
    return Tensor("", dtype=DType.from_label(a.dtype.name), shape=a.shape, value=value_of(a))


def shape_of(x: Any) -> Shape:
    """The shape of an array or TensorProto."""
    return tuple(x.dims) if isinstance(x, onnx.TensorProto) else tuple(np.shape(x))


def value_of(x: Any) -> Value | None:
    """The content of a small array of finite numbers."""
    a = x if isinstance(x, np.ndarray) else np.asarray(x)
    if isinstance(x, onnx.TensorProto):
        if x.data_type == onnx.TensorProto.STRING:
            return None
        a = onnx.numpy_helper.to_array(x)
    name = a.dtype.name
    if a.size > MAX_VALUE or not name.startswith(("bool", "int", "uint", "float", "bfloat")):
        return None
    if "float" not in name:
        return tuple(int(v) for v in a.ravel())
    wide = a.astype(np.float64)
    return tuple(Fraction(float(v)) for v in wide.ravel()) if np.isfinite(wide).all() else None


class NodeCase(msgspec.Struct, frozen=True):
    """One case: its name, its operators, the model, and arrays (or lists of them) that go in and come out."""

    name: str
    ops: tuple[tuple[str, str], ...]
    model: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]

    def resolved(self) -> Graph:
        """The graph, resolved for the case's real inputs."""
        graph = from_bytes(self.model.SerializeToString(), self.name).raw.graph
        given = {v.name: (v.type, x) for v, x in zip(self.model.graph.input, self.inputs, strict=True)}
        inputs = tuple(with_content(t, *given[t.name]) for t in graph.inputs)
        return resolve(msgspec.structs.replace(graph, inputs=inputs))

    def declared_dtype(self, i: int) -> DType | None:
        """The element type that the model states for output i."""
        return element_type(self.model.graph.output[i].type)


def element_type(proto: Any) -> DType | None:
    """The element type inside a TypeProto."""
    kind = proto.WhichOneof("value")
    if kind == "tensor_type":
        return DType.from_code(proto.tensor_type.elem_type)
    return element_type(getattr(proto, kind).elem_type)


def with_content(t: Tensor, proto: Any, x: Any) -> Tensor:
    """The graph input `t` with the shape and content of `x`."""
    if x is None:
        return t
    dtype = element_type(proto)
    if isinstance(x, list):
        shapes = {shape_of(item) for item in x}
        shape = shapes.pop() if len(shapes) == 1 else None
        reason = "" if shape is not None else "the elements differ"
        return msgspec.structs.replace(t, dtype=dtype, shape=shape, length=len(x), reason=reason)
    return msgspec.structs.replace(t, dtype=dtype, shape=shape_of(x), value=value_of(x))


@pytest.fixture(scope="session")
def node_cases() -> list[NodeCase]:
    """All node cases that ship with the installed onnx."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = onnx.backend.test.loader.load_model_tests(kind="node")
    out = []
    for case in loaded:
        assert case.model is not None
        assert case.data_sets is not None
        ops = tuple((n.domain, n.op_type) for n in case.model.graph.node)
        inputs, outputs = case.data_sets[0]
        out.append(NodeCase(case.name, ops, case.model, tuple(inputs), tuple(outputs)))
    return out


@pytest.fixture(scope="session")
def apply() -> Callable[..., Applied]:
    """`apply_op`, for tests."""
    return apply_op


@pytest.fixture(scope="session")
def content() -> Callable[[Any], Value | None]:
    """`value_of`, for tests."""
    return value_of


@pytest.fixture(scope="session")
def shapes() -> Callable[[Any], Shape]:
    """`shape_of`, for tests."""
    return shape_of
