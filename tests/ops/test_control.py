"""Branches, loops and maps: what is known after them, and how often their bodies run."""

from __future__ import annotations

from typing import Any

import pytest
from onnx import TensorProto, helper, parser

from convcost.analysis import count
from convcost.errors import ModelError
from convcost.ir import Graph
from convcost.ir.graph import SEQUENCE
from convcost.onnx_reader import from_bytes


def graph_of(text: str, opset: int = 21) -> Graph:
    """The resolved graph of a model in ONNX's text form."""
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : {opset}]>\n{text}')
    return from_bytes(model.SerializeToString()).graph


def macs(graph: Graph) -> Any:
    """MACs in all, or None where they are a lower bound."""
    counted = count(graph)
    return counted.total.work.macs if counted.coverage.complete else None


BRANCHES = """
main (bool[1] c, float[2,4] x) => (float[N,M] y) <float[4,8] A, float[4,{n}] B> {{
  {before}
  y = If (d) <
    then_branch = t () => (float[N,M] p) {{ p = MatMul(x, {left}) }},
    else_branch = e () => (float[N,M] q) {{ q = MatMul(x, {right}) }}
  >
}}
"""
GIVEN = "d = Identity(c)"
TRUE = "d = Constant <value = bool {1}> ()"
FALSE = "d = Constant <value = bool {0}> ()"


def branches(before: str, left: str, right: str, n: int = 3) -> Graph:
    weights = [
        helper.make_tensor(w, TensorProto.FLOAT, s, [0.0] * (s[0] * s[1])) for w, s in (("A", (4, 8)), ("B", (4, n)))
    ]
    text = BRANCHES.format(before=before, left=left, right=right, n=n).replace(f"<float[4,8] A, float[4,{n}] B>", "")
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 21]>\n{text}')
    model.graph.initializer.extend(weights)
    return from_bytes(model.SerializeToString()).graph


@pytest.mark.parametrize(("before", "shape", "products"), [(TRUE, (2, 8), 64), (FALSE, (2, 3), 24)])
def test_a_condition_that_folds_picks_its_branch(before: str, shape: Any, products: int) -> None:
    graph = branches(before, "A", "B")
    assert graph.tensors["y"].shape == shape
    assert macs(graph) == products


def test_branches_that_agree_are_known() -> None:
    assert branches(GIVEN, "A", "A").tensors["y"].shape == (2, 8)


def test_branches_that_differ_are_not_known() -> None:
    y = branches(GIVEN, "A", "B").tensors["y"]
    assert y.shape is None
    assert "2x8 and 2x3" in y.reason


def test_a_branch_that_cannot_run_is_set_aside() -> None:
    graph = branches(GIVEN, "A", "x")
    assert graph.tensors["y"].shape == (2, 8)
    assert count(graph).total.work.macs == 64


def test_the_other_branch_may_contradict_but_not_the_one_that_is_picked() -> None:
    assert branches(TRUE, "A", "x").tensors["y"].shape == (2, 8)
    with pytest.raises(ModelError, match="inner dimensions"):
        branches(TRUE, "x", "A")


LOOP = """
main (float[1,4] x, int64 n, bool c) => (float[1,4] y, float[T,1,4] z) {{
  m = Constant <value = int64 {{{m}}}> ()
  go = Constant <value = bool {{{go}}}> ()
  y, z = Loop ({limit}, {start}, x) <body = b (int64 i, bool on, float[1,4] v) => (bool k, float[1,4] w, float[1,4] s) {{
    {ends}
    t = Transpose(v)
    p = MatMul(t, v)
    w = MatMul(v, p)
    s = Identity(w)
  }}>
}}
"""
EACH = 16 + 16
"""MACs of one iteration: (4, 1)·(1, 4) and (1, 4)·(4, 4)."""

KEEPS = "k = Identity(on)"
DATA = "a = ReduceSum <keepdims = 0> (v) f = Constant <value = float {0.0}> () k = Less(a, f)"


def loop(limit: str = "m", start: str = "go", ends: str = KEEPS, m: int = 3, go: int = 1) -> Graph:
    return graph_of(LOOP.format(limit=limit, start=start, ends=ends, m=m, go=go))


