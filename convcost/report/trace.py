"""The times of a report in the Trace Event Format, which chrome://tracing, Perfetto and speedscope open.

Layers stand one behind the other, each as long as its median, a process for each model. The format is described in
"Trace Event Format" (Google): complete events (`ph` X) with microseconds in `ts` and `dur`, metadata (`ph` M).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from convcost.errors import ReportError
from convcost.record import Layer, Model, Report
from convcost.report.text import visible

LONGEST = 10**18
"""Nanoseconds: 31 years."""
REST = "outside the layers"
"""Time that belongs to none of them: calls of functions, changes of layout."""


def render(report: Report) -> str:
    """One line of JSON. Raises ReportError where nothing was measured."""
    events = [event for i, model in enumerate(report.models, 1) for event in model_events(i, model)]
    if not events:
        raise ReportError("a trace needs times, and nothing was run", code="C504", help="convcost time measures")
    found = {"traceEvents": events, "displayTimeUnit": "ns", "otherData": about(report)}
    return msgspec.json.encode(found).decode() + "\n"


def about(report: Report) -> dict[str, str]:
    """Where it was measured."""
    seen = report.environment
    out = {"tool": visible(f"{report.tool.name} {report.tool.version}")}
    if seen is not None:
        where = {"processor": seen.processor, "machine": seen.machine, "python": seen.python, "numpy": seen.numpy}
        out |= {key: visible(text) for key, text in (where | {"blas": seen.blas}).items()}
    return out


def model_events(pid: int, model: Model) -> Iterator[dict[str, Any]]:
    """The events of one model; none where it was not run."""
    timing = model.timing
    if timing is None:
        return
    thread = f"{visible(timing.backend)}, {timing.threads} thread{'s' if timing.threads != 1 else ''}"
    yield {"ph": "M", "name": "process_name", "pid": pid, "tid": 1, "args": {"name": visible(model.source)}}
    yield {"ph": "M", "name": "thread_name", "pid": pid, "tid": 1, "args": {"name": thread}}
    now = 0
    for layer in model.layers:
        if layer.timing is not None:
            yield event(pid, visible(layer.name), layer.kind, now, layer.timing.median_ns, args(layer))
            now += layer.timing.median_ns
    if timing.layers_sum_ns > now:
        yield event(pid, REST, "rest", now, timing.layers_sum_ns - now, {})


def event(pid: int, name: str, category: str, start: int, took: int, more: dict[str, Any]) -> dict[str, Any]:
    """A complete event; `start` and `took` in nanoseconds."""
    return {
        "ph": "X",
        "name": name,
        "cat": visible(category),
        "ts": microseconds(start),
        "dur": microseconds(took),
        "pid": pid,
        "tid": 1,
        "args": more,
    }


def microseconds(ns: int) -> float:
    """Nanoseconds in the unit of the format. Raises ReportError where no clock could have measured them."""
    if abs(ns) >= LONGEST:
        raise ReportError(f"a time of more than {LONGEST:,} ns cannot be drawn", code="C504")
    return ns / 1000


def args(layer: Layer) -> dict[str, Any]:
    """What the viewer shows of a layer."""
    t = layer.timing
    assert t is not None
    output = layer.outputs[0] if layer.outputs else None
    found = {
        "op": visible(layer.op),
        "algorithm": visible(t.algorithm),
        "output": None if output is None else visible("x".join(map(str, output))),
        "macs": layer.cost.macs,
        "gflops": t.gflops,
        "roof_share": t.roof_share,
        "bound": t.bound,
        "mad_us": microseconds(t.mad_ns),
        "runs": t.runs,
    }
    return {key: value for key, value in found.items() if value is not None}
