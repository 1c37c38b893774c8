"""Differences: what was done to a model is what is found, in both directions, whatever the names."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost import record
from convcost.ci.diffing.difference import difference

Make = Callable[..., Any]
OPS = ("Conv", "Relu", "MaxPool", "Gemm")


@st.composite
def chains(draw: st.DrawFn, *, distinct: bool = False) -> list[tuple[str, int]]:
    """(operator, MACs) of each layer; with `distinct` no two are alike."""
    n = draw(st.integers(1, 25))
    ops = draw(st.lists(st.sampled_from(OPS), min_size=n, max_size=n))
    sizes = range(1000, 1000 + n) if distinct else draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))
    return list(zip(ops, sizes, strict=True))


NAMINGS: dict[str, Callable[[int, str], str]] = {
    "words": lambda i, op: f"stage{i}/{op}",
    "numbers": lambda i, op: f"{op}_{i}",
}


def built(make: Make, chain: list[tuple[str, int]], naming: str = "words") -> list[record.Layer]:
    """Layers of a chain."""
    name = NAMINGS[naming]
    return [make(name(i, op), macs, op, index=i) for i, (op, macs) in enumerate(chain)]


def statuses(diff: record.Diff) -> Counter[str]:
    return Counter(one.status for one in diff.layers)


@given(chain=chains(), naming=st.sampled_from(list(NAMINGS)))
def test_a_model_does_not_differ_from_itself(
    layer: Make, model: Make, chain: list[tuple[str, int]], naming: str
) -> None:
    m = model(built(layer, chain, naming))
    diff = difference(m, m)
    assert (diff.layers, diff.renamed, diff.unchanged) == ([], [], len(chain))
    assert all(d.change == 0 for d in diff.totals)


@given(chain=chains())
def test_new_names_change_nothing(layer: Make, model: Make, chain: list[tuple[str, int]]) -> None:
    old = built(layer, chain)
    new = [msgspec.structs.replace(one, name=f"exported_{i}") for i, one in enumerate(old)]
    diff = difference(model(old), model(new))
    assert (diff.layers, diff.unchanged, diff.by_name, diff.by_structure) == ([], 0, 0, len(chain))
    assert [(r.old, r.new) for r in diff.renamed] == [(a.name, b.name) for a, b in zip(old, new, strict=True)]


def mirrored(diff: record.Diff) -> set[tuple[object, ...]]:
    """The layers of a difference, seen from the other side."""
    turned = {"added": "removed", "removed": "added"}
    return {
        (
            turned.get(one.status, one.status), one.new and one.new.name, one.old and one.old.name,
            tuple((c.what, c.new, c.old) for c in one.changes),
            tuple((d.metric, d.new, d.old, d.change and -d.change) for d in one.deltas),
        )
        for one in diff.layers
    }  # fmt: skip


def plain(diff: record.Diff) -> set[tuple[object, ...]]:
    return {
        (
            one.status, one.old and one.old.name, one.new and one.new.name,
            tuple((c.what, c.old, c.new) for c in one.changes),
            tuple((d.metric, d.old, d.new, d.change) for d in one.deltas),
        )
        for one in diff.layers
    }  # fmt: skip


@given(a=chains(), b=chains(), naming=st.sampled_from(list(NAMINGS)))
def test_the_other_direction_is_the_mirror(
    layer: Make, model: Make, a: list[tuple[str, int]], b: list[tuple[str, int]], naming: str
) -> None:
    old, new = model(built(layer, a, naming)), model(built(layer, b, naming))
    there, back = difference(old, new), difference(new, old)
    assert mirrored(there) == plain(back)
    assert [d.change for d in there.totals] == [-(d.change or 0) for d in back.totals]
    assert {(r.old, r.new) for r in there.renamed} == {(r.new, r.old) for r in back.renamed}


@given(a=chains(), b=chains(), naming=st.sampled_from(list(NAMINGS)))
def test_layers_make_up_the_total(
    layer: Make, model: Make, a: list[tuple[str, int]], b: list[tuple[str, int]], naming: str
) -> None:
    """Σ of the layers' changes, against the sums of the chains."""
    diff = difference(model(built(layer, a, naming)), model(built(layer, b, naming)))
    change = sum(macs for _, macs in b) - sum(macs for _, macs in a)
    found = Counter[str]()
    for one in diff.layers:
        found.update({d.metric: d.change or 0 for d in one.deltas})
    assert found["macs"] == change
    assert found["flops"] == 2 * change


@st.composite
def edits(draw: st.DrawFn) -> tuple[list[tuple[str, int]], list[str]]:
    """A chain, and for each layer what happens to it."""
    chain = draw(chains(distinct=True))
    kinds = st.sampled_from(["keep", "keep", "keep", "alter", "delete", "insert"])
    return chain, draw(st.lists(kinds, min_size=len(chain), max_size=len(chain)))


