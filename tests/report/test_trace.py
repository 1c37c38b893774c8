"""Traces: the format's own rules, and nothing of the report lost or made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from convcost import record
from convcost.errors import ReportError
from convcost.record import LayerTiming
from convcost.report import render

Make = Callable[..., Any]


Timed = Callable[..., record.Report]


@pytest.fixture
def timed(layer: Make, model: Make, report: Make) -> Timed:
    """timed(*names, rest=ns): a report whose i-th layer took 1000 i + 1 ns."""

    def build(*names: str, rest: int = 0) -> record.Report:
        times = [
            LayerTiming(algorithm="taps", runs=3, median_ns=1000 * i + 1, mad_ns=5, min_ns=i, gflops=2.5)
            for i in range(len(names))
        ]
        layers = [layer(i, name, timing=t) for i, (name, t) in enumerate(zip(names, times, strict=True))]
        whole = record.ModelTiming(
            backend="numpy",
            threads=2,
            runs=3,
            warmup=1,
            median_ns=9,
            mad_ns=1,
            min_ns=8,
            weights="model",
            layers_sum_ns=sum(t.median_ns for t in times) + rest,
        )
        made: record.Report = report(model(layers, timing=whole))
        return made

    return build


def events(report: record.Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(render(report, "trace"))["traceEvents"]
    return found


def test_events_are_as_the_format_has_them(timed: Timed) -> None:
    kinds = {"name": str, "cat": str, "ph": str, "ts": float, "dur": float, "pid": int, "tid": int, "args": dict}
    complete = [e for e in events(timed("a", "b", "c")) if e["ph"] == "X"]
    assert len(complete) == 3
    for event in complete:
        assert {key: type(value) for key, value in event.items()} == kinds
        assert event["ts"] >= 0
        assert event["dur"] >= 0
    metadata = [e for e in events(timed("a")) if e["ph"] == "M"]
    assert {e["name"] for e in metadata} == {"process_name", "thread_name"}
    assert all(isinstance(e["args"]["name"], str) for e in metadata)


def test_layers_follow_one_another_and_add_up(timed: Timed) -> None:
    report = timed("a", "b", "c", "d", rest=500)
    complete = [e for e in events(report) if e["ph"] == "X"]
    assert [e["name"] for e in complete] == ["a", "b", "c", "d", "outside the layers"]
    for before, after in pairwise(complete):
        assert after["ts"] == pytest.approx(before["ts"] + before["dur"])
    timing = report.models[0].timing
    assert timing is not None
    assert sum(e["dur"] for e in complete) == pytest.approx(timing.layers_sum_ns / 1000)


def test_a_layer_says_what_it_is(timed: Timed) -> None:
    (event,) = [e for e in events(timed("conv")) if e["ph"] == "X"]
    assert event["args"] | {"op": "Conv", "algorithm": "taps", "macs": 1000, "gflops": 2.5} == event["args"]


def test_names_are_shown_and_do_nothing(timed: Timed) -> None:
    found = render(timed("a\x1b[31m\u202e\ud800\n"), "trace")
    assert found.isascii()
    assert found.count("\n") == 1
    assert json.loads(found)["traceEvents"][2]["name"] == "a\\x1b[31m\\u202e\\ud800\\x0a"


def test_without_times_there_is_no_trace(layer: Make, model: Make, report: Make) -> None:
    with pytest.raises(ReportError, match="needs times") as found:
        render(report(model([layer(0, "a")])), "trace")
    assert found.value.code == "C504"
