"""Comparisons: sources side by side, one layer beside its other forms, one layer under other parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from convcost import record
from convcost.api import forms
from convcost.api.forms import Found, Row
from convcost.api.models import model_of, report
from convcost.api.result import Report
from convcost.api.sources import Loaded, Options, expand, load, options_from, read_report, split
from convcost.errors import EngineError, UsageError

Severity = Literal["warning", "note"]

MEASURING_SECONDS = 6.0
"""Time that all rows together are measured for, unless told; a row takes from 0.2 s to 3 s of it."""


def compare(
    sources: Sequence[str], *, time: bool, everything: bool, layer: str | None, options: Mapping[str, object]
) -> Report:
    """The report of `convcost.api.compare`."""
    how, rest = split(options)
    opts = options_from(rest)
    rows: list[Row] = []
    notes: list[record.Diagnostic] = []
    if layer is not None:
        from convcost.api.picking import picked  # noqa: PLC0415 - only for a model's layer

        item, opts = picked(sources, layer, opts)
        rows, notes = counted(item, opts)
    for source in () if layer is not None else expand(tuple(sources)):
        if isinstance(source, str) and source.endswith(".json"):
            rows += recorded(source, time=time)
            continue
        row, said = counted(load(source, opts), opts)
        rows += row
        notes += said
    if not rows:
        raise UsageError("compare needs a source")
    found = Found([], [])
    first = rows[0].item
    if len(rows) == 1 and first is not None and rows[0].model is not None:
        found = forms.other_forms(first, rows[0].model, opts, everything=everything, timed=time)
    of = first.origin or first.name if first is not None else rows[0].name
    return reported(of, rows + found.rows, found, notes, how if time else None)


def counted(item: Loaded, opts: Options) -> tuple[list[Row], list[record.Diagnostic]]:
    """The row of a source, and what there is to say about it."""
    model, notes = model_of(item, opts)
    return [Row(item.name, item, model)], notes


def recorded(path: str, *, time: bool) -> list[Row]:
    """A row for each model of a report, which has no graph: it cannot be run again."""
    if time:
        raise UsageError(f"{path}: a report cannot be run; name the model, or leave out --time")
    return [Row(model.source, None, model) for model in read_report(path).models]


def reported(
    of: str,
    rows: Sequence[Row],
    found: Found,
    notes: list[record.Diagnostic],
    how: Mapping[str, object] | None,
    scanned: Sequence[str] = (),
) -> Report:
    """The report of rows that are counted; with `how` they are also run."""
    environment = None
    if how is not None:
        rows, environment, said = measured(rows, how)
        notes = notes + said
    first = rows[0].model
    assert first is not None
    ways = [forms.described(row, first, row.timing if row.model is None else row.model.timing) for row in rows]
    if not scanned:
        ways = forms.with_front(ways)
    comparison = record.Comparison(
        of=of, alternatives=ways, skipped=found.skipped, scanned=list(scanned), more=found.more
    )
    if how is not None:
        from convcost.api.gains import disappointing  # noqa: PLC0415 - only with times

        notes = notes + disappointing(ways, [row.model for row in rows])
    models = [row.model for row in rows if row.model is not None]
    return report("compare", models, comparisons=[comparison], diagnostics=notes, environment=environment)


def measured(
    rows: Sequence[Row], how: Mapping[str, object]
) -> tuple[list[Row], record.Environment | None, list[record.Diagnostic]]:
    """The rows with their times, the machine, and which of them may not run; an algorithm is the first row's.

    All are measured in turn, so that their ratios hold. Raises EngineError where the first row may not run.
    """
    from convcost.api.running import measure_together, timed  # noqa: PLC0415 - NumPy is loaded only to run

    able = runnable(rows)
    seconds = min(3.0 * len(able), max(MEASURING_SECONDS, 0.2 * len(able)))
    jobs = [(item, model, forms.engine_name(rows[i])) for i, item, model in able]
    results = measure_together(jobs, {"min_seconds": seconds, **how})
    out = list(rows)
    notes = absent(rows)
    environment = None
    for (i, _, model), result in zip(able, results, strict=True):
        if isinstance(result, EngineError):
            if i == 0:
                raise result
            algorithm = rows[i].algorithm is not None  # its layer can be run, as the first row shows
            why = result.message.rpartition(": ")[2] if algorithm else result.message
            said = f"{rows[i].name}: not run: {why}"
            severity: Severity = "note" if algorithm else "warning"
            notes.append(record.Diagnostic(code=result.code, severity=severity, message=said))
            continue
        environment = environment or result.environment
        if rows[i].algorithm is not None:
            out[i] = msgspec.structs.replace(rows[i], timing=result.model)
        else:
            out[i] = msgspec.structs.replace(rows[i], model=timed(model, result))
    return out, environment, notes


def runnable(rows: Sequence[Row]) -> list[tuple[int, Loaded, record.Model]]:
    """(row, graph, what it costs) of all that can be run; an algorithm of the engine runs the first row's graph."""
    first = rows[0]
    out = []
    for i, row in enumerate(rows):
        base = first if forms.engine_name(row) is not None else row
        if base.item is not None and base.model is not None:
            out.append((i, base.item, base.model))
    return out


def absent(rows: Sequence[Row]) -> list[record.Diagnostic]:
    """A note on the algorithms that the engine does not have."""
    names = [row.name for row in rows if row.algorithm is not None and forms.engine_name(row) is None]
    if not names:
        return []
    said = f"{', '.join(names)}: not run: the engine has no such algorithm"
    return [record.Diagnostic(code="C248", severity="note", message=said)]
