"""What a total that is a bound, or not known at all, proves of a budget; and the words for it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from convcost import record
from convcost.ci.baseline import decode, encode, entry
from convcost.ci.budgets import Budget, Pattern, from_option, growing, merged
from convcost.ci.judging import covered, judge, percent
from convcost.ci.limits import limit
from convcost.ci.metrics import COSTS
from convcost.ci.verdicts import check

Make = Callable[..., Any]


def unknown(*names: str) -> list[record.UnknownNode]:
    return [record.UnknownNode(name=name, op="Odd", reason="unknown operator") for name in names]


def coverage(nodes: int = 1, counted: int = 1, **given: Any) -> record.Coverage:
    return record.Coverage(complete=False, nodes=nodes, counted=counted, **{"unknown": [], **given})


def verdict(
    budget: Budget, model: record.Model, old: record.Model | None = None, *, accepted: bool = False
) -> record.Check:
    """The verdict, with `old` in the baseline."""
    baseline = None if old is None else decode(encode({"net.onnx": entry(old)}), "baseline.json")
    known = None if baseline is None else baseline.models["net.onnx"]
    return check(budget, model.source, judge(budget, model, accepted=accepted, baseline=baseline, entry=known))


def of_layers(amount: str, name: str = "*") -> Budget:
    macs = COSTS["macs"]
    return Budget(metric=macs, limit=limit(amount, macs, "layer"), form="layer", pattern=Pattern(name=name))


LOW = "a lower bound: 1 node is not counted: x (Odd)"


@pytest.mark.parametrize(
    ("bounds", "most", "status", "message", "reason"),
    [
        ({}, "500", "pass", "500 ≤ 500", None),
        ({"lower_bound": True}, "500", "fail", "at least 500, limit 500", LOW),
        ({"lower_bound": True}, "499", "fail", "at least 500 > 499", None),
        ({"upper_bound": True}, "500", "pass", "at most 500 ≤ 500", None),
        ({"upper_bound": True}, "499", "fail", "at most 500 > 499", None),
        ({"lower_bound": True, "upper_bound": True}, "500", "fail", "about 500, limit 500", LOW),
        ({"lower_bound": True, "upper_bound": True}, "499", "fail", "about 500 > 499", LOW),
    ],
)
def test_what_a_bound_proves(
    layer: Make, model: Make, bounds: dict[str, bool], most: str, status: str, message: str, reason: str | None
) -> None:
    seen = model([layer("a", 500)], coverage=coverage(2, 1, unknown=unknown("x"), **bounds))
    found = verdict(from_option(f"macs={most}"), seen)
    assert (found.status, found.message, found.reason) == (status, message, reason)


def test_a_total_that_lacks_a_layer_is_a_lower_bound(layer: Make, model: Make) -> None:
    """Also where the coverage does not say so. Peak memory has no parts that it could lack."""
    seen = model([layer("a", 500), layer("b", None)], coverage=coverage(2, 2))
    found = verdict(from_option("macs=1K"), seen)
    assert (found.status, found.message, found.reason) == ("fail", "at least 500, limit 1.00 K", "a lower bound")
    assert verdict(from_option("peak-memory=1000"), seen).status == "pass"


def test_three_nodes_that_are_not_counted_are_named(layer: Make, model: Make) -> None:
    for names, said in (("abc", "a (Odd), b (Odd), c (Odd)"), ("abcde", "a (Odd), b (Odd), c (Odd) and 2 more")):
        seen = model([layer(n, None, "Odd") for n in names], unknown=unknown(*names))
        assert (verdict(from_option("macs=1"), seen).reason or "").endswith(f"nodes are not counted: {said}")


@pytest.mark.parametrize(
    ("counted", "nodes", "budget", "low", "status", "message", "reason"),
    [
        (0, 0, "100%", False, "pass", "0 of 0 nodes, 100 % ≥ 100 %", None),
        (19, 20, "95%", True, "pass", "19 of 20 nodes, 95 % ≥ 95 %", None),
        (19, 20, "95.5%", True, "fail", "19 of 20 nodes, 95 % < 95.5 %", "not counted: x (Odd)"),
        (1999, 2000, "100%", True, "fail", "1999 of 2000 nodes, 99.95 % < 100 %", "not counted: x (Odd)"),
        (20, 20, "100%", True, "fail", "20 of 20 nodes, 100 % ≥ 100 %", "totals are lower bounds"),
        (20, 20, "99%", True, "pass", "20 of 20 nodes, 100 % ≥ 99 %", None),
    ],
)
def test_coverage(
    model: Make, counted: int, nodes: int, budget: str, *, low: bool, status: str, message: str, reason: str | None
) -> None:
    missing = unknown("x") if counted < nodes else []
    seen = model([], coverage=coverage(nodes, counted, unknown=missing, lower_bound=low))
    found = verdict(from_option(f"coverage={budget}"), seen)
    assert (found.status, found.message, found.reason, found.unit) == (status, message, reason, "share")


@pytest.mark.parametrize(("parts", "text"), [(3, "33.3 %"), (8, "12.5 %"), (5, "20 %"), (1, "100 %")])
def test_percent(parts: int, text: str) -> None:
    assert percent(Fraction(1, parts)) == text
    assert percent(1 - Fraction(1, 2_000_000)) == "99.99995 %"


def test_only_a_coverage_that_is_judged_accepts_lower_bounds(layer: Make, model: Make) -> None:
    partial = model([layer("a", 500), layer("x", None, "Odd")], unknown=unknown("x"))
    half = from_option("coverage=50%")
    budgets = half, from_option("macs=0"), msgspec.structs.replace(half, level="off")
    assert [covered(budget, partial) for budget in budgets] == [True, False, False]


def test_shares_of_what_is_not_known_or_too_large_prove_nothing(layer: Make, model: Make) -> None:
    layers = [layer("a", 10), layer("b", 90)]
    open_total = verdict(of_layers("90%"), model(layers, totals={"macs": None}))
    assert (open_total.status, open_total.reason) == ("fail", "the total is not known")
    most = model(layers, coverage=coverage(2, 2, upper_bound=True))
    assert [verdict(of_layers(amount), most).status for amount in ("90%", "90")] == ["fail", "pass"]
    assert verdict(of_layers("90%"), most).reason == "shares of an upper bound"


def test_layers_over_a_limit_are_named_unknown_ones_first(layer: Make, model: Make) -> None:
    seen = model([layer("a", 30), layer("b", 70), layer("c", None), layer("d", 5), layer("e", None)])
    found = verdict(of_layers("20"), seen)
    assert [(one.name, one.value, one.share) for one in found.layers] == [
        ("c", None, None), ("e", None, None), ("b", 70, 70 / 105), ("a", 30, 30 / 105),
    ]  # fmt: skip
    assert (found.value, found.message) == (70, "4 of 5 layers over: 70 > 20")
    assert found.reason == "2 of these layers are not counted"
    assert verdict(of_layers("20%", "d"), seen).message == "largest of 1: 5 ≤ 21 (20%)"
    assert verdict(of_layers("20", "c"), seen).message == "1 of 1 layers over: ?, limit 20"


def test_a_time_at_its_limit_passes(layer: Make, model: Make) -> None:
    timing = record.ModelTiming(
        backend="numpy", threads=1, runs=3, warmup=1, median_ns=2_000_000, mad_ns=0, min_ns=1, layers_sum_ns=1,
        weights="random",
    )  # fmt: skip
    seen = model([layer("a")], timing=timing)
    limits = "2 ms", "1999999 ns"
    assert [verdict(from_option(f"time={most}"), seen).status for most in limits] == ["pass", "warn"]


def test_growth_of_what_a_side_does_not_know(layer: Make, model: Make) -> None:
    (budget,) = growing("macs=2%")
    known, blank = model([layer("a", 100)]), model([layer("a", 100)], totals={"macs": None})
    here = verdict(budget, known, blank)
    assert (here.status, here.message, here.reason) == ("fail", "100, was ?", "the baseline does not know it")
    there = verdict(budget, blank, known)
    assert (there.status, there.message, there.value, there.old) == ("fail", "?", None, 100)
    assert verdict(budget, model([layer("a", 100)], dims={"N": 1}), known).reason == (
        "the baseline has other dimensions: none"
    )


def test_growth_of_lower_bounds_counts_where_they_are_accepted(layer: Make, model: Make) -> None:
    (budget,) = growing("macs=2%")
    old, new = (model([layer("a", n), layer("x", None, "Odd")], unknown=unknown("x")) for n in (100, 102))
    whole = model([layer("a", 102)])
    assert verdict(budget, new, old).reason == LOW
    assert verdict(budget, whole, old).reason == "the baseline is a lower bound"
    assert [verdict(budget, one, old, accepted=True).status for one in (new, whole)] == ["pass", "pass"]


def test_only_layers_that_grew_are_named_the_largest_growth_first(layer: Make, model: Make) -> None:
    old = model([layer("a", 100), layer("b", 100), layer("c", 100), layer("d", 60)])
    new = model([layer("a", 101), layer("b", 20), layer("c", 100), layer("e", 7)])
    found = verdict(growing("macs=0")[0], new, old)
    assert (found.status, found.layers) == ("pass", [])
    found = verdict(growing("macs=-90%")[0], new, old)
    assert [(one.name, one.old, one.value) for one in found.layers] == [("e", 0, 7), ("a", 100, 101)]


def test_of_budgets_about_the_same_the_last_holds() -> None:
    first, second = from_option("macs=1"), from_option("macs=2")
    growth, params = growing("macs=3")[0], from_option("params=4")
    one, other = of_layers("5", "a"), of_layers("6", "b")
    assert merged([first, growth, one], [params, second, other]) == [second, growth, one, params, other]


def test_what_is_turned_off_is_not_looked_at(layer: Make, model: Make) -> None:
    off = msgspec.structs.replace(from_option("macs=1"), level="off")
    found = verdict(off, model([layer("a", 500)]))
    assert (found.status, found.message, found.value) == ("skip", "turned off", None)
    assert [budget.rule for budget in (off, growing("macs=1")[0], of_layers("1"))] == [
        "macs", "macs growth", "layer name * macs",
    ]  # fmt: skip
