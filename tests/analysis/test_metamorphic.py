"""What must not change a count: names, the order of nodes, lying declarations, functions around nodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from convcost import analysis, onnx_reader, record

Change = Callable[[onnx.ModelProto], onnx.ModelProto]


def small() -> onnx.ModelProto:
    """Convolution, normalisation, residual, pooling and a classifier whose weight passes through a Reshape."""
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["a"], name="first", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "scale", "shift", "mean", "var"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Conv", ["c", "w2"], ["d"], group=4, pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c", "d"], ["e"]),
        helper.make_node("GlobalAveragePool", ["e"], ["f"]),
        helper.make_node("Flatten", ["f"], ["g"]),
        helper.make_node("Reshape", ["w3", "to"], ["w3m"]),
        helper.make_node("MatMul", ["g", "w3m"], ["y"]),
    ]
    shapes = {"w1": [4, 3, 3, 3], "b1": [4], "w2": [4, 1, 3, 3], "scale": [4], "shift": [4], "mean": [4], "var": [4]}
    stored = [helper.make_tensor(n, TensorProto.FLOAT, s, [0.5] * _size(s)) for n, s in (shapes | {"w3": [40]}).items()]
    stored.append(helper.make_tensor("to", TensorProto.INT64, [2], [4, 10]))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 8, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 10])
    graph = helper.make_graph(nodes, "small", [x], [y], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _size(shape: list[int]) -> int:
    out = 1
    for d in shape:
        out *= d
    return out


def copied(model: onnx.ModelProto) -> onnx.ModelProto:
    out = onnx.ModelProto()
    out.CopyFrom(model)
    return out


def renamed(model: onnx.ModelProto) -> onnx.ModelProto:
    """Other names for all tensors and nodes."""
    out = copied(model)

    def other(name: str) -> str:
        return f"t_{name[::-1]}" if name else ""

    for i, node in enumerate(out.graph.node):
        node.name = f"same{i % 2}"
        node.input[:] = [other(n) for n in node.input]
        node.output[:] = [other(n) for n in node.output]
    for t in (*out.graph.input, *out.graph.output, *out.graph.initializer, *out.graph.value_info):
        t.name = other(t.name)
    return out


def backwards(model: onnx.ModelProto) -> onnx.ModelProto:
    """Nodes and initializers in reverse order."""
    out = copied(model)
    for field in ("node", "initializer"):
        items = list(getattr(out.graph, field))[::-1]
        del getattr(out.graph, field)[:]
        getattr(out.graph, field).extend(items)
    return out


def lying(model: onnx.ModelProto) -> onnx.ModelProto:
    """A declared shape of ones for every intermediate tensor and output."""
    out = copied(model)
    del out.graph.value_info[:]
    for node in out.graph.node:
        names = [n for n in node.output if n]
        out.graph.value_info.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1]) for n in names)
    return out


def in_a_function(model: onnx.ModelProto) -> onnx.ModelProto:
    """All nodes in one function, which a single node calls; constants are its arguments."""
    out = copied(model)
    graph = out.graph
    stored = [t.name for t in graph.initializer]
    inputs = [t.name for t in graph.input if t.name not in stored]
    outputs = [t.name for t in graph.output]
    imports = [helper.make_opsetid("", model.opset_import[0].version)]
    function = helper.make_function("own", "Whole", inputs + stored, outputs, list(graph.node), imports)
    call = helper.make_node("Whole", inputs + stored, outputs, domain="own", name="call")
    del graph.node[:]
    graph.node.append(call)
    out.functions.append(function)
    out.opset_import.append(helper.make_opsetid("own", 1))
    return out


CHANGES: list[Change] = [renamed, backwards, lying, in_a_function]


def totals(model: onnx.ModelProto) -> record.Cost:
    graph = onnx_reader.from_bytes(model.SerializeToString(), "m.onnx").graph
    return analysis.total_cost(graph, analysis.count(graph))


def added_up(cost: record.Cost) -> dict[str, int | None]:
    return {name: getattr(cost, name) for name in record.COUNTED}


@pytest.mark.parametrize("change", CHANGES)
def test_a_small_network_costs_the_same(change: Change) -> None:
    before = totals(small())
    assert before.macs == 2 * 64 * 4 * 27 + 2 * 64 * 4 * 9 + 2 * 4 * 10
    assert before.params == 108 + 4 + 36 + 4 + 4 + 40
    assert added_up(totals(change(small()))) == added_up(before)


@pytest.mark.corpus
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["light_squeezenet", "light_shufflenet", "mtcnn_onet", "g2pid_bert_tf"])
def test_a_real_network_costs_the_same(corpus: Path, name: str, change: Change) -> None:
    model = onnx.load(corpus / "models" / f"{name}.onnx")
    assert added_up(totals(change(model))) == added_up(totals(model))
