"""The figures as OpenMetrics text, for Prometheus and for GitLab's metrics reports.

Every figure is a gauge in its base unit, labelled with its source ("OpenMetrics", a specification of the CNCF). Totals
always; layers, under names of their own, where all layers are asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TypeAlias

from convcost.ir import distinct
from convcost.record import COUNTED, FIELDS, Check, Comparison, Model, Report
from convcost.report.text import shorten, visible
from convcost.report.view import View

LONGEST = 200
"""Columns of a label."""
TOTALS = (*COUNTED, "peak_memory_bytes")
LARGEST = int(sys.float_info.max)
"""Consumers hold values as 64-bit floats; what is larger is not written."""
Sample: TypeAlias = tuple[dict[str, str], Fraction | int | None]


def render(report: Report, view: View) -> str:
    """One block a metric, and `# EOF`."""
    out = ["# TYPE convcost info", "# HELP convcost What made these figures."]
    about = {"version": label(report.tool.version), "convention": label(report.convention)}
    out.append(f"convcost_info{{{labels(about)}}} 1")
    sources = distinct(label(model.source) for model in report.models)
    models = list(zip(sources, report.models, strict=True))
    for block in (of_models(models), of_comparisons(report.comparisons), of_checks(report.checks)):
        out += block
    if view.all_layers:
        out += of_layers(models)
    return "\n".join([*out, "# EOF", ""])


def metric(name: str, help: str, samples: Iterable[Sample]) -> list[str]:
    """A gauge; nothing where no sample has a value. The unit is the end of the name."""
    lines = [
        f"convcost_{name}{{{labels(names)}}} {number(value)}"
        for names, value in samples
        if value is not None and -LARGEST <= value <= LARGEST
    ]
    if not lines:
        return []
    head = [f"# TYPE convcost_{name} gauge"]
    unit = name.rpartition("_")[2]
    if unit in ("bytes", "seconds"):
        head.append(f"# UNIT convcost_{name} {unit}")
    return [*head, f"# HELP convcost_{name} {escaped(help)}", *lines]


def of_models(models: list[tuple[str, Model]]) -> Iterator[str]:
    """Totals, coverage, times."""
    for field in TOTALS:
        yield from metric(field, FIELDS[field], (({"source": s}, getattr(m.totals, field)) for s, m in models))
    intensity = (({"source": s}, exact(m.totals.intensity)) for s, m in models)
    yield from metric("intensity_flops_per_byte", FIELDS["intensity"], intensity)
    yield from metric("nodes", "Nodes of the model.", (({"source": s}, m.coverage.nodes) for s, m in models))
    counted = (({"source": s}, m.coverage.counted) for s, m in models)
    yield from metric("nodes_counted", "Nodes that the totals stand for.", counted)
    complete = (({"source": s}, int(m.coverage.complete)) for s, m in models)
    yield from metric("complete", "1 where the totals are exact, 0 where they are bounds.", complete)
    times = (({"source": s}, seconds(m.timing.median_ns)) for s, m in models if m.timing is not None)
    yield from metric("time_seconds", "Median time of a run.", times)


def of_comparisons(comparisons: list[Comparison]) -> Iterator[str]:
    """Alternatives, labelled with what they stand beside."""
    ways = []
    for of, comparison in zip(distinct(label(c.of) for c in comparisons), comparisons, strict=True):
        names = distinct(label(way.name) for way in comparison.alternatives)
        ways += [({"of": of, "way": n}, w) for n, w in zip(names, comparison.alternatives, strict=True)]
    for field in ("macs", "params"):
        samples = ((names, getattr(way.cost, field)) for names, way in ways)
        yield from metric(f"alternative_{field}", FIELDS[field], samples)
    times = ((names, seconds(way.timing.median_ns)) for names, way in ways if way.timing is not None)
    yield from metric("alternative_time_seconds", "Median time of a run.", times)


def of_checks(checks: list[Check]) -> Iterator[str]:
    """Verdicts. What was skipped has none."""
    named: list[tuple[dict[str, str], Check]] = []
    seen: dict[tuple[str, str], int] = {}
    for check in checks:
        rule, source = label(check.rule), label(check.model)
        seen[rule, source] = n = seen.get((rule, source), 0) + 1
        named.append(({"rule": rule, "source": source} | ({"number": str(n)} if n > 1 else {}), check))
    passed = ((names, int(c.status != "fail")) for names, c in named if c.status != "skip")
    yield from metric("check_passed", "1 where a budget is kept or only warns, 0 where it is not kept.", passed)
    for what in ("limit", "value"):
        samples = ((names, exact(getattr(c, what))) for names, c in named)
        yield from metric(f"check_{what}", f"The {what} of a budget, in its own unit.", samples)


def of_layers(models: list[tuple[str, Model]]) -> Iterator[str]:
    """What each layer costs."""
    rows = []
    for source, model in models:
        names = distinct(label(layer.name) for layer in model.layers)
        rows += [({"source": source, "layer": n}, one) for n, one in zip(names, model.layers, strict=True)]
    for field in COUNTED:
        samples = ((names, getattr(layer.cost, field)) for names, layer in rows)
        yield from metric(f"layer_{field}", FIELDS[field], samples)
    times = ((names, seconds(layer.timing.median_ns)) for names, layer in rows if layer.timing is not None)
    yield from metric("layer_time_seconds", "Median time of a layer.", times)


def seconds(ns: int) -> Fraction:
    """Nanoseconds in the base unit."""
    return Fraction(ns, 10**9)


def exact(value: float | str | None) -> Fraction | None:
    """A figure; words have none."""
    return None if value is None or isinstance(value, str) else Fraction(value)


def number(value: Fraction | int) -> str:
    """All digits of an integer; a fraction as the nearest float."""
    return str(value) if isinstance(value, int) else repr(float(value))


def label(text: str) -> str:
    """Foreign text, inert and not too long."""
    return visible(shorten(text, LONGEST))


def labels(names: dict[str, str]) -> str:
    """The part of a sample between braces."""
    return ",".join(f'{name}="{escaped(text)}"' for name, text in names.items())


def escaped(text: str) -> str:
    """The specification's escapes; line ends are escaped before."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
