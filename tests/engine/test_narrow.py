"""Plans for given shapes: the same outputs as those for any shapes, and as onnxruntime's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import parser

from convcost import Session
from convcost.engine.narrow import KEPT, SEEN
from convcost.errors import EngineError

HEAD = '<ir_version: 8, opset_import: ["" : 17, "f" : 1]>'

SHAPES = """g (float[N, M] x, int64[K] k) => (float[a, b, c] y, int64[n] r) <int64[1] one = {1}, int64 zero = {0}>
{
    s = Shape(x)
    n = Gather(s, zero)
    m = Unsqueeze(n, one_axis)
    wanted = Concat<axis = 0>(one, s)
    y = Reshape(x, wanted)
    last = ReduceMax<keepdims = 0>(k)
    r = Range(zero, last, one_scalar)
    one_axis = Constant<value_ints = [0]>()
    one_scalar = Constant<value_int = 1>()
}"""

BRANCH = """g (float[N, 3] x) => (float[a, b] y) <float[3, 2] w = {1, 2, 3, 4, 5, 6}, int64 zero = {0}, int64 two = {2}>
{
    s = Shape(x)
    n = Gather(s, zero)
    few = Less(n, two)
    y = If(few) <
        then_branch = t () => (float[a, b] p) { t2 = Transpose<perm = [1, 0]>(w)
            t3 = Transpose<perm = [1, 0]>(t2)
            p = MatMul(x, t3) },
        else_branch = e () => (float[a, b] q) { w2 = Add(w, w)
            q = MatMul(x, w2) }>
}"""

FOUND = """g (float[N] x) => (float[m] y, int64[1] size)
{
    places = NonZero(x)
    axes = Constant<value_ints = [0]>()
    flat = Squeeze(places, axes)
    y = Gather(x, flat)
    size = Shape(y)
}"""


def sorted_nodes(text: str) -> bytes:
    """The model of a text, constants first, as ONNX wants nodes in order."""
    model = parser.parse_model(HEAD + text)
    nodes = sorted(model.graph.node, key=lambda n: n.op_type != "Constant")
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    data: bytes = model.SerializeToString()
    return data


@pytest.fixture
def session_of(tmp_path: Path) -> Callable[..., Session]:
    """A session that knows no more of the shapes than the model."""

    def make(data: bytes, **options: Any) -> Session:
        path = tmp_path / "model.onnx"
        path.write_bytes(data)
        return Session(path, **options)

    return make


def agree(found: list[Any], expected: list[Any]) -> None:
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def numbers(*shape: int) -> Any:
    return np.random.default_rng(0).integers(-3, 3, shape).astype(np.float32)


@pytest.mark.parametrize(
    ("text", "feeds"),
    [
        (SHAPES, [{"x": numbers(2, 3), "k": np.array([1, k])} for k in (4, 4, 7, 2)]),
        (SHAPES, [{"x": numbers(n, 3), "k": np.array([3])} for n in (2, 5, 2, 5, 2, 5)]),
        (BRANCH, [{"x": numbers(n, 3)} for n in (1, 1, 4, 4, 1, 4)]),
        (FOUND, [{"x": np.array(x, np.float32)} for x in ([1, 0, 2], [0, 0, 1], [1, 2, 3], [0, 0, 0])]),
    ],
    ids=["content", "shapes", "branches", "data"],
)
def test_every_run_agrees_with_onnxruntime(
    text: str, feeds: list[dict[str, Any]], session_of: Callable[..., Session], onnxruntime_outputs: Any
) -> None:
    data = sorted_nodes(text)
    session = session_of(data)
    for given in feeds:
        agree(session.run(None, given), onnxruntime_outputs(data, given))


def test_shape_arithmetic_is_done_once(session_of: Callable[..., Session]) -> None:
    """Of the nine nodes two depend on the content of an input; the Reshape runs too."""
    session = session_of(sorted_nodes(SHAPES))
    feeds = {"x": numbers(2, 3), "k": np.array([3])}
    for _ in range(3):
        session.run(None, feeds)
    nodes = session.profile(feeds, runs=1, warmup=0, fuse=True).nodes
    assert len(nodes) == 9
    assert sorted(n.op for n in nodes if n.algorithm != "folded") == ["Range", "ReduceMax", "Reshape"]
    apart = [n.op for n in session.profile(feeds, runs=1, warmup=0).nodes if n.algorithm != "folded"]
    assert sorted(apart) == ["Concat", "Gather", "Range", "ReduceMax", "Reshape", "Shape", "Unsqueeze"]


def test_random_numbers_are_drawn_at_every_run(session_of: Callable[..., Session]) -> None:
    text = """g (float[N] x) => (float[N] y)
    {
        s = Shape(x)
        zeros = ConstantOfShape(s)
        noise = RandomUniformLike(zeros)
        y = Add(x, noise)
    }"""
    session = session_of(sorted_nodes(text))
    feeds = {"x": np.zeros(8, np.float32)}
    drawn = [session.run(None, feeds)[0].tolist() for _ in range(4)]
    assert len({tuple(d) for d in drawn}) == 4


@pytest.mark.parametrize("runs", [1, 3])
def test_an_error_names_the_node(runs: int, session_of: Callable[..., Session]) -> None:
    text = """g (float[N] x, int64[K] k) => (float[m] y)
    {
        s = Shape(x)
        z = ConstantOfShape(s)
        a = Add(x, z)
        y = Gather(a, k)
    }"""
    session = session_of(sorted_nodes(text))
    for _ in range(runs):
        session.run(None, {"x": np.zeros(4, np.float32), "k": np.array([3])})
    with pytest.raises(EngineError) as wrong:
        session.run(None, {"x": np.zeros(4, np.float32), "k": np.array([9])})
    assert wrong.value.code == "C420"
    assert wrong.value.node == session.graph.nodes[-1].name


def test_memory_and_time_are_limited_at_every_run(session_of: Callable[..., Session]) -> None:
    text = """g (float[N] x, int64[1] k) => (float[m] y)
    {
        y = Tile(x, k)
    }"""
    session = session_of(sorted_nodes(text), max_memory=30_000_000)
    x = np.zeros(1000, np.float32)
    for _ in range(3):
        session.run(None, {"x": x, "k": np.array([2])})
    with pytest.raises(EngineError, match="the limit is") as wrong:
        session.run(None, {"x": x, "k": np.array([10_000])})
    assert wrong.value.code == "C430"
    late = session_of(sorted_nodes(text), time_limit=1e-9)
    for _ in range(3):
        with pytest.raises(EngineError) as over:
            late.run(None, {"x": x, "k": np.array([2])})
        assert over.value.code == "C431"


CONVOLUTION = """g (float[N, 2, 4, 4] x, int64[2] k) => (float[a, b] y, float[c, d] z) <float[2, 2, 1, 1] w = {1, 2, 3, 4}, int64 zero = {0}>
{
    axes = Constant<value_ints = [0]>()
    rest = Constant<value_ints = [-1]>()
    made = Conv(x, w)
    y = Reshape(made, k)
    s = Shape(made)
    n = Gather(s, zero)
    m = Unsqueeze(n, axes)
    wanted = Concat<axis = 0>(m, rest)
    flat = Reshape(made, wanted)
    z = Relu(flat)
}"""


def test_a_compiled_program_depends_on_shapes_alone(
    session_of: Callable[..., Session], onnxruntime_outputs: Any
) -> None:
    data = sorted_nodes(CONVOLUTION)
    session = session_of(data)
    for k in ((2, 32), (2, 32), (4, 16), (64, 1)):
        feeds = {"x": numbers(2, 2, 4, 4), "k": np.array(k)}
        agree(session.run(None, feeds), onnxruntime_outputs(data, feeds))
    nodes = session.profile(feeds, runs=1, warmup=0, fuse=True).nodes
    assert [n.op for n in nodes if n.algorithm == "folded"] == [
        "Constant",
        "Constant",
        *["Shape", "Gather", "Unsqueeze", "Concat"],
    ]


def test_few_plans_are_kept(session_of: Callable[..., Session]) -> None:
    session = session_of(sorted_nodes(BRANCH))
    for n in range(1, SEEN + 20):
        session.run(None, {"x": numbers(n, 3)})
        if n < 3 * KEPT:
            session.run(None, {"x": numbers(n, 3)})
    plans = session._narrowed.made.values()
    assert len(plans) <= SEEN
    assert sum(plan is not None for plan in plans) <= KEPT


def test_threads_share_a_session(session_of: Callable[..., Session]) -> None:
    session = session_of(sorted_nodes(SHAPES))

    def wrong(i: int) -> bool:
        x = numbers(1 + i % 40, 3)
        y, r = session.run(None, {"x": x, "k": np.array([i % 7])})
        return not (np.array_equal(y[0], x) and r.tolist() == list(range(i % 7)))

    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(wrong, range(400)))
