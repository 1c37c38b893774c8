"""Helpers of the notation's tests: counts of a graph, and the same graph as an ONNX model made from its raw attributes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from hypothesis.strategies import SearchStrategy
from onnx import TensorProto, helper

from convcost.ir import Graph, Tensor, known, product
from convcost.ops import Call, find


class Counts:
    """What the operator table says of a graph, and its output with the channels last."""

    def __init__(self, graph: Graph) -> None:
        works = []
        for node in graph.nodes:
            op = find(node.domain, node.op)
            assert op is not None
            inputs = tuple(graph.tensors[name] for name in node.inputs)
            outputs = tuple(graph.tensors[name] for name in node.outputs)
            works.append(op.cost(Call(node.attrs, inputs, outputs)))
        self.steps = [work.multiplications for work in works]
        self.multiplications = sum(work.multiplications for work in works)
        self.effective = sum(work.effective for work in works)
        self.params = sum(product(t.dims) for t in graph.tensors.values() if t.stored)
        shape = graph.tensors[graph.outputs[0]].dims
        self.output = "x".join(str(d) for d in (*shape[2:], shape[1]))


@pytest.fixture(scope="session")
def counts() -> Callable[[Graph], Counts]:
    return Counts


def value_info(tensor: Tensor) -> onnx.ValueInfoProto:
    assert tensor.dtype is not None
    return helper.make_tensor_value_info(tensor.name, tensor.dtype.code, sizes(tensor))


def sizes(tensor: Tensor) -> list[int]:
    return [known(d, "a size") for d in tensor.dims]


def stored_integers(tensor: Tensor) -> list[int]:
    return [v for v in tensor.value or () if isinstance(v, int)]


def to_onnx(graph: Graph) -> onnx.ModelProto:
    """The model, weights as inputs: only what the graph itself stores as integers is an initializer."""
    nodes = [helper.make_node(n.op, list(n.inputs), list(n.outputs), n.name, **dict(n.raw)) for n in graph.nodes]
    integers = [t for t in graph.tensors.values() if t.stored and t.value is not None]
    weights = [t for t in graph.tensors.values() if t.stored and t.value is None]
    outputs = [helper.make_empty_tensor_value_info(name) for name in graph.outputs]
    for out in outputs:
        out.type.tensor_type.elem_type = TensorProto.FLOAT
    return helper.make_model(
        helper.make_graph(
            nodes,
            "g",
            [value_info(t) for t in (*graph.inputs, *weights)],
            outputs,
            [helper.make_tensor(t.name, TensorProto.INT64, sizes(t), stored_integers(t)) for t in integers],
        ),
        opset_imports=[helper.make_opsetid("", graph.opset[""])],
        ir_version=10,
    )


@pytest.fixture(scope="session")
def as_onnx() -> Callable[[Graph], onnx.ModelProto]:
    return to_onnx


def inferred(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Shapes of all computed tensors as the onnx library infers them."""
    model = onnx.shape_inference.infer_shapes(to_onnx(graph), check_type=True, strict_mode=True)
    onnx.checker.check_model(model, full_check=True)
    return {
        v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim)
        for v in (*model.graph.value_info, *model.graph.output)
    }


@pytest.fixture(scope="session")
def onnx_shapes() -> Callable[[Graph], dict[str, tuple[int, ...]]]:
    return inferred


@pytest.fixture(scope="session")
def programs() -> SearchStrategy[str]:
    """Shape strings made at random; not all of them are right."""
    spec = importlib.util.spec_from_file_location("round_trip", Path(__file__).parent / "test_round_trip.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: SearchStrategy[str] = module.programs()
    return made
