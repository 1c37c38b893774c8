"""Peak memory against a machine that holds exactly what is still needed."""

from __future__ import annotations

import random

import onnx
import pytest

from convcost import analysis
from convcost.onnx_reader import from_bytes


def peak_of(text: str) -> int | None:
    """The peak memory of a model in ONNX's text form."""
    model = onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["" : 19]> {text}')
    graph = from_bytes(model.SerializeToString()).graph
    return analysis.total_cost(graph, analysis.count(graph)).peak_memory_bytes


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs(seed: int) -> None:
    """Inputs are there from the start to their last use, results until theirs, outputs to the end."""
    rng = random.Random(seed)
    size = {"x": 4 * 12, "z": 4 * 12}
    nodes: list[tuple[list[str], str]] = []
    body = ""
    for n in range(rng.randint(1, 8)):
        used = [rng.choice(list(size)) for _ in range(rng.randint(1, 2))]
        name = f"t{n}"
        if len({size[u] for u in used}) > 1:
            used = used[:1]
        kind = rng.choice((1, 4, 8))  # bytes an element: uint8, float, double
        at = {1: 2, 4: 1, 8: 11}[kind]
        body += f"m{n} = Max({', '.join(used)}) {name} = Cast <to = {at}> (m{n}) "
        size[f"m{n}"], size[name] = size[used[0]], 12 * kind
        nodes += [(used, f"m{n}"), ([f"m{n}"], name)]
    outputs = rng.sample([name for _, name in nodes], rng.randint(1, 2))
    if len(nodes) < 2:
        outputs = outputs[:1]
    types = {12: "uint8", 48: "float", 96: "double"}
    declared = ", ".join(f"{types[size[o]]}[3, 4] {o}" for o in outputs)
    peak = 0
    for step in range(-1, len(nodes)):
        later = {u for used, _ in nodes[max(step, 0) :] for u in used} | set(outputs)
        made = {"x", "z"} | {name for _, name in nodes[: step + 1]}
        alive = {t for t in made if t in later} | ({nodes[step][1]} if step >= 0 else set())
        peak = max(peak, sum(size[t] for t in alive))
    assert peak_of(f"g (float[3, 4] x, float[3, 4] z) => ({declared}) {{ {body} }}") == peak


def test_weights_are_there_all_the_time() -> None:
    text = "g (float[1, 2] x) => (float[1, 3] y) <float[2, 3] w = {1, 2, 3, 4, 5, 6}> { y = MatMul(x, w) }"
    assert peak_of(text) == 4 * (2 + 3 + 6)


def test_weights_that_are_listed_as_inputs_count_once() -> None:
    text = (
        "g (float[1, 2] x, float[2, 3] w) => (float[1, 3] y) <float[2, 3] w = {1, 2, 3, 4, 5, 6}> { y = MatMul(x, w) }"
    )
    assert peak_of(text) == 4 * (2 + 3 + 6)


def test_outputs_that_nobody_asked_for_are_left_out() -> None:
    text = "g (float[4, 4] x) => (float[4, 4] y) { y, mask = Dropout(x) }"
    assert peak_of(text) == 4 * 32 + 16
    assert peak_of(text.replace("y, mask", "y")) == 4 * 32


def test_a_result_without_a_reader_goes_at_once() -> None:
    text = "g (float[8] x) => (float[8] y) { a = Relu(x) b = Relu(x) c = Relu(x) y = Relu(x) }"
    assert peak_of(text) == 2 * 32


def test_a_branch_keeps_what_it_captures() -> None:
    """Until the If, t is held beside u and v, or v and w."""
    branches = "then_branch = a () => (float[8] p) { p = Relu(t) }, else_branch = b () => (float[8] q) { q = Relu(x) }"
    body = f"t = Relu(x) u = Neg(t) v = Neg(u) w = Neg(v) y = If <{branches}> (c)"
    assert peak_of(f"g (float[8] x, bool[1] c) => (float[8] y) {{ {body} }}") == 4 * 32 + 1
    inner = branches.replace("p = Relu(t)", f"p = If <{branches.replace('Relu(x)', 'Relu(t)')}> (c)").replace(
        "Relu(x)", "Relu(t)"
    )
    nested = body.replace(branches, inner)
    assert peak_of(f"g (float[8] x, bool[1] c) => (float[8] y) {{ {nested} }}") == 3 * 32 + 1


@pytest.mark.parametrize("body", ["y = Mystery(x)", "t = Mystery(x) y = Relu(t)"])
def test_an_unknown_size_leaves_the_peak_open(body: str) -> None:
    assert peak_of(f"g (float[8] x) => (float[N] y) {{ {body} }}") is None


def test_an_open_input_leaves_the_peak_open() -> None:
    assert peak_of("g (float[8, H] x) => (float[8, H] y) { y = Relu(x) }") is None


def test_constants_among_the_nodes_are_weights_and_not_made() -> None:
    text = "g (float[8] x) => (float[8] y) { k = Constant <value_floats = [1.0, 2.0]> () c = Concat <axis = 0> (k, k, k, k) y = Add(x, c) }"
    assert peak_of(text) == 2 * 32 + 8
