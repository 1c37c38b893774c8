"""Limits: memory before and during a run, iterations, time, Ctrl-C."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from convcost import EngineError, onnx_reader
from convcost.engine import Session
from convcost.engine.memory import available_bytes, default_limit
from convcost.engine.profile import profile
from convcost.ir import Graph

MIB = 1 << 20


def graph_of(nodes: list[Any], inputs: list[Any], outputs: list[Any], initializers: tuple[Any, ...] = ()) -> Graph:
    model = helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs, initializer=list(initializers)),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    raw = onnx_reader.from_bytes(model.SerializeToString()).raw
    return onnx_reader.resolve_model(raw, assume=False).graph


def value(name: str, shape: Any, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def test_refuses_before_allocating_what_shapes_tell() -> None:
    shape = helper.make_tensor("d", TensorProto.INT64, [3], [1 << 20, 1 << 20, 64])
    graph = graph_of(
        [helper.make_node("ConstantOfShape", ["d"], ["huge"], name="fill")], [], [value("huge", None)], (shape,)
    )
    with pytest.raises(EngineError, match=r"tensor 'huge' takes 256 TiB"):
        Session(graph, max_memory=100 * MIB)


BOMBS = {
    "Expand": (["x", "n"], [1, 30_000_000]),
    "Tile": (["x", "n"], [1, 30_000_000]),
    "ConstantOfShape": (["n"], [6000, 6000]),
}


@pytest.mark.parametrize("op", BOMBS)
def test_refuses_sizes_that_only_a_run_knows(op: str) -> None:
    inputs, dims = BOMBS[op]
    graph = graph_of(
        [helper.make_node(op, inputs, ["y"], name="bomb")],
        [value("x", [1, 1]), value("n", [2], TensorProto.INT64)],
        [value("y", None)],
    )
    feeds = {"x": np.zeros((1, 1), np.float32), "n": np.array(dims, np.int64)}
    session = Session(graph, max_memory=100 * MIB)
    with pytest.raises(EngineError, match=r"the limit is 100 MiB") as found:
        session.run(None, feeds)
    assert found.value.code == "C430"
    feeds["n"] = np.array([2, 3], np.int64)
    assert session.run(None, feeds)[0].size == 6


def test_refuses_a_range_that_only_a_run_knows() -> None:
    graph = graph_of(
        [helper.make_node("Range", ["a", "b", "c"], ["y"], name="range")],
        [value(n, [], TensorProto.INT64) for n in "abc"],
        [value("y", None, TensorProto.INT64)],
    )
    feeds = {n: np.array(v, np.int64) for n, v in zip("abc", (0, 1 << 40, 1), strict=True)}
    with pytest.raises(EngineError, match=r"takes 8\.00 TiB"):
        Session(graph, max_memory=100 * MIB).run(None, feeds)


def test_strings_that_grow_are_stopped() -> None:
    body = helper.make_graph(
        [
            helper.make_node("StringConcat", ["s", "s"], ["t"], name="double"),
            helper.make_node("Identity", ["c"], ["d"], name="go"),
        ],
        "b",
        [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL), value("s", [1], TensorProto.STRING)],
        [value("d", [], TensorProto.BOOL), value("t", [1], TensorProto.STRING)],
    )
    trips = helper.make_tensor("m", TensorProto.INT64, [], [60])
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Loop", ["m", "", "x"], ["y"], name="loop", body=body)],
            "g",
            [value("x", [1], TensorProto.STRING)],
            [value("y", [1], TensorProto.STRING)],
            initializer=[trips],
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=9,
    )
    graph = onnx_reader.from_bytes(model.SerializeToString()).graph
    with pytest.raises(EngineError, match=r"the limit is 10\.0 MiB"):
        Session(graph, max_memory=10 * MIB).run(None, {"x": np.array(["ab"], object)})


def endless() -> Graph:
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["d"], name="go"), helper.make_node("Neg", ["s"], ["t"], name="neg")],
        "b",
        [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL), value("s", [1])],
        [value("d", [], TensorProto.BOOL), value("t", [1])],
    )
    return graph_of(
        [helper.make_node("Loop", ["", "c0", "x"], ["y"], name="loop", body=body)],
        [value("x", [1]), value("c0", [], TensorProto.BOOL)],
        [value("y", [1])],
    )


FOREVER = {"x": np.ones(1, np.float32), "c0": np.ones((), np.bool_)}


def test_loop_has_an_iteration_limit() -> None:
    with pytest.raises(EngineError, match="has run 1000 iterations") as found:
        Session(endless(), max_iterations=1000).run(None, FOREVER)
    assert found.value.node == "loop"


def test_run_has_a_time_limit() -> None:
    with pytest.raises(EngineError, match=r"the time limit of 0\.05 s is over"):
        Session(endless(), time_limit=0.05).run(None, FOREVER)


def test_a_long_kernel_obeys_the_time_limit() -> None:
    graph = graph_of(
        [helper.make_node("Conv", ["x", "w"], ["y"], name="conv", pads=[15, 15, 15, 15])],
        [value("x", [1, 64, 512, 512]), value("w", [64, 64, 31, 31])],
        [value("y", None)],
    )
    feeds = {"x": np.zeros((1, 64, 512, 512), np.float32), "w": np.zeros((64, 64, 31, 31), np.float32)}
    session = Session(graph, threads=1, time_limit=0.2)
    begin = time.monotonic()
    with pytest.raises(EngineError, match="the time limit"):
        session.run(None, feeds)
    assert time.monotonic() - begin < 10


def test_collected_outputs_of_a_loop_are_counted() -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["d"], name="go"), helper.make_node("Neg", ["big"], ["t"], name="neg")],
        "b",
        [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL)],
        [value("d", [], TensorProto.BOOL), value("t", [1 << 18])],
    )
    graph = graph_of(
        [helper.make_node("Loop", ["n", ""], ["y"], name="loop", body=body)],
        [value("big", [1 << 18]), value("n", [], TensorProto.INT64)],
        [value("y", None)],
    )
    feeds = {"big": np.zeros(1 << 18, np.float32), "n": np.array(1000, np.int64)}
    with pytest.raises(EngineError, match=r"the limit is 20\.0 MiB"):
        Session(graph, max_memory=20 * MIB).run(None, feeds)


def test_interrupt_keeps_what_was_measured() -> None:
    graph = graph_of([helper.make_node("Neg", ["x"], ["y"], name="neg")], [value("x", [2])], [value("y", [2])])
    session = Session(graph)
    now = iter(range(10**6))

    def clock() -> int:
        tick = next(now)
        if tick > 40:
            raise KeyboardInterrupt
        return tick

    found = profile(session, {"x": np.ones(2, np.float32)}, runs=1000, warmup=0, min_seconds=0, clock=clock)
    assert found.interrupted
    assert 0 < len(found.totals_ns) < 1000
    assert all(len(n.times_ns) == len(found.totals_ns) == len(found.plain_ns) for n in found.nodes)


def test_memory_limit_is_a_share_of_what_is_there() -> None:
    available = available_bytes()
    assert available is not None
    assert 0.5 * available < default_limit() < available


def test_what_a_kernel_refuses_is_one_clear_line() -> None:
    graph = graph_of(
        [helper.make_node("MatMul", ["a", "b"], ["y"], name="product")],
        [value("a", ["n", "k"]), value("b", ["m", "p"])],
        [value("y", None)],
    )
    with pytest.raises(EngineError) as found:
        Session(graph).run(None, {"a": np.zeros((2, 3), np.float32), "b": np.zeros((4, 5), np.float32)})
    assert found.value.node == "product"
    assert "\n" not in str(found.value)
