"""Compiled programs: the same numbers as node by node, with less memory, and nothing shared between runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import onnx_reader
from convcost.engine import Session
from convcost.engine.guard import Watch
from convcost.engine.static.buffers import Arena


def node_by_node(session: Session, feeds: dict[str, Any]) -> list[Any]:
    """The outputs of the plan that is not compiled."""
    return session.plan.execute(session.inputs(feeds), [], Watch(session.limits))


@pytest.mark.parametrize("name", ["squeezenet", "shufflenet", "densenet121"])
@pytest.mark.parametrize(("fuse", "threads"), [(True, 1), (False, 1), (True, 2)])
def test_networks_give_the_same_as_node_by_node(
    name: str, fuse: Any, threads: int, light_model: Callable[[str], Path]
) -> None:
    session = Session(light_model(name), threads=threads)
    feeds = {session.get_inputs()[0].name: np.random.default_rng(1).standard_normal((1, 3, 224, 224), np.float32)}
    (expected,) = node_by_node(session, feeds)
    (found,) = session.watched(None, feeds, Watch(session.limits), fuse=fuse)
    assert expected.std() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def network(shape: list[Any] | None = None) -> bytes:
    """Convolutions around everything that joins them: normalisation, residuals, concatenation, pooling, views."""
    rng = np.random.default_rng(3)

    def weight(name: str, *dims: int) -> Any:
        return numpy_helper.from_array((rng.standard_normal(dims) * 0.3).astype(np.float32), name)

    stored = [weight("w1", 8, 3, 3, 3), weight("w2", 8, 8, 3, 3), weight("w3", 8, 16, 1, 1), weight("w4", 5, 72)]
    stored += [weight(n, 8) for n in ("b1", "scale", "shift", "mean")]
    stored += [numpy_helper.from_array(rng.uniform(0.5, 1.5, 8).astype(np.float32), "var"), weight("gain", 8, 1, 1)]
    make = helper.make_node
    nodes = [
        make("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        make("BatchNormalization", ["c1", "scale", "shift", "mean", "var"], ["n1"]),
        make("Relu", ["n1"], ["r1"]),
        make("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1]),
        make("Mul", ["c2", "gain"], ["m2"]),
        make("Add", ["m2", "r1"], ["a2"]),
        make("LeakyRelu", ["a2"], ["l2"], alpha=0.2),
        make("Concat", ["l2", "r1"], ["k"], axis=1),
        make("Conv", ["k", "w3"], ["c3"]),
        make("Sigmoid", ["c3"], ["s3"]),
        make("Mul", ["c3", "s3"], ["g3"]),
        make("MaxPool", ["g3"], ["p3"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        make("AveragePool", ["p3"], ["p4"], kernel_shape=[2, 2]),
        make("LRN", ["p4"], ["q4"], size=3),
        make("Flatten", ["q4"], ["f"]),
        make("Gemm", ["f", "w4"], ["y"], transB=1),
    ]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("y", "l2")]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape or [2, 3, 7, 7])
    model = helper.make_model(
        helper.make_graph(nodes, "g", [x], outputs, stored), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    data: bytes = model.SerializeToString()
    return data


def session_of(data: bytes, **options: Any) -> Session:
    raw = onnx_reader.from_bytes(data).raw
    return Session(onnx_reader.resolve_model(raw, assume=False).graph, **options)


def dense_and_shuffled() -> bytes:
    """A dense block, whose arrays grow in place, then a residual block with shuffled groups, then poolings."""
    rng = np.random.default_rng(4)
    stored: list[Any] = [numpy_helper.from_array(np.array([0, 4, 6, 9, 9]), "split")]
    stored.append(numpy_helper.from_array(np.array([0, 24, 9, 9]), "joined"))
    nodes: list[Any] = []

    def conv(x: str, y: str, c: int, m: int, k: int, group: int = 1) -> None:
        w = rng.standard_normal((m, c // group, k, k)).astype(np.float32) / np.sqrt(c * k * k / group)
        stored.append(numpy_helper.from_array(w.astype(np.float32), f"w_{y}"))
        nodes.append(helper.make_node("Conv", [x, f"w_{y}"], [y], group=group, pads=[k // 2] * 4))

    def normalise(x: str, c: int, *, low: float = 0.5) -> str:
        names = [f"{x}_{part}" for part in ("scale", "shift", "mean", "var")]
        values = [rng.uniform(low, 1.5, c), rng.standard_normal(c), rng.standard_normal(c), rng.uniform(0.5, 2, c)]
        stored.extend(numpy_helper.from_array(v.astype(np.float32), n) for v, n in zip(values, names, strict=True))
        nodes.append(helper.make_node("BatchNormalization", [x, *names], [f"{x}_n"]))
        nodes.append(helper.make_node("Relu", [f"{x}_n"], [f"{x}_r"]))
        return f"{x}_r"

    def node(op: str, inputs: list[str], output: str, **attrs: Any) -> None:
        nodes.append(helper.make_node(op, inputs, [output], **attrs))

    conv("x", "d0", 3, 8, 3)
    conv(normalise("d0", 8), "g1", 8, 8, 1)
    node("Concat", ["d0", "g1"], "d1", axis=1)
    conv(normalise("d1", 16, low=-1.5), "g2", 16, 8, 1)
    node("Concat", ["d1", "g2"], "d2", axis=1)
    conv("d2", "s1", 24, 24, 1, group=4)
    node("Reshape", [normalise("s1", 24), "split"], "s2")
    node("Transpose", ["s2"], "s3", perm=[0, 2, 1, 3, 4])
    node("Reshape", ["s3", "joined"], "s4")
    conv("s4", "s5", 24, 24, 3, group=24)
    conv("s5", "s6", 24, 24, 1, group=4)
    node("Sum", ["s6", "d2"], "s7")
    conv("s7", "a", 24, 16, 3)
    conv("s7", "b", 24, 32, 1)
    node("Relu", ["a"], "ra")
    node("Relu", ["b"], "rb")
    node("MaxPool", ["ra"], "m", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    node("MaxPool", ["rb"], "n", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1, pads=[1, 1, 0, 0])
    node("Concat", ["m", "n"], "k", axis=1)
    node("AveragePool", ["k"], "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("y", "g2")]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 9, 9])
    graph = helper.make_graph(nodes, "g", [x], outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


@pytest.mark.parametrize("options", [{}, {"tune": True}, {"threads": 2}, {"exact": True}])
@pytest.mark.parametrize("batch", [1, 3])
def test_parts_made_in_place_and_shuffled_channels_agree_with_onnxruntime(
    options: dict[str, Any], batch: int, onnxruntime_outputs: Any
) -> None:
    data = dense_and_shuffled()
    session = session_of(data, **options)
    x = np.random.default_rng(2).standard_normal((batch, 3, 9, 9), np.float32)
    for _ in range(2):
        for ours, theirs in zip(session.run(None, {"x": x}), onnxruntime_outputs(data, {"x": x}), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_what_is_concatenated_is_made_in_its_place() -> None:
    program = session_of(dense_and_shuffled())._programs.find([np.zeros((1, 3, 9, 9), np.float32)], fuse=True)
    assert program is not None
    assert {name: (spot.whole, spot.start) for name, spot in program.memory.inside.items()} == {
        "d0": ("d2", 0),
        "g1": ("d2", 8),
        "d1": ("d2", 0),
        "g2": ("d2", 16),
        "m": ("k", 0),
        "n": ("k", 16),
    }
    assert ["Conv", "Reshape", "Transpose", "Reshape"] in [[n.op for n in e.unit.nodes] for e in program.entries]


X = np.random.default_rng(0).standard_normal((2, 3, 7, 7), np.float32)


@pytest.mark.parametrize("options", [{}, {"tune": True}, {"exact": True}, {"threads": 2}])
@pytest.mark.parametrize("fuse", [True, False])
def test_every_kind_of_unit_agrees_with_onnxruntime(
    options: dict[str, Any], fuse: Any, onnxruntime_outputs: Any
) -> None:
    data = network()
    session = session_of(data, **options)
    found = session.watched(None, {"x": X}, Watch(session.limits), fuse=fuse)
    for ours, theirs in zip(found, onnxruntime_outputs(data, {"x": X}), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_fusing_leaves_one_unit_for_each_convolution_and_its_tail() -> None:
    session = session_of(network())
    program = session._programs.find([X], fuse=True)
    assert program is not None
    covered = [[n.op for n in e.unit.nodes] for e in program.entries]
    assert ["Conv", "BatchNormalization", "Relu"] in covered
    assert ["Conv", "Mul", "Add", "LeakyRelu"] in covered
    apart = session._programs.find([X], fuse=False)
    assert apart is not None
    assert [len(e.unit.nodes) for e in apart.entries] == [1] * 16


def test_outputs_are_the_callers_own() -> None:
    session = session_of(network())
    first = session.run(None, {"x": X})
    kept = [o.copy() for o in first]
    for o in session.run(None, {"x": -X}):
        o[:] = 0
    assert all(np.array_equal(a, b) for a, b in zip(first, kept, strict=True))
    again = session.run(None, {"x": X})
    assert all(np.array_equal(a, b) for a, b in zip(again, kept, strict=True))


def test_each_batch_size_has_its_own_program(onnxruntime_outputs: Any) -> None:
    data = network(["n", 3, 7, 7])
    session = session_of(data)
    for n in (1, 3, 1, 2):
        x = np.random.default_rng(n).standard_normal((n, 3, 7, 7), np.float32)
        for ours, theirs in zip(session.run(None, {"x": x}), onnxruntime_outputs(data, {"x": x}), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_runs_of_several_threads_do_not_mix() -> None:
    session = session_of(network())
    inputs = [X * k for k in range(8)]
    alone = [session.run(["y"], {"x": x})[0] for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda x: session.run(["y"], {"x": x})[0], inputs))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_arrays_that_do_not_live_together_share_memory(light_model: Callable[[str], Path]) -> None:
    session = Session(light_model("squeezenet"), threads=1)
    x = np.zeros((1, 3, 224, 224), np.float32)
    program = session._programs.find([x], fuse=True)
    assert program is not None
    made = [t for n in session.graph.nodes for o in n.outputs if not (t := session.graph.tensors[o]).constant]
    every = sum(4 * math.prod(d for d in t.shape if isinstance(d, int)) for t in made if t.shape)
    assert program.memory.arena.nbytes < every / 5


@pytest.mark.parametrize(
    "attrs",
    [
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [2, 4], "strides": [1, 2], "pads": [1, 0, 0, 3]},
        {"kernel_shape": [3, 2], "strides": [3, 2], "pads": [2, 0, 2, 1]},
        {"kernel_shape": [5, 5], "strides": [1, 1], "pads": [2, 2, 2, 2]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
        {"kernel_shape": [2, 2], "dilations": [3, 2], "pads": [0, 1, 0, 1]},
        {"kernel_shape": [9, 10], "strides": [1, 1], "pads": [4, 4, 4, 4]},
    ],
)
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_poolings_need_no_border(op: str, attrs: dict[str, Any], onnxruntime_outputs: Any) -> None:
    weight = numpy_helper.from_array(np.random.default_rng(5).standard_normal((6, 3, 1, 1), np.float32), "w")
    opset = 19 if op == "AveragePool" else 17
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node(op, ["r"], ["y"], **attrs),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 11, 12])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [x], [y], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    feeds = {"x": np.random.default_rng(6).standard_normal((2, 3, 11, 12), np.float32)}
    data = model.SerializeToString()
    (ours,), (theirs,) = session_of(data).run(None, feeds), onnxruntime_outputs(data, feeds)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_arena_reuses_the_smallest_block_that_fits() -> None:
    arena = Arena()
    blocks = [arena.take(n) for n in (100, 400, 200)]
    for b in blocks:
        arena.give(b)
    assert arena.take(150) == blocks[2]
    assert arena.take(500) == blocks[1]
    assert arena.sizes == [100, 500, 200]


def test_a_transposition_and_a_view_have_a_time_each() -> None:
    times = {
        n.op: n.times_ns
        for n in session_of(dense_and_shuffled())
        .profile({"x": np.zeros((1, 3, 9, 9), np.float32)}, runs=1, warmup=0)
        .nodes
    }
    assert {"Transpose", "Reshape"} <= set(times)