@given(edited=edits(), naming=st.sampled_from(list(NAMINGS)))
def test_exactly_what_was_done_is_found(
    layer: Make, model: Make, edited: tuple[list[tuple[str, int]], list[str]], naming: str
) -> None:
    """Layers altered, deleted, and put before others; numbered names shift with each."""
    chain, doings = edited
    old = built(layer, chain, naming)
    new: list[record.Layer] = []
    for i, (one, doing) in enumerate(zip(old, doings, strict=True)):
        if doing == "insert":
            new.append(layer(f"new{i}/x", 5000 + i, "Added"))
        if doing == "alter":
            new.append(layer(one.name, (one.cost.macs or 0) + 10_000, one.op, attributes={"kernel_shape": [5, 5]}))
        elif doing != "delete":
            new.append(one)
    if naming == "numbers":
        new = [msgspec.structs.replace(one, name=f"{one.op}_{i}") for i, one in enumerate(new)]
    found = statuses(difference(model(old), model(new)))
    wanted = {"changed": doings.count("alter"), "removed": doings.count("delete"), "added": doings.count("insert")}
    if naming == "words":
        assert found == Counter(wanted)
    else:
        assert found["added"] == wanted["added"]
        assert found["removed"] + found["changed"] == wanted["removed"] + wanted["changed"]


def test_a_layer_between_others_does_not_shift_numbered_names(layer: Make, model: Make) -> None:
    old = [layer(f"Conv_{i}", 100 + i) for i in range(10)]
    new = [layer(f"Conv_{i}", (100 + i) if i < 5 else 7 if i == 5 else 99 + i) for i in range(11)]
    diff = difference(model(old), model(new))
    assert [(one.status, one.new and one.new.name) for one in diff.layers] == [("added", "Conv_5")]
    assert len(diff.renamed) == 5


def test_order_alone_is_a_move(layer: Make, model: Make) -> None:
    names = ("a", "b", "c", "d")
    old = [layer(name, 10 * i) for i, name in enumerate(names)]
    diff = difference(model(old), model([old[1], old[2], old[0], old[3]]))
    assert [(one.status, one.new and one.new.name, one.deltas) for one in diff.layers] == [("moved", "a", [])]


def test_another_input_size_matches_layers_by_what_stays(layer: Make, model: Make) -> None:
    """All names and all sizes differ; weights and attributes do not."""
    old = [layer(f"a{i}/x", 100 * (i + 1), params=7 * i) for i in range(6)]
    new = [
        layer(f"b{i}/x", 400 * (i + 1), params=7 * i, inputs=[[1, 8, 16, 16]], outputs=[[1, 8, 16, 16]])
        for i in range(6)
    ]
    diff = difference(model(old), model(new))
    assert statuses(diff) == Counter(changed=6)
    assert {(one.old and one.old.name, one.new and one.new.name) for one in diff.layers} == {
        (f"a{i}/x", f"b{i}/x") for i in range(6)
    }
    assert [(c.what, c.old, c.new) for c in diff.layers[0].changes] == [
        ("input size", "8×8", "16×16"), ("output size", "8×8", "16×16")
    ]  # fmt: skip


def test_what_changed_has_the_fields_names(layer: Make, model: Make) -> None:
    old = layer("c", 1, attributes={"kernel_shape": [3, 3], "strides": [1, 1], "group": 1})
    new = layer(
        "c", 2, kind="depthwise", attributes={"kernel_shape": [5, 5], "strides": [2, 2], "group": 8},
        inputs=[[2, 16, 8, 8]], dtype="float16",
    )  # fmt: skip
    (one,) = difference(model([old]), model([new])).layers
    assert [(c.what, c.old, c.new) for c in one.changes] == [
        ("kind", "standard", "depthwise"), ("kernel", "3×3", "5×5"), ("stride", "1×1", "2×2"), ("groups", "1", "8"),
        ("input batch", "1", "2"), ("input channels", "8", "16"), ("type", "float32", "float16"),
    ]  # fmt: skip


def test_a_weight_that_is_counted_with_another_layer_now_is_named(layer: Make, model: Make) -> None:
    """Nothing but a cost differs."""
    old, new = layer("c", 1, weight_bytes=64), layer("c", 1, weight_bytes=0)
    (one,) = difference(model([old]), model([new])).layers
    assert [(c.what, c.old, c.new) for c in one.changes] == [("weight bytes", "64", "0")]


def test_the_largest_change_comes_first_and_unknown_ones_before_it(layer: Make, model: Make) -> None:
    old = [layer("a", 10), layer("b", 20), layer("c", 30), layer("d", 40)]
    new = [layer("a", 11), layer("b", 5), layer("c", None), layer("d", 40)]
    diff = difference(model(old), model(new))
    assert [one.new and one.new.name for one in diff.layers] == ["c", "b", "a"]
    (unknown,) = [d for d in diff.layers[0].deltas if d.metric == "macs"]
    assert (unknown.old, unknown.new, unknown.change, unknown.relative) == (30, None, None, None)


def test_bounds_are_marked(layer: Make, model: Make) -> None:
    missing = record.UnknownNode(name="x", op="Odd", reason="unknown operator")
    diff = difference(model([layer("a")]), model([layer("a"), layer("x", None, "Odd")], unknown=[missing]))
    assert not any(d.exact for d in diff.totals)
    assert (diff.coverage.new_counted, diff.coverage.new_nodes, diff.coverage.new_complete) == (1, 2, False)


@pytest.mark.parametrize("kinds", [3, 20_000])
def test_twenty_thousand_layers_are_quick(layer: Make, model: Make, kinds: int) -> None:
    """Everything renamed and every hundredth layer gone; 3 kinds of layers, or all different."""
    old = [layer(f"a/{i}", i % kinds + 1, index=i) for i in range(20_000)]
    new = [layer(f"b/{i}", i % kinds + 1, index=i) for i in range(20_000) if i % 100]
    start = time.perf_counter()
    diff = difference(model(old), model(new))
    assert time.perf_counter() - start < 20
    assert statuses(diff) == Counter(removed=200)