@pytest.mark.parametrize(
    ("given", "trips"),
    [
        ({}, 3),
        ({"start": ""}, 3),
        ({"m": 0}, 0),
        ({"m": -5}, 0),
        ({"go": 0}, 0),
        ({"ends": "k = Constant <value = bool {1}> ()"}, 3),
        ({"start": "", "ends": DATA}, 3),
        ({"limit": "n"}, None),
        ({"start": "c"}, None),
        ({"ends": DATA}, None),
        ({"limit": ""}, None),
    ],
)
def test_trips_of_a_loop(given: dict[str, Any], trips: int | None) -> None:
    graph = loop(**given)
    assert graph.tensors["y"].shape == (1, 4)
    assert graph.tensors["z"].shape == (None if trips is None else (trips, 1, 4))
    assert macs(graph) == (None if trips is None else trips * EACH)


def test_what_grows_in_a_loop_is_not_known() -> None:
    graph = graph_of("""
    main (float[1,4] x) => (float[N,4] y) {
      m = Constant <value = int64 {3}> ()
      y = Loop (m, "", x) <body = b (int64 i, bool on, float[N,4] v) => (bool on2, float[M,4] w) {
        on2 = Identity(on)
        w = Concat <axis = 0> (v, v)
      }>
    }""")
    assert graph.tensors["y"].shape is None
    assert "changes from one iteration to the next" in graph.tensors["y"].reason


def test_a_loop_that_contradicts_is_an_error() -> None:
    with pytest.raises(ModelError, match="inner dimensions"):
        graph_of("""
        main (float[1,4] x) => (float[1,4] y) {
          m = Constant <value = int64 {3}> ()
          y = Loop (m, "", x) <body = b (int64 i, bool on, float[1,4] v) => (bool on2, float[1,4] w) {
            on2 = Identity(on)
            w = MatMul(v, v)
          }>
        }""")


SCAN = """
main (float[3] s0, float[{shape}] xs) => (float[3] sn, float[{out}] ys) {{
  sn, ys = Scan <num_scan_inputs = 1 {attributes}, body = b (float[3] s, float[2] x) => (float[3] t, float[2,3] y) {{
    t = Identity(s)
    one = Constant <value = int64[1] {{1}}> ()
    column = Unsqueeze(x, one)
    zero = Constant <value = int64[1] {{0}}> ()
    row = Unsqueeze(s, zero)
    y = MatMul(column, row)
  }}> (s0, xs)
}}
"""


@pytest.mark.parametrize(
    ("shape", "attributes", "out"),
    [
        ("7,2", "", (7, 2, 3)),
        ("2,7", ", scan_input_axes = [1]", (7, 2, 3)),
        ("7,2", ", scan_output_axes = [2]", (2, 3, 7)),
    ],
)
def test_scan(shape: str, attributes: str, out: tuple[int, ...]) -> None:
    graph = graph_of(SCAN.format(shape=shape, attributes=attributes, out=",".join(map(str, out))))
    assert graph.tensors["sn"].shape == (3,)
    assert graph.tensors["ys"].shape == out
    assert macs(graph) == 7 * 2 * 3


def test_a_map_over_a_list_runs_for_each_element() -> None:
    graph = graph_of("""
    main (float[4,8] x) => (seq(float[N,M]) t) {
      sizes = Constant <value = int64[4] {1,1,1,1}> ()
      s = SplitToSequence (x, sizes)
      w = Constant <value_floats = [1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0]> ()
      t = SequenceMap (s) <body = b (float[1,8] e) => (float[1] f) { f = MatMul(e, w) }>
    }""")
    t = graph.tensors["t"]
    assert (t.container, t.shape, t.length) == (SEQUENCE, (1,), 4)
    assert macs(graph) == 4 * 8


def nested(depth: int) -> str:
    """Loops inside each other, each of which makes what it carries larger."""
    inner = nested(depth - 1) if depth > 1 else ""
    return (
        f'm{depth} = Constant <value = int64 {{2}}> () o{depth} = Loop (m{depth}, "", x) <body = b{depth} '
        f"(int64 i, bool on, float[N] v) => (bool k, float[M] z) {{ k = Identity(on) {inner} z = Concat <axis = 0> (v, v) }}>"
    )


def test_loops_in_loops_that_grow_come_to_an_end() -> None:
    y = graph_of("main (float[2] x) => (float[N] y) {" + nested(30) + " y = Identity(o30) }").tensors["y"]
    assert y.shape is None
    assert "from one iteration to the next" in y.reason
