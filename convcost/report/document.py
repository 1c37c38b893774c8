"""The whole picture of a report: headings, headline figures, tables, coverage and convention, in reading order."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from convcost import units
from convcost.record import CONVENTION, Coverage, Diagnostic, Model, ModelTiming, Report, Verification
from convcost.report.checks import check_blocks
from convcost.report.comparison import comparison_blocks
from convcost.report.difference import diff_blocks
from convcost.report.explanation import explanation_blocks
from convcost.report.extras import environment_facts, extra_blocks
from convcost.report.files import written_blocks
from convcost.report.fleet import fleet_blocks
from convcost.report.layers import layer_table
from convcost.report.picture import Block, Column, Facts, Heading, Paragraph, Table
from convcost.report.rewriting import rewrite_blocks
from convcost.report.separation import separation_blocks
from convcost.report.text import Line, Text
from convcost.report.tree import tree_table
from convcost.report.view import View, bound_of, number, shown_units, size

LISTED = 8
"""Nodes that are not counted, listed by name."""


def document(report: Report, view: View) -> list[Block]:
    """All blocks of a report."""
    how = shown_units(report, view)
    blocks: list[Block] = [] if report.fleet is None else fleet_blocks(report.fleet, view)
    if report.diff is not None:
        blocks += diff_blocks(report.diff, view, how)
    if report.checks:
        blocks += check_blocks(report.checks, how)
    for comparison in report.comparisons:
        blocks += comparison_blocks(comparison, how, full=view.all_layers, chosen=view.columns)
    for rewrite in report.rewrites:
        blocks += rewrite_blocks(rewrite, view, how)
    for explanation in report.explanations:
        blocks += explanation_blocks(explanation)
    for separation in report.separations:
        blocks += separation_blocks(separation, view, how)
    focused = bool(report.comparisons or report.explanations or report.checks or report.diff or report.separations)
    focused = focused or bool(report.rewrites) or report.fleet is not None
    detailed = not focused or (view.all_layers and report.diff is None and not report.separations)
    if len(report.models) > 1 and not focused:
        blocks.append(summary(report.models, how))
    proposed = {way.notation for c in report.comparisons for way in c.alternatives if way.summary}
    of_a_fleet = report.fleet is not None and not view.all_layers
    if report.comparisons and view.columns is not None:
        view = msgspec.structs.replace(view, columns=None)  # those were the comparison's
    for model in () if of_a_fleet else report.models:
        if detailed and model.source not in proposed:
            blocks += model_blocks(model, view, how)
        elif not model.coverage.complete:
            blocks += [Heading(title(model)), *unknown_nodes(model)]
    if not detailed and report.models and report.diff is None and report.fleet is None:
        seen = report.models[-1:] if report.rewrites else report.models
        blocks.append(coverage(together([model.coverage for model in seen]), {}))
    blocks += written_blocks(report.written)
    said = [d for d in report.diagnostics if d.severity == "error" or not of_a_fleet]
    blocks += [Paragraph((diagnostic_line(d),), d.severity) for d in said]
    convention = report.convention if view.all_layers else report.convention.partition(";")[0]
    if report.environment is not None:
        blocks.append(environment_facts(report.environment))
    ours = report.convention == CONVENTION
    if report.models or not report.explanations:
        blocks.append(Paragraph((("convention: ", convention if ours else Text(convention)),), "dim"))
    return blocks


def model_blocks(model: Model, view: View, how: str) -> list[Block]:
    """One model: headline, layers, what was read into a shape string, coverage."""
    table = tree_table(model, view, how) if view.tree else layer_table(model, view, how)
    blocks: list[Block] = [Heading(title(model)), headline(model), *formulas(model)]
    if model.timing is not None:
        blocks += timing_facts(model.timing)
    blocks.append(table)
    readings: tuple[Line, ...] = tuple(
        (f"#{layer.index} ", Text("; ".join(layer.reading), local=True)) for layer in model.layers if layer.reading
    )
    if readings and model.kind == "shape":
        blocks.append(Paragraph(readings, "dim"))
    blocks += extra_blocks(model, how)
    blocks.append(coverage(model.coverage, model.dims))
    return blocks + unknown_nodes(model)


def title(model: Model) -> Line:
    """What the model is."""
    if model.kind == "shape":
        return ("Shape ", Text(model.source))
    opsets = ", ".join(str(version) for domain, version in model.opset.items() if domain in ("", "ai.onnx"))
    return ("Model ", Text(model.source), f" · opset {opsets}" if opsets else "")


def headline(model: Model) -> Facts:
    """The figures that people ask for first, exactly."""
    total, bound = model.totals, bound_of(model.coverage)
    items = [f"{digits(total.macs, bound)} MACs"]
    if total.macs_effective != total.macs:
        items[0] += f" ({digits(total.macs_effective, bound)} without padding zeros)"
    if total.multiplications != total.macs:
        items.append(f"{digits(total.multiplications, bound)} multiplications")
    items.append(f"{digits(total.params, bound)} parameters")
    items.append(f"weights {size(total.weight_bytes, 'si', bound)}")
    items.append(f"peak memory {size(total.peak_memory_bytes, 'si')}")
    if total.intensity is not None:
        items.append(f"{intensity(total.intensity)} FLOP/B")
    return Facts(tuple((item,) for item in items), about=model)


def digits(n: int | None, bound: str) -> str:
    """All digits, as long as somebody could want to read them."""
    return number(n, "exact" if n is None or n < READABLE else "si", bound)


READABLE = 10**24


def intensity(x: float) -> str:
    """FLOP per byte."""
    return units.si(int(x)) if x >= 10_000 else units.significant(Fraction(x), 3)


def formulas(model: Model) -> list[Block]:
    """What takes the place of numbers where dimensions are open; MACs also where the batch was taken as 1."""
    totals, symbolic = model.totals, model.totals.symbolic
    names = {"macs": "MACs", "params": "parameters"}
    lines: list[Line] = [
        (f"{names[name]} {bound_of(model.coverage) or '='} ", Text(symbolic[name]))
        for name in names
        if name in symbolic and (name == "macs" or getattr(totals, name) is None)
    ]
    return [Paragraph(tuple(lines))] if lines else []


BOUNDS = {
    "≥": "the totals are lower bounds",
    "≤": "the totals are upper bounds",
    "≈": "some totals are lower bounds, some sizes the largest possible",
}


def coverage(seen: Coverage, given: dict[str, int]) -> Facts:
    """151/151 nodes counted · 0 unknown · dims batch=1."""
    items: list[Line] = [(f"{seen.counted}/{seen.nodes} nodes counted",), (f"{seen.nodes - seen.counted} unknown",)]
    bound = bound_of(seen)
    if bound:
        items.append((BOUNDS[bound],))
    if given:
        dims: list[str | Text] = ["dims"]
        for name, value in given.items():
            dims += [" ", Text(name), f"={value}"]
        items.append(tuple(dims))
    return Facts(tuple(items))


def together(parts: list[Coverage]) -> Coverage:
    """The coverage of several models."""
    return Coverage(
        complete=all(part.complete for part in parts),
        nodes=sum(part.nodes for part in parts),
        counted=sum(part.counted for part in parts),
        unknown=[],
        lower_bound=any(part.lower_bound for part in parts),
        upper_bound=any(part.upper_bound for part in parts),
    )


def unknown_nodes(model: Model) -> list[Block]:
    """What was not counted, and why."""
    unknown = model.coverage.unknown
    lines: list[Line] = [
        ("not counted: ", Text(node.name), " (", Text(node.op), "): ", Text(node.reason)) for node in unknown[:LISTED]
    ]
    if len(unknown) > LISTED:
        lines.append((f"not counted: {len(unknown) - LISTED} more, listed in the JSON report",))
    return [Paragraph(tuple(lines), "warning")] if lines else []


def timing_facts(timing: ModelTiming) -> list[Block]:
    """How long a whole run took, and whether its result is right."""
    runs = f"{timing.runs} run{'s' if timing.runs != 1 else ''} after {timing.warmup} of warm-up"
    threads = f"{timing.threads} thread{'s' if timing.threads != 1 else ''}"
    items: list[Line] = [
        (f"median {units.duration(timing.median_ns)} ± {units.duration(timing.mad_ns)}",),
        (f"best {units.duration(timing.min_ns)}",),
        (runs,),
        (f"{threads}, backend ", Text(timing.backend, local=True)),
        (f"weights: {timing.weights}",),
    ]
    blocks: list[Block] = [Facts(tuple(items))]
    if timing.verification is not None:
        blocks.append(verification(timing.verification))
    return blocks


def verification(seen: Verification) -> Paragraph:
    """Whether another runtime computes the same."""
    verdict = "outputs agree with" if seen.passed else "outputs DIFFER from"
    error = f": largest error {seen.max_abs_error:.3g}, relative {seen.max_rel_error:.3g} (tolerance "
    line = (
        f"{verdict} ",
        Text(seen.backend, local=True),
        " ",
        Text(seen.version, local=True),
        error,
        Text(seen.tolerance, local=True),
        ")",
    )
    return Paragraph((line,), "plain" if seen.passed else "error")


def diagnostic_line(d: Diagnostic) -> Line:
    """note[C2xx]: what, where, and what to do."""
    where: list[str | Text] = []
    if d.location is not None and d.location.file is not None:
        where = [Text(d.location.file), ": "]
    hint: list[str | Text] = ["; ", Text(d.help)] if d.help else []
    node: list[str | Text] = []
    if d.location is not None and d.location.node is not None:
        node = [" (node ", Text(d.location.node), ")"]
    return (f"{d.severity}[", Text(d.code), "]: ", *where, Text(d.message), *node, *hint)


def summary(models: list[Model], how: str) -> Table:
    """All models of a report, one a line."""
    columns = (
        Column(key="index", title="#"),
        Column(key="source", title="source", right=False, words=True, least=16),
        Column(key="macs", title="MACs"),
        Column(key="params", title="params", drop=1),
        Column(key="peak", title="peak memory", drop=3),
        Column(key="weights", title="weights", drop=4),
        Column(key="coverage", title="counted", drop=2),
    )
    rows = []
    for i, model in enumerate(models):
        total, bound = model.totals, bound_of(model.coverage)
        rows.append(
            (
                str(i),
                Text(model.source),
                number(total.macs, how, bound),
                number(total.params, how, bound),
                size(total.peak_memory_bytes, how),
                size(total.weight_bytes, how, bound),
                f"{model.coverage.counted}/{model.coverage.nodes}",
            )
        )
    return Table(title=(), columns=columns, rows=tuple(rows))
