"""Comparisons, times, twins and shares as OpenMetrics, read by Prometheus' own parser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from convcost import record
from convcost.report import render
from convcost.report.openmetrics import LARGEST
from convcost.report.view import View

Make = Callable[..., Any]
PARSE: Callable[[str], Any] = text_string_to_metric_families
TIMING = record.ModelTiming(
    backend="numpy", threads=1, runs=3, warmup=1, median_ns=1_500_000_000, mad_ns=0, min_ns=1, layers_sum_ns=1,
    weights="random",
)  # fmt: skip


def samples(report: record.Report, prefix: str, **view: Any) -> dict[tuple[str, ...], float]:
    """(rest of the name, *values of the labels) of the metrics that begin with `convcost_` and a prefix."""
    drawn = render(report, "openmetrics", View(**view))
    found = [s for family in PARSE(drawn) for s in family.samples if s.name.startswith(f"convcost_{prefix}")]
    return {(s.name.removeprefix(f"convcost_{prefix}"), *s.labels.values()): s.value for s in found}


def test_what_made_the_figures(report: Make) -> None:
    assert samples(report(), "info") == {("", "0", record.CONVENTION): 1}


def test_comparisons(cost: Make, report: Make) -> None:
    def way(name: str, macs: int | None, timing: record.ModelTiming | None = None) -> record.Alternative:
        ratio = record.Ratio(macs=None, params=None)
        return record.Alternative(name=name, notation=None, cost=cost(macs, 3), ratio=ratio, timing=timing)

    two = record.Comparison(of="conv", alternatives=[way("a", 8), way("a", 2, TIMING)], skipped=[])
    one = record.Comparison(of="conv", alternatives=[way("b", None)], skipped=[])
    assert samples(report(comparisons=[two, one]), "alternative_") == {
        ("macs", "conv", "a"): 8,
        ("macs", "conv", "a#2"): 2,
        ("params", "conv", "a"): 3,
        ("params", "conv", "a#2"): 3,
        ("params", "conv#2", "b"): 3,
        ("time_seconds", "conv", "a#2"): 1.5,
    }


def test_times_are_seconds(layer: Make, model: Make, report: Make) -> None:
    timed = record.LayerTiming(algorithm="gemm", runs=3, median_ns=250, mad_ns=0, min_ns=1)
    one = model([layer(0, "a", timing=timed), layer(1, "b")], timing=TIMING)
    made = report(one, model([layer(0, "c")], source="untimed.onnx"))
    assert samples(made, "time_") == {("seconds", "net.onnx"): 1.5}
    assert samples(made, "layer_time_", all_layers=True) == {("seconds", "net.onnx", "a"): 2.5e-7}


def test_nodes_and_intensity(layer: Make, model: Make, report: Make) -> None:
    seen = record.Coverage(complete=False, nodes=7, counted=5, unknown=[])
    one = model([layer(0, "a")], coverage=seen)
    made = report(replace(one, totals=replace(one.totals, intensity=0.3)))
    assert samples(made, "nodes") == {("", "net.onnx"): 7, ("_counted", "net.onnx"): 5}
    assert samples(made, "complete") == {("", "net.onnx"): 0}
    assert samples(made, "intensity") == {("_flops_per_byte", "net.onnx"): 0.3}


def test_checks_that_are_twins_and_limits_that_are_words(report: Make) -> None:
    def check(status: Any, value: Any, limit: Any) -> record.Check:
        return record.Check(
            rule="coverage", level="error", status=status, model="net.onnx", limit=limit, value=value, unit="share"
        )

    checks = [check("pass", 0.75, 0.5), check("warn", 3, None), check("fail", "open", 1)]
    assert samples(report(checks=checks), "check_") == {
        ("passed", "coverage", "net.onnx"): 1,
        ("passed", "coverage", "net.onnx", "2"): 1,
        ("passed", "coverage", "net.onnx", "3"): 0,
        ("limit", "coverage", "net.onnx"): 0.5,
        ("limit", "coverage", "net.onnx", "3"): 1,
        ("value", "coverage", "net.onnx"): 0.75,
        ("value", "coverage", "net.onnx", "2"): 3,
    }


def test_all_digits_and_nothing_that_no_float_holds(layer: Make, model: Make, report: Make) -> None:
    one = model([layer(0, "a", 2**70 + 1)])
    drawn = render(report(one), "openmetrics")
    assert f'convcost_macs{{source="net.onnx"}} {2**70 + 1}\n' in drawn
    for value, written in ((LARGEST, True), (LARGEST + 1, False)):
        made = report(replace(one, totals=replace(one.totals, macs=value)))
        assert (("", "net.onnx") in samples(made, "macs")) is written
