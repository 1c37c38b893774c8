"""A report in a few words, for a prompt or a debugger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from convcost import units
from convcost.record import Report
from convcost.report.text import shorten, visible
from convcost.report.view import bound_of, number

NAMED = 5
"""Models or comparisons that are named."""
LONGEST = 60
"""Columns of a name."""


def summary(report: Report) -> str:
    """<convcost count: lenet5.onnx, 416,520 MACs, 61,706 params>; one line each where there are several."""
    parts = [*lines(report)]
    inner = parts[0] if len(parts) == 1 else "".join(f"\n  {part}" for part in parts)
    return f"<convcost {report.command}:{' ' if len(parts) == 1 else ''}{inner or 'nothing'}>"


def lines(report: Report) -> Iterator[str]:
    """What there is, most important first."""
    if report.fleet is not None:
        yield f"{report.fleet.counted} models counted, {report.fleet.failed} failed"
    for comparison in report.comparisons[:NAMED]:
        yield f"{name(comparison.of)}, {len(comparison.alternatives)} rows"
    if not report.comparisons:
        for model in report.models[:NAMED]:
            bound, total = bound_of(model.coverage), model.totals
            time = f", {units.duration(model.timing.median_ns)}" if model.timing is not None else ""
            macs, params = (number(n, "exact", bound) for n in (total.macs, total.params))
            yield f"{name(model.source)}, {macs} MACs, {params} params{time}"
    more = max(0, len(report.comparisons or report.models) - NAMED)
    if more:
        yield f"and {more} more"
    for explanation in report.explanations[:NAMED]:
        yield name(explanation.of)
    if report.diff is not None:
        yield f"{len(report.diff.layers)} layers differ"
    if report.checks:
        yield "checks: " + ", ".join(f"{n} {status}" for status, n in Counter(c.status for c in report.checks).items())
    if report.diagnostics:
        said = Counter(d.severity for d in report.diagnostics)
        yield ", ".join(f"{n} {word}{'s' if n > 1 else ''}" for word, n in said.items())


def name(raw: str) -> str:
    """A foreign name, short and inert."""
    return visible(shorten(raw, LONGEST))
