"""A report as flat rows: one table of plain values for CSV, data frames and scripts. None is not known.

The columns of each table are documented in docs/api.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from convcost.record import COUNTED, Cost, FleetEntry, Layer, Model, Report

Value: TypeAlias = str | int | float | bool | None
Row: TypeAlias = list[Value]

TIMING = ("algorithm", "runs", "median_ns", "mad_ns", "min_ns", "gflops", "roof_share", "bound")

LAYERS = (
    "source", "index", "name", "scope", "op", "domain", "kind", "traits", "input", "output", "dtype", "notation",
    *COUNTED, "share_macs",
)  # fmt: skip
MODELS = (
    "model", "status", "sha256", "layers", "nodes", "counted", "complete", *COUNTED, "peak_memory_bytes", "error",
)  # fmt: skip
ALTERNATIVES = (
    "of", "name", "notation", "output", *COUNTED, "peak_memory_bytes", "ratio_macs", "ratio_params", "ratio_time",
    "median_ns",
)  # fmt: skip
KERNELS = (
    "source", "name", "op", "weight", "group", "dtype", "layer_macs", "separable", "form", "first", "matrices",
    "rows", "columns", "exact_rank", "pays_to", "rank", "energy", "macs", "saved",
)  # fmt: skip
CHANGES = ("status", "old_name", "new_name", "op", "kind", "matched", "metric", "old", "new", "change", "relative")
CHECKS = (
    "model", "rule", "level", "status", "metric", "unit", "limit", "value", "old", "pattern", "message", "reason",
    "file", "line",
)  # fmt: skip


def table(report: Report, of: str | None = None) -> tuple[tuple[str, ...], Iterable[Row]]:
    """Columns, and the rows under them. `of` is one of `TABLES`, by default what the report is about."""
    if of is None:
        of = subject(report)
    columns, rows = TABLES[of]
    if of == "layers" and timed(report):
        columns += TIMING
    return columns, rows(report)


def subject(report: Report) -> str:
    """The table that a report is about."""
    if report.fleet is not None:
        return "models"
    if report.separations:
        return "kernels"
    if report.diff is not None:
        return "changes"
    if report.checks:
        return "checks"
    return "alternatives" if report.comparisons else "layers"


def layer_rows(report: Report) -> Iterable[Row]:
    """The layers of all models."""
    measured = timed(report)
    for model in report.models:
        for layer in model.layers:
            yield layer_row(model, layer) + (timing(layer) if measured else [])


def layer_row(model: Model, layer: Layer) -> Row:
    """One layer."""
    return [
        model.source, layer.index, layer.name, "/".join(layer.scope), layer.op, layer.domain, layer.kind,
        " ".join(layer.traits), shape(layer.inputs), shape(layer.outputs), layer.dtype, layer.notation,
        *counts(layer.cost), layer.share.macs,
    ]  # fmt: skip


def timed(report: Report) -> bool:
    """Whether layers have times."""
    return any(model.timing for model in report.models)


def timing(layer: Layer) -> Row:
    """Measured times."""
    return [None if layer.timing is None else getattr(layer.timing, field) for field in TIMING]


def model_rows(report: Report) -> Iterable[Row]:
    """The models of a fleet, failed ones too, or all models of another report."""
    if report.fleet is None:
        for m in report.models:
            seen = m.coverage
            entry: Row = [m.source, "counted", m.sha256, len(m.layers), seen.nodes, seen.counted, seen.complete]
            yield [*entry, *counts(m.totals), m.totals.peak_memory_bytes, None]
        return
    why = {d.location.file: d.message for d in report.diagnostics if d.location is not None and d.severity == "error"}
    for e in report.fleet.entries:
        yield [*entry_row(e), None if e.status == "counted" else why.get(e.path)]


def entry_row(e: FleetEntry) -> Row:
    """One model of a fleet."""
    numbers = [None] * (len(COUNTED) + 1) if e.totals is None else [*counts(e.totals), e.totals.peak_memory_bytes]
    return [e.path, e.status, e.sha256, e.layers, e.nodes, e.counted, e.complete, *numbers]


def alternative_rows(report: Report) -> Iterable[Row]:
    """The alternatives of all comparisons."""
    for comparison in report.comparisons:
        for way in comparison.alternatives:
            r = way.ratio
            yield [
                comparison.of, way.name, way.notation, shape([o.shape for o in way.outputs]), *counts(way.cost),
                way.cost.peak_memory_bytes, r.macs, r.params, r.time, way.timing.median_ns if way.timing else None,
            ]  # fmt: skip


def kernel_rows(report: Report) -> Iterable[Row]:
    """Every rank of every unfolding of all kernels."""
    for found in report.separations:
        for k in found.layers:
            start: Row = [
                found.source,
                k.name,
                k.op,
                "x".join(map(str, k.weight)),
                k.group,
                k.dtype,
                k.macs,
                k.separable,
            ]
            for u in k.unfoldings:
                first = " ".join(map(str, u.first))
                size: Row = [u.form, first, u.matrices, u.rows, u.columns, u.rank, u.pays_to]
                for r in u.ranks:
                    yield [*start, *size, r.rank, r.energy, r.macs, r.saved]


def change_rows(report: Report) -> Iterable[Row]:
    """Every quantity of both models, then of every layer that differs."""
    for d in report.diff.totals if report.diff is not None else ():
        yield ["total", None, None, None, None, None, d.metric, d.old, d.new, d.change, d.relative]
    for layer in report.diff.layers if report.diff is not None else ():
        side = layer.new or layer.old
        names = [layer.old.name if layer.old else None, layer.new.name if layer.new else None]
        what = [side.op, side.kind] if side is not None else [None, None]
        for d in layer.deltas:
            yield [layer.status, *names, *what, layer.matched, d.metric, d.old, d.new, d.change, d.relative]


def check_rows(report: Report) -> Iterable[Row]:
    """The verdicts on all budgets."""
    for check in report.checks:
        where = check.location
        place: Row = [None, None] if where is None else [where.file, where.line]
        yield [*(getattr(check, field) for field in CHECKS[:-2]), *place]


def counts(cost: Cost) -> Row:
    """All quantities that add up."""
    return [getattr(cost, field) for field in COUNTED]


def shape(shapes: list[list[int | str] | None]) -> str | None:
    """1x256x8x8: the first of `shapes`."""
    first = shapes[0] if shapes else None
    return None if first is None else "x".join(map(str, first)) or "scalar"


TABLES: dict[str, tuple[tuple[str, ...], Callable[[Report], Iterable[Row]]]] = {
    "layers": (LAYERS, layer_rows),
    "models": (MODELS, model_rows),
    "alternatives": (ALTERNATIVES, alternative_rows),
    "kernels": (KERNELS, kernel_rows),
    "changes": (CHANGES, change_rows),
    "checks": (CHECKS, check_rows),
}
