"""A loaded source, counted: the report's model and what there is to say about it."""

from __future__ import annotations

import msgspec

from convcost import analysis, record
from convcost.api.result import Report
from convcost.api.sources import Loaded, Options
from convcost.errors import ModelError, UsageError
from convcost.ir import Note
from convcost.ir.dim import symbols_of
from convcost.version import __version__


def model_of(item: Loaded, opts: Options) -> tuple[record.Model, list[record.Diagnostic]]:
    """A loaded source, counted, and what there is to say about it."""
    counted = analysis.count(item.graph, trip_counts=opts.trip_counts, algorithms=opts.algorithms)
    totals = analysis.total_cost(item.graph, counted)
    if opts.strict:
        insist(item, counted, totals)
    totals = with_formulas(item, totals, opts)
    model = record.Model(
        source=item.name,
        kind="onnx" if item.kind == "onnx" else "shape",
        sha256=item.sha256,
        opset=dict(item.graph.opset),
        dims=item.dims,
        totals=totals,
        coverage=counted.coverage,
        outputs=analysis.outputs_of(item.graph),
        layers=counted.layers,
    )
    model = msgspec.structs.replace(model, figures=figures(model, opts))
    notes = [diagnostic(item, note) for note in item.graph.notes]
    notes += [
        record.Diagnostic(
            code="C240", severity="note", message=text, location=record.Location(file=item.name, node=name)
        )
        for name, text in counted.notes
    ]
    return model, notes + open_dimensions(item, totals)


def with_formulas(item: Loaded, totals: record.Cost, opts: Options) -> record.Cost:
    """`totals` with the formulas in an assumed batch beside the numbers, where all of the model yields one."""
    if item.open_graph is None:
        return totals
    counted = analysis.count(item.open_graph, trip_counts=opts.trip_counts)
    if not counted.coverage.complete:
        return totals
    formulas = analysis.total_cost(item.open_graph, counted).symbolic
    return msgspec.structs.replace(totals, symbolic=formulas | totals.symbolic)


def figures(model: record.Model, opts: Options) -> list[record.Figure]:
    """The total in the convention that is asked for, or all of them where a number is to be explained."""
    if opts.convention is None and opts.explain_difference is None:
        return []
    from convcost.analysis import conventions  # noqa: PLC0415 - rare

    convention = None
    if opts.convention is not None:
        convention = conventions.find(opts.convention)
        if convention is None:
            raise unknown_convention(opts.convention)
    if opts.explain_difference is not None:
        return conventions.explain(model, opts.explain_difference)
    found = conventions.figure(model, convention) if convention is not None else None
    return [found] if found is not None else []


def unknown_convention(name: str) -> UsageError:
    """What is said about a convention that there is not."""
    import difflib  # noqa: PLC0415 - only for a mistake

    from convcost.analysis.conventions import CONVENTIONS  # noqa: PLC0415 - rare

    names = [c.name for c in CONVENTIONS]
    near = difflib.get_close_matches(name[:60].lower(), names, 1, 0.6)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return UsageError(f"unknown convention {name[:60]!r}; {hint}")


def insist(item: Loaded, counted: analysis.Counted, totals: record.Cost) -> None:
    """`--strict`: an error where anything is not counted."""
    missing = counted.coverage.unknown
    if missing:
        first = missing[0]
        raise ModelError(
            f"{counted.total.n_unknown} nodes are not counted: {first.op}: {first.reason}",
            file=item.name,
            node=first.name,
            code="C241",
        )
    for name, formula in totals.symbolic.items():
        raise ModelError(f"dimensions are open: {name} is {formula}", file=item.name, code="C242")
    if not counted.coverage.complete:
        kind = "lower" if counted.coverage.lower_bound else "upper"
        raise ModelError(f"the totals are {kind} bounds", file=item.name, code="C243")


def diagnostic(item: Loaded, note: Note) -> record.Diagnostic:
    """A note of the graph in the report's form."""
    return record.Diagnostic(
        code=note.code,
        severity="warning" if note.severity == "warning" else "note",
        message=note.message,
        help=note.help,
        location=record.Location(file=item.name, node=note.location),
    )


def open_dimensions(item: Loaded, totals: record.Cost) -> list[record.Diagnostic]:
    """Which option would turn the formulas into numbers."""
    if not any(getattr(totals, name) is None for name in totals.symbolic):
        return []
    names = sorted(symbols_of(d for t in item.graph.inputs for d in t.shape or ()))
    if not names:
        return []
    import shlex  # noqa: PLC0415 - rare

    options = " ".join("--dim " + shlex.quote(f"{name}=N") for name in names)
    return [
        record.Diagnostic(
            code="C244",
            severity="note",
            message=f"{', '.join(names)} left open: counts that depend on them are formulas",
            help=f"give numbers: {options}",
            location=record.Location(file=item.name),
        )
    ]


def report(
    command: str,
    models: list[record.Model],
    *,
    comparisons: list[record.Comparison] | None = None,
    diagnostics: list[record.Diagnostic] | None = None,
    environment: record.Environment | None = None,
    explanations: list[record.Explanation] | None = None,
) -> Report:
    """The whole report."""
    return Report(
        schema_version=record.SCHEMA_VERSION,
        tool=record.Tool(name="convcost", version=__version__),
        command=command,
        convention=record.CONVENTION,
        models=models,
        comparisons=comparisons or [],
        diagnostics=diagnostics or [],
        environment=environment,
        explanations=explanations or [],
    )
