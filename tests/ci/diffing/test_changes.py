"""What is said of one layer that changed, and of layers that stand elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from convcost import record
from convcost.ci.diffing.changes import NOTHING, changes, cost_deltas, delta
from convcost.ci.diffing.difference import difference
from convcost.ci.diffing.matching import matched

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"op": "Conv"}, {"op": "Gemm"}, [("op", "Conv", "Gemm")]),
        ({}, {"domain": "com.microsoft"}, [("domain", "ai.onnx", "com.microsoft")]),
        (
            {"attributes": {"dilations": [1, 1], "pads": [1, 1, 1, 1]}},
            {"attributes": {"dilations": [2, 2], "auto_pad": "SAME_UPPER", "mode": "x"}},
            [("dilation", "1×1", "2×2"), ("padding", "1,1,1,1", None), ("padding mode", None, "SAME_UPPER"),
             ("mode", None, "x")],
        ),
        ({"repeats": 1}, {"repeats": 7}, [("repeats", "1", "7")]),
        ({"shared_weights": False}, {"shared_weights": True}, [("weights", "own", "shared")]),
        (
            {"op": "Gemm", "inputs": [[1, 10]], "outputs": []},
            {"op": "Gemm", "inputs": [[1, 20]], "outputs": [[1, 5]]},
            [("input", "1×10", "1×20"), ("output", None, "1×5")],
        ),
        ({}, {"op": "Add", "inputs": [[1, 8, 9, 9]]}, [("op", "Conv", "Add"), ("input", "1×8×8×8", "1×8×9×9")]),
        ({"inputs": [["N", 8]]}, {"inputs": [[1, 8]]}, [("input", "N×8", "1×8")]),
        ({"inputs": [[1, 8, 9]]}, {"inputs": [[1, 8, 9, 9]]}, [("input", "1×8×9", "1×8×9×9")]),
        ({"inputs": [None]}, {"inputs": [[1, 8, 9]]}, [("input", None, "1×8×9")]),
        ({"inputs": [[1, 8, 9]]}, {"inputs": [[2, 4, 7]]}, [("input batch", "1", "2"), ("input channels", "8", "4"),
                                                            ("input size", "9", "7")]),
        (
            {"op": "Concat", "inputs": [[1, 8, 9], [3]], "outputs": [[1], None]},
            {"op": "Concat", "inputs": [[1, 8, 9], [4]], "outputs": [[1], [2]]},
            [("inputs", "1×8×9, 3", "1×8×9, 4"), ("outputs", "1, ?", "1, 2")],
        ),
        ({"attributes": {"axis": "a" * 80}}, {"attributes": {"axis": "a" * 81}},
         [("axis", "a" * 80, "a" * 40 + "…" + "a" * 39)]),
    ],
)  # fmt: skip
def test_what_is_said(layer: Make, old: dict[str, Any], new: dict[str, Any], said: list[Any]) -> None:
    found = changes(layer("a", **{"op": "Conv", **old}), layer("a", **{"op": "Conv", **new}))
    assert [(c.what, c.old, c.new) for c in found] == said


@pytest.mark.parametrize(
    ("old", "new", "change", "relative"),
    [(100, 90, -10, -0.1), (0, 5, 5, None), (5, 0, -5, -1.0), (None, 5, None, None), (5, None, None, None)],
)
def test_a_delta(old: int | None, new: int | None, change: int | None, relative: float | None) -> None:
    found = delta("macs", old, new)
    assert (found.change, found.relative, found.exact) == (change, relative, True)


def test_formulas_that_differ_are_a_difference(layer: Make) -> None:
    """Neither is a number, and yet they are not the same."""
    small = msgspec.structs.replace(layer("a", None).cost, symbolic={"macs": "2⋅N"}, flops=0)
    large = msgspec.structs.replace(small, symbolic={"macs": "3⋅N"})
    assert [(d.metric, d.change) for d in cost_deltas(small, large)] == [("macs", None)]
    assert cost_deltas(small, small) == []
    numbers = layer("a", 5).cost
    assert cost_deltas(numbers, msgspec.structs.replace(numbers, symbolic={"macs": "5"})) == []


def test_a_layer_that_is_not_there_costs_nothing() -> None:
    assert {getattr(NOTHING, name) for name in record.COUNTED} == {0}


def test_coverage_of_both_sides(layer: Make, model: Make) -> None:
    def covered(nodes: int, **bounds: bool) -> record.Model:
        seen = record.Coverage(complete=not bounds, nodes=nodes, counted=1, unknown=[], **bounds)
        made: record.Model = model([layer("a")], coverage=seen)
        return made

    found = difference(covered(1, lower_bound=True), covered(2)).coverage
    assert (found.old_nodes, found.new_nodes, found.old_complete, found.new_complete) == (1, 2, False, True)
    assert (found.old_lower_bound, found.new_lower_bound) == (True, False)
    found = difference(covered(1), covered(1, upper_bound=True)).coverage
    assert (found.old_upper_bound, found.new_upper_bound) == (False, True)


def test_equal_layers_that_stand_elsewhere_keep_their_order(layer: Make) -> None:
    old = [layer("a"), layer("b"), layer("anchor", 5, "Gemm")]
    new = [layer("anchor", 5, "Gemm"), layer("p"), layer("q")]
    found = matched(old, new)
    assert (found.pairs, found.moved) == ([(0, 1), (1, 2), (2, 0)], frozenset({(2, 0)}))
    assert matched(new, old).pairs == [(0, 2), (1, 0), (2, 1)]


@pytest.mark.parametrize(("old", "new"), [("ab", "a"), ("a", "ab"), ("aab", "ba"), ("ab", "cdb")])
def test_nothing_is_matched_twice(layer: Make, old: str, new: str) -> None:
    """All layers are equal but for their names: as many pairs as the shorter side has."""
    pairs = matched([layer(n) for n in old], [layer(n) for n in new]).pairs
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs) == min(len(old), len(new))


def test_of_one_name_the_first_is_the_first(layer: Make) -> None:
    old, new = [layer("a", 1), layer("a", 2), layer("b", 3)], [layer("a", 7), layer("a", 8), layer("b", 9)]
    assert matched(old, new).pairs == [(0, 0), (1, 1), (2, 2)]


def test_names_that_are_numbers_mean_nothing_in_shape_strings(layer: Make, model: Make) -> None:
    """conv2 of the one is conv1 of the other, as only its size says."""
    old = [layer("conv1", 10, params=1), layer("conv2", 20, params=2)]
    new = [layer("conv1", 20, params=2)]
    for kind, said in (("shape", ["removed"]), ("onnx", ["changed", "removed"])):
        diff = difference(model(old, kind=kind), model(new, kind=kind))
        assert sorted(one.status for one in diff.layers) == said


def test_the_order_of_attributes_means_nothing(layer: Make, model: Make) -> None:
    old = layer("a", 10, attributes={"group": 1, "strides": [2, 2]})
    new = layer("b", 10, attributes={"strides": [2, 2], "group": 1})
    diff = difference(model([old]), model([new]))
    assert (diff.layers, len(diff.renamed)) == ([], 1)


def test_a_layer_that_moved_and_changed_has_changed(layer: Make, model: Make) -> None:
    old = [layer("a", 10), layer("b", 20), layer("c", 30)]
    new = [layer("b", 20), layer("c", 30), layer("a", 11)]
    (one,) = difference(model(old), model(new)).layers
    assert (one.status, one.matched, [(c.what, c.old, c.new) for c in one.changes]) == (
        "changed", "name", [("macs", "10", "11"), ("flops", "20", "22")],
    )  # fmt: skip
