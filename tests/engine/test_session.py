"""The session's interface, its checks, and what it says when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import EngineError, onnx_reader
from convcost.engine import Session
from convcost.engine.profile import profile
from convcost.ir import Graph

Info = Any


def graph_of(nodes: list[Any], inputs: list[Info], outputs: list[Info], initializers: tuple[Any, ...] = ()) -> Graph:
    """A graph through the reader, its open dimensions left open."""
    model = helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs, initializer=list(initializers)),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    raw = onnx_reader.from_bytes(model.SerializeToString()).raw
    return onnx_reader.resolve_model(raw, assume=False).graph


def value(name: str, shape: Any, kind: int = TensorProto.FLOAT) -> Info:
    return helper.make_tensor_value_info(name, kind, shape)


def array(name: str, values: Any, kind: int = TensorProto.INT64) -> Any:
    given = np.asarray(values)
    return helper.make_tensor(name, kind, given.shape, given.ravel())


@pytest.fixture
def adder() -> Graph:
    return graph_of(
        [helper.make_node("Add", ["a", "b"], ["s"], name="add"), helper.make_node("Relu", ["s"], ["r"], name="relu")],
        [value("a", ["n", 3]), value("b", [3])],
        [value("s", ["n", 3]), value("r", ["n", 3])],
    )


def test_inputs_and_outputs_are_described_as_in_onnxruntime(adder: Graph) -> None:
    session = Session(adder)
    assert [(a.name, a.shape, a.type) for a in session.get_inputs()] == [
        ("a", ["n", 3], "tensor(float)"),
        ("b", [3], "tensor(float)"),
    ]
    assert [a.name for a in session.get_outputs()] == ["s", "r"]


def test_outputs_come_in_the_order_asked_for(adder: Graph) -> None:
    a, b = np.array([[1, -5, 2]], np.float32), np.array([1, 1, 1], np.float32)
    r, s = Session(adder).run(["r", "s"], {"a": a, "b": b})
    assert s.tolist() == [[2, -4, 3]]
    assert r.tolist() == [[2, 0, 3]]


def test_a_run_leaves_its_inputs_and_earlier_outputs_alone(adder: Graph) -> None:
    session = Session(adder)
    a, b = np.array([[1, -5, 2]], np.float32), np.zeros(3, np.float32)
    before = a.copy()
    first = session.run(None, {"a": a, "b": b})
    kept = [o.copy() for o in first]
    session.run(None, {"a": a * 7, "b": b})
    assert np.array_equal(a, before)
    assert all(np.array_equal(x, y) for x, y in zip(first, kept, strict=True))


@pytest.mark.parametrize(
    ("feeds", "said"),
    [
        ({"a": np.zeros((1, 3), np.float32)}, "input 'b' is not given"),
        ({"a": np.zeros((1, 4), np.float32), "b": np.zeros(3, np.float32)}, "shape 1x4, the model takes nx3"),
        ({"a": np.zeros((1, 3)), "b": np.zeros(3, np.float32)}, "is float64, the model takes float32"),
        ({"a": np.zeros((1, 3), np.float32), "b": np.zeros(3, np.float32), "c": 1}, "no input 'c'"),
    ],
)
def test_wrong_feeds_are_named(adder: Graph, feeds: dict[str, Any], said: str) -> None:
    with pytest.raises(EngineError, match=said):
        Session(adder).run(None, feeds)


def test_unknown_output_is_named(adder: Graph) -> None:
    with pytest.raises(EngineError, match="no output 'x'"):
        Session(adder).run(["x"], {})


def test_constants_are_folded_once() -> None:
    graph = graph_of(
        [
            helper.make_node("Shape", ["w"], ["d"], name="shape"),
            helper.make_node("ConstantOfShape", ["d"], ["z"], name="fill"),
            helper.make_node("Add", ["x", "z"], ["y"], name="add"),
        ],
        [value("x", [2, 2])],
        [value("y", [2, 2])],
        (array("w", np.zeros((2, 2)), TensorProto.FLOAT),),
    )
    session = Session(graph)
    profile = session.profile({"x": np.ones((2, 2), np.float32)}, runs=2, warmup=0)
    assert {n.name: n.algorithm for n in profile.nodes} == {"add": "ufunc", "shape": "folded", "fill": "folded"}


def test_operator_that_nothing_runs_is_named() -> None:
    node = helper.make_node("Conv", ["x"], ["y"], name="odd", domain="evil")
    model = helper.make_model(
        helper.make_graph([node], "g", [value("x", [1])], [value("y", [1])]),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("evil", 1)],
        ir_version=8,
    )
    graph = onnx_reader.from_bytes(model.SerializeToString()).graph
    with pytest.raises(EngineError, match="no kernel runs the operator evil:Conv") as found:
        Session(graph)
    assert found.value.node == "odd"


def test_profile_adds_up(light_model: Callable[[str], Any]) -> None:
    session = Session(light_model("squeezenet"), threads=1)
    feeds = {session.get_inputs()[0].name: np.ones((1, 3, 224, 224), np.float32)}
    profile = session.profile(feeds, runs=5, warmup=1)
    shares = [sum(n.times_ns[i] for n in profile.nodes) / total for i, total in enumerate(profile.totals_ns)]
    assert len(shares) == 5
    assert max(shares) <= 1
    assert max(shares) >= 0.9, "in a run that no other program interrupts between nodes"


def test_nodes_inside_a_branch_are_timed_apart() -> None:
    branch = helper.make_graph([helper.make_node("Relu", ["x"], ["t"], name="relu")], "t", [], [value("t", [2])])
    other = helper.make_graph([helper.make_node("Neg", ["x"], ["e"], name="neg")], "e", [], [value("e", [2])])
    graph = graph_of(
        [helper.make_node("If", ["c"], ["y"], name="choice", then_branch=branch, else_branch=other)],
        [value("x", [2]), value("c", [], TensorProto.BOOL)],
        [value("y", [2])],
    )
    session = Session(graph)
    feeds = {"x": np.array([-1, 2], np.float32), "c": np.zeros((), np.bool_)}
    assert session.run(None, feeds)[0].tolist() == [1, -2]
    names = [n.name for n in session.profile(feeds, runs=1, warmup=0).nodes]
    assert names == ["choice", "choice/else_branch/neg"]


def test_nodes_of_one_name_keep_their_own_times() -> None:
    """A node without a name is called by its position, which may be the name of another."""
    graph = graph_of(
        [
            helper.make_node("Relu", ["x"], ["a"]),
            helper.make_node("Neg", ["a"], ["b"], name="n0"),
            helper.make_node("Abs", ["b"], ["y"], name="n0"),
        ],
        [value("x", [2])],
        [value("y", [2])],
    )
    now = iter(range(0, 10**9, 1000))
    found = profile(
        Session(graph), {"x": np.ones(2, np.float32)}, runs=2, warmup=0, min_seconds=0, clock=lambda: next(now)
    )
    assert [(n.name, n.op) for n in found.nodes] == [("n0", "Relu"), ("n0#2", "Neg"), ("n0#3", "Abs")]
    assert {n.times_ns for n in found.nodes} == {(1000, 1000)}


@pytest.mark.parametrize("table", ["flat", "by axis"])
@pytest.mark.parametrize("place", ["initializer", "Constant"])
def test_sparse_constants_are_made_dense(table: str, place: str) -> None:
    weight = np.zeros((4, 3), np.float32)
    weight[0, 1], weight[2, 0], weight[3, 2] = 2.0, -1.5, 4.0
    rows, columns = np.nonzero(weight)
    indices = rows * 3 + columns if table == "flat" else np.stack([rows, columns], axis=1)
    stored = helper.make_sparse_tensor(
        numpy_helper.from_array(weight[rows, columns], "w"),
        numpy_helper.from_array(indices.astype(np.int64), "places"),
        [4, 3],
    )
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    if place == "Constant":
        nodes.insert(0, helper.make_node("Constant", [], ["w"], sparse_value=stored))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
    )
    if place == "initializer":
        graph.sparse_initializer.append(stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    raw = onnx_reader.from_bytes(model.SerializeToString()).raw
    session = Session(onnx_reader.resolve_model(raw, assume=False).graph)
    x = np.random.default_rng(0).standard_normal((2, 4), np.float32)
    np.testing.assert_allclose(session.run(None, {"x": x})[0], x @ weight, rtol=1e-6)
