"""Verdicts: what passes, what fails, and that nothing unknown passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from convcost import record
from convcost.ci.baseline import Baseline, decode, encode, entry
from convcost.ci.budgets import Budget, Level, Pattern, from_option, growing
from convcost.ci.diffing.difference import difference
from convcost.ci.diffing.gates import gate, judged
from convcost.ci.judging import covered, judge
from convcost.ci.limits import limit
from convcost.ci.metrics import COSTS
from convcost.ci.verdicts import check
from convcost.errors import ConfigError, UsageError

Make = Callable[..., Any]
ODD = record.UnknownNode(name="x", op="Odd", reason="unknown operator")


def verdict(
    budget: Budget, model: record.Model, old: record.Model | None = None, *, accepted: bool = False
) -> record.Check:
    """The verdict, with `old` in the baseline."""
    baseline = None if old is None else decode(encode({"net.onnx": entry(old)}), "baseline.json")
    known = None if baseline is None else baseline.models["net.onnx"]
    return check(budget, model.source, judge(budget, model, accepted=accepted, baseline=baseline, entry=known))


def of_layers(metric: str, amount: str, level: Level = "error", **pattern: Any) -> Budget:
    m = COSTS[metric]
    return Budget(metric=m, limit=limit(amount, m, "layer"), form="layer", level=level, pattern=Pattern(**pattern))


@pytest.mark.parametrize(
    ("macs", "budget", "status", "message"),
    [
        (600_000_000, "600M", "pass", "600 M ≤ 600 M"),
        (600_000_001, "600M", "fail", "600,000,001 > 600,000,000"),
        (599_999_999, "600M", "pass", "599,999,999 ≤ 600,000,000"),
        (1_228_800, "1.2M", "fail", "1.23 M > 1.20 M"),
        (2**90, "1T", "fail", "1.24 R > 1.00 T"),
        (0, "0", "pass", "0 ≤ 0"),
    ],
)
def test_a_total_is_compared_exactly(
    layer: Make, model: Make, macs: int, budget: str, status: str, message: str
) -> None:
    """Where rounding would print a tie, all digits are shown."""
    seen = verdict(from_option(f"macs={budget}"), model([layer("a", macs)]))
    assert (seen.status, seen.message) == (status, message)
    assert seen.value == macs


def test_a_failure_names_the_largest_parts(layer: Make, model: Make) -> None:
    layers = [layer(f"l{i}", 100 * i) for i in range(8)]
    seen = verdict(from_option("macs=1K"), model(layers))
    assert [(one.name, one.value, one.share) for one in seen.layers][:2] == [("l7", 700, 0.25), ("l6", 600, 600 / 2800)]
    assert (len(seen.layers), seen.more) == (5, 2)


def test_a_lower_bound_never_passes(layer: Make, model: Make) -> None:
    """Below the limit it proves nothing; above it, it proves the failure."""
    partial = model([layer("a", 500), layer("x", None, "Odd")], unknown=[ODD])
    below, above = verdict(from_option("macs=1K"), partial), verdict(from_option("macs=100"), partial)
    assert (below.status, below.message) == ("fail", "at least 500, limit 1.00 K")
    assert below.reason == "a lower bound: 1 node is not counted: x (Odd)"
    assert (above.status, above.reason) == ("fail", None)


def test_a_coverage_below_all_accepts_lower_bounds(layer: Make, model: Make) -> None:
    partial = model([layer("a", 500), layer("x", None, "Odd")], unknown=[ODD])
    half, most = from_option("coverage=50%"), from_option("coverage=51%")
    assert (verdict(half, partial).status, verdict(most, partial).status) == ("pass", "fail")
    assert (covered(half, partial), covered(most, partial), covered(from_option("coverage=100%"), partial)) == (
        True, False, False,
    )  # fmt: skip
    assert verdict(from_option("macs=1K"), partial, accepted=True).status == "pass"


def test_an_upper_bound_below_the_limit_proves_it(layer: Make, model: Make) -> None:
    most = record.Coverage(complete=False, nodes=1, counted=1, unknown=[], upper_bound=True)
    seen = model([layer("a", 500)], coverage=most)
    assert verdict(from_option("macs=1K"), seen).status == "pass"
    assert verdict(from_option("macs=100"), seen).status == "fail"


def test_an_open_dimension_never_passes(layer: Make, model: Make) -> None:
    seen = model([layer("a", None)])
    totals = msgspec.structs.replace(seen.totals, macs=None, symbolic={"macs": "100⋅N"})
    found = verdict(from_option("macs=1K"), msgspec.structs.replace(seen, totals=totals), accepted=True)
    assert (found.status, found.value, found.reason) == ("fail", None, "not a number but 100⋅N: give sizes with --dim")


def test_a_coverage_of_all_wants_totals_that_lack_nothing(layer: Make, model: Make) -> None:
    """All nodes are counted, but a loop counts once."""
    loop = record.Coverage(complete=False, nodes=1, counted=1, unknown=[], lower_bound=True)
    assert verdict(from_option("coverage=100%"), model([layer("a")], coverage=loop)).status == "fail"


@pytest.mark.parametrize(
    ("pattern", "amount", "status", "over"),
    [
        ({"any": "conv*"}, "10%", "fail", ["conv2"]),
        ({"any": "conv*"}, "90%", "pass", []),
        ({"any": "conv*"}, "90", "fail", ["conv2"]),
        ({"any": "Gemm"}, "5", "fail", ["fc"]),
        ({"any": "stand*"}, "90", "fail", ["conv2"]),
        ({"name": "*", "op": "Gemm"}, "100", "pass", []),
        ({"op": "Conv", "name": "conv[1]"}, "10", "pass", []),
        ({"any": "nothing"}, "1", "skip", []),
    ],
)
def test_layers_by_pattern(
    layer: Make, model: Make, pattern: dict[str, Any], amount: str, status: str, over: list[str]
) -> None:
    seen = model([layer("conv1", 10), layer("conv2", 100), layer("fc", 90, "Gemm")])
    found = verdict(of_layers("macs", amount, **pattern), seen)
    assert (found.status, [one.name for one in found.layers]) == (status, over)


def test_a_layer_that_is_not_counted_fails_its_budget(layer: Make, model: Make) -> None:
    found = verdict(of_layers("macs", "1M", any="*"), model([layer("a", 5), layer("x", None, "Odd")], unknown=[ODD]))
    assert (found.status, found.reason) == ("fail", "1 of these layers is not counted")
    assert [one.name for one in found.layers] == ["x"]


@pytest.mark.parametrize(
    ("new", "amount", "status", "message"),
    [
        (1020, "2%", "pass", "+2.0 %: 1.02 K ≤ 1.02 K"),
        (1021, "2%", "fail", "+2.1 %: 1,021 > 1,020"),
        (1000, "+0", "pass", "unchanged: 1.00 K ≤ 1.00 K"),
        (1001, "0", "fail", "+0.1 %: 1,001 > 1,000"),
        (960, "-5%", "fail", "−4.0 %: 960 > 950"),
        (950, "-5%", "pass", "−5.0 %: 950 ≤ 950"),
        (1100, "100", "pass", "+10.0 %: 1.10 K ≤ 1.10 K"),
        (50_000, "1%", "fail", "50.0×: 50.0 K > 1.01 K"),
    ],
)
def test_growth(layer: Make, model: Make, new: int, amount: str, status: str, message: str) -> None:
    (budget,) = growing(f"macs={amount}")
    seen = verdict(budget, model([layer("a", new)]), model([layer("a", 1000)]))
    assert (seen.status, seen.message, seen.old) == (status, message, 1000)


@pytest.mark.parametrize(
    ("new", "old", "message"),
    [
        (1_234_567, 1_000_000, "+234,567 (+23.5 %): 1,234,567 > 1,020,000"),
        (20_000_000, 1_000_000, "+19,000,000 (20.0×): 20,000,000 > 1,020,000"),
        (990_000, 1_000_000, "−10,000 (−1.0 %): 990,000 ≤ 1,020,000"),
        (1_000_001, 1_000_000, "+1: 1,000,001 ≤ 1,020,000"),
        (1_000_000, 1_000_000, "unchanged: 1,000,000 ≤ 1,020,000"),
        (7, 0, "+7: 7 > 0"),
    ],
)
def test_growth_with_all_digits(layer: Make, model: Make, new: int, old: int, message: str) -> None:
    (budget,) = growing("macs=2%")
    assert verdict(budget, model([layer("a", new)]), model([layer("a", old)])).exact_message == message


@pytest.mark.parametrize(
    ("budget", "message", "exact"),
    [
        ("macs=1.3M", "1.23 M ≤ 1.30 M", "1,234,567 ≤ 1,300,000"),
        ("coverage=100%", "1 of 1 nodes, 100 % ≥ 100 %", "1 of 1 nodes, 100 % ≥ 100 %"),
        ("time=1ms", "not measured (--time measures)", "not measured (--time measures)"),
    ],
)
def test_both_forms_of_a_verdict(layer: Make, model: Make, budget: str, message: str, exact: str) -> None:
    found = verdict(from_option(budget), model([layer("a", 1_234_567)]))
    assert (found.message, found.exact_message) == (message, exact)


def test_growth_names_the_layers_that_grew(layer: Make, model: Make) -> None:
    old = model([layer("a", 100), layer("b", 50), layer("c", 10)])
    new = model([layer("a", 100), layer("b", 90), layer("d", 30)])
    (budget,) = growing("macs=0")
    seen = verdict(budget, new, old)
    assert [(one.name, one.old, one.value) for one in seen.layers] == [("b", 50, 90), ("d", 0, 30)]


def test_growth_fails_where_there_is_nothing_to_compare_with(layer: Make, model: Make) -> None:
    (budget,) = growing("macs=2%")
    here = model([layer("a", 100)])
    partial = model([layer("a", 100), layer("x", None, "Odd")], unknown=[ODD])
    other = model([layer("a", 100)], dims={"N": 2})
    assert [(seen.status, seen.reason) for seen in (
        verdict(budget, here), verdict(budget, here, partial), verdict(budget, here, other),
    )] == [
        ("fail", "the baseline does not have this model"),
        ("fail", "the baseline is a lower bound"),
        ("fail", "the baseline has other dimensions: N=2"),
    ]  # fmt: skip


def test_what_two_models_cost_at_most_can_be_compared(layer: Make, model: Make) -> None:
    """Sizes that the data decide are taken at their most, before and after."""
    most = record.Coverage(complete=False, nodes=1, counted=1, unknown=[], upper_bound=True)
    old, new, exact = (
        model([layer("a", 100)], coverage=most),
        model([layer("a", 101)], coverage=most),
        model([layer("a")]),
    )
    (budget,) = growing("macs=1%")
    assert verdict(budget, new, old).status == "pass"
    assert judged(gate("macs:1%"), difference(old, new)).status == "pass"
    assert verdict(budget, exact, old).reason == "the baseline is an upper bound"
    assert verdict(budget, old, exact).reason == "an upper bound, and the baseline is none"
    assert judged(gate("macs:1%"), difference(old, exact)).reason == "one of both totals is an upper bound"


def test_levels(layer: Make, model: Make) -> None:
    seen = model([layer("a", 100)])
    levels: tuple[Level, ...] = ("error", "warn", "off")
    found = [verdict(of_layers("macs", "5", level, any="*"), seen).status for level in levels]
    assert found == ["fail", "warn", "skip"]


def test_times_only_warn_and_are_skipped_where_nothing_was_measured(layer: Make, model: Make) -> None:
    budget = from_option("time=1 ms")
    timing = record.ModelTiming(
        backend="numpy", threads=1, runs=3, warmup=1, median_ns=2_000_000, mad_ns=0, min_ns=1, layers_sum_ns=1,
        weights="random",
    )  # fmt: skip
    assert verdict(budget, model([layer("a")])).status == "skip"
    slow = verdict(budget, model([layer("a")], timing=timing))
    assert (slow.status, slow.message, slow.unit) == ("warn", "2.00 ms > 1.00 ms", "ns")


def test_a_baseline_is_the_same_for_equal_models_and_reads_back(layer: Make, model: Make) -> None:
    layers = [layer("b", 5), layer("b", 6), layer("relu", 0, "Relu"), layer('odd "name"\ud800\n', 2**70)]
    one = {"z.onnx": entry(model(layers)), "a.onnx": entry(model([], dims={"N": 1, "B": 2}))}
    data = encode(one)
    assert data == encode(dict(reversed(one.items())))
    back = decode(data, "x")
    assert isinstance(back, Baseline)
    assert list(back.models) == ["a.onnx", "z.onnx"]
    assert list(back.models["z.onnx"].layers) == ["b", "b#2", 'odd "name"\\ud800\n']
    assert back.models["z.onnx"].totals["macs"] == 11 + 2**70


NEGATIVE = (
    b'{"schema_version": "1.0", "layer_fields": [], '
    b'"models": {"a": {"lower_bound": false, "upper_bound": false, "dims": {}, "totals": {"macs": -1}, "layers": {}}}}'
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a convcost baseline"),
        (b"[" * 100_000, "not a convcost baseline"),
        (b"\xff", "not a convcost baseline"),
        (b'{"schema_version": "1.0", "models": {}}', "not a convcost baseline"),
        (NEGATIVE, "Expected `int` >= 0"),
        (b'{"schema_version": "2.0", "new": 1}', "written by another release"),
        (
            b'{"schema_version": "1.0", "layer_fields": [], "models": {"a": {"totals": {"macs": "x"}}}}',
            "not a convcost",
        ),
    ],
)
def test_what_is_no_baseline(data: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        decode(data, "x")


@pytest.mark.parametrize(
    ("text", "status"),
    [("macs:5%", "fail"), ("macs:10%", "pass"), ("macs:100", "pass"), ("macs:+99", "fail"), ("macs", "fail"),
     ("params:+0", "pass"), ("params:-1", "fail"), ("peak-memory:1MiB", "pass")],
)  # fmt: skip
def test_gates_of_a_difference(layer: Make, model: Make, text: str, status: str) -> None:
    diff = difference(model([layer("a", 1000)]), model([layer("a", 1100)]))
    assert judged(gate(text), diff).status == status


def test_a_gate_fails_where_a_side_is_not_known(layer: Make, model: Make) -> None:
    known, bound = model([layer("a")]), model([layer("a"), layer("x", None, "Odd")], unknown=[ODD])
    blank = model([layer("a")], totals={"macs": None})
    assert [judged(gate("macs:50%"), difference(*pair)).reason for pair in ((known, bound), (blank, known), (known, blank))] == [
        "the totals are lower bounds", "the old total is not known", "the new total is not known",
    ]  # fmt: skip
    assert judged(gate("macs:50%"), difference(known, bound)).status == "fail"


@pytest.mark.parametrize(
    "text",
    ["", "macs", "macs=", "macs=x", "mac=5", "macs=5%", "macs=-5", "macs=1e9", "coverage=5", "time=5", "macs=5 ms"],
)
def test_budgets_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--budget"):
        from_option(text)


@pytest.mark.parametrize("text", ["", "mac:5%", "macs:", "macs:x", "macs:5%%", "coverage:5%"])
def test_gates_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--fail-on"):
        gate(text)


@pytest.mark.parametrize("text", ["", "x", "mac=5%", "coverage=5%", "macs="])
def test_growths_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--max-growth"):
        growing(text)
