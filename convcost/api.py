"""The commands as Python functions. Each takes sources as the command line does and returns a `record.Report`.

A source is a shape string (`12x12x3 -(5x5x3x256)->`), its shell-safe twin (`12x12x3,k5,c256`), the path of an `.onnx`
file or a pattern for several, the path of a JSON report, or `@file` with one shape string a line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from convcost import analysis, notation, record
from convcost.errors import ModelError, UsageError
from convcost.ir import DType, Graph, Note
from convcost.ir.dim import symbols_of
from convcost.version import __version__

if TYPE_CHECKING:
    from convcost.timing import Measurement

MAX_REPORT_BYTES = 256 * 2**20
"""A JSON report larger than this is not read."""


class Loaded(msgspec.Struct, frozen=True):
    """One source as a graph: `name` is how the report calls it, `path` where a file lies."""

    name: str
    kind: str
    graph: Graph
    path: str | None = None
    dims: dict[str, int] = {}
    sha256: str | None = None


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How sources are read and counted; each field is an option of the command line."""

    dims: Mapping[str, int] = {}
    inputs: Mapping[str, str] = {}
    batch: int = 1
    dtype: str = "float32"
    strict: bool = False
    hash: bool = False
    trip_counts: Mapping[str, int] = {}


def count(*sources: str, **options: object) -> record.Report:
    """What each source costs, layer by layer. Options: the fields of `Options`.

    Raises NotationError, ModelError or UsageError. `count("12x12x3 -(5x5x3x256)->").models[0].totals.macs` is 1228800.
    """
    opts = options_from(options)
    models: list[record.Model] = []
    notes: list[record.Diagnostic] = []
    for source in expand(sources):
        if source.endswith(".json"):
            models += read_report(source).models
            continue
        model, said = model_of(load(source, opts), opts)
        models.append(model)
        notes += said
    return report("count", models, diagnostics=notes)


def compare(
    *sources: str,
    time: bool = False,
    runs: int = 10,
    warmup: int = 3,
    threads: int | None = None,
    **options: object,
) -> record.Report:
    """Sources side by side; for one shape string, also the other forms of its layer. Ratios are to the first."""
    opts = options_from(options)
    loaded = [load(source, opts) for source in expand(sources)]
    if not loaded:
        raise UsageError("compare needs a source")
    named = [(item.name, item) for item in loaded]
    skipped: list[record.Skipped] = []
    if len(loaded) == 1:
        forms, skipped = other_forms(loaded[0], opts)
        named += forms
    models: list[record.Model] = []
    notes: list[record.Diagnostic] = []
    for _, item in named:
        model, said = model_of(item, opts)
        models.append(model)
        notes += said
    environment = None
    if time:
        measured = [measure(item, runs=runs, warmup=warmup, threads=threads) for _, item in named]
        models = [timed(model, m) for model, m in zip(models, measured, strict=True)]
        environment = measured[0].environment
    alternatives = [alternative(name, model, models[0]) for (name, _), model in zip(named, models, strict=True)]
    comparison = record.Comparison(of=named[0][0], alternatives=alternatives, skipped=skipped)
    return report("compare", models, comparisons=[comparison], diagnostics=notes, environment=environment)


def other_forms(item: Loaded, opts: Options) -> tuple[list[tuple[str, Loaded]], list[record.Skipped]]:
    """The alternatives of a shape string's one layer, and those that do not apply."""
    from convcost import alternatives  # noqa: PLC0415 - only compare needs it

    forms: list[tuple[str, Loaded]] = []
    skipped: list[record.Skipped] = []
    try:
        layer = alternatives.layer_of(item.graph)
    except alternatives.Skip as why:
        return [], [record.Skipped(name=name, reason=str(why)) for name, _ in alternatives.ALTERNATIVES]
    seen = [shape_of(item.graph)]
    for name, propose in alternatives.ALTERNATIVES:
        try:
            form = load(propose(layer), opts)
        except alternatives.Skip as why:
            skipped.append(record.Skipped(name=name, reason=str(why)))
            continue
        if shape_of(form.graph) in seen:
            skipped.append(record.Skipped(name=name, reason="it is that already"))
            continue
        seen.append(shape_of(form.graph))
        forms.append((name, form))
    return forms, skipped


def shape_of(graph: Graph) -> list[tuple[str, object]]:
    """What a graph of convolutions does, to tell equal forms."""
    return [(n.op, (n.attrs, *(graph.tensors[name].shape for name in n.inputs))) for n in graph.nodes]


def alternative(name: str, model: record.Model, first: record.Model) -> record.Alternative:
    """One row of a comparison."""

    def ratio(mine: int | None, base: int | None) -> float | None:
        return mine / base if mine is not None and base else None

    mine, base = model.timing, first.timing
    return record.Alternative(
        name=name,
        notation=model.source,
        cost=model.totals,
        ratio=record.Ratio(
            macs=ratio(model.totals.macs, first.totals.macs),
            params=ratio(model.totals.params, first.totals.params),
            time=ratio(mine.median_ns if mine else None, base.median_ns if base else None),
        ),
        outputs=model.outputs,
        timing=model.timing,
    )


def time(
    source: str,
    *,
    runs: int = 10,
    warmup: int = 3,
    threads: int | None = None,
    max_memory: int | None = None,
    time_limit: float | None = None,
    verify: bool = False,
    exact: bool = False,
    **options: object,
) -> record.Report:
    """Run the source and report the time of each layer beside its cost. Raises EngineError where it may not run."""
    opts = options_from(options)
    found = list(expand((source,)))
    if len(found) != 1:
        raise UsageError(f"time takes one source, {len(found)} are given")
    item = load(found[0], opts)
    model, notes = model_of(item, opts)
    measured = measure(
        item,
        runs=runs,
        warmup=warmup,
        threads=threads,
        max_memory=max_memory,
        time_limit=time_limit,
        verify=verify,
        exact=exact,
        flops={layer.name: layer.cost.flops for layer in model.layers if layer.cost.flops is not None},
    )
    return report(
        "time",
        [timed(model, measured)],
        diagnostics=notes + list(measured.diagnostics),
        environment=measured.environment,
    )


def measure(item: Loaded, **how: object) -> Measurement:
    """Run one graph and take its times."""
    from convcost import timing  # noqa: PLC0415 - NumPy is loaded only to run

    return timing.time_model(item.graph, **how)


def timed(model: record.Model, measured: Measurement) -> record.Model:
    """The model with times filled in."""
    layers = [
        msgspec.structs.replace(layer, timing=measured.layers.get(layer.name, layer.timing)) for layer in model.layers
    ]
    return msgspec.structs.replace(model, layers=layers, timing=measured.timing)


def options_from(given: Mapping[str, object]) -> Options:
    """Options by name, checked."""
    unknown = set(given) - set(Options.__struct_fields__)
    if unknown:
        raise UsageError(f"unknown option {min(unknown)!r}; there are {', '.join(Options.__struct_fields__)}")
    try:
        opts = msgspec.convert(dict(given), Options)
    except msgspec.ValidationError as wrong:
        raise UsageError(f"an option has the wrong type: {wrong}") from None
    if opts.batch < 1:
        raise UsageError(f"the batch must be at least 1, not {opts.batch}")
    if DType.from_label(opts.dtype) is None:
        raise UsageError(f"unknown element type {opts.dtype!r}; for instance float32, float16, int8")
    return opts


def expand(sources: tuple[str, ...]) -> Iterator[str]:
    """Sources with patterns replaced by the files that they match, and `@file` by its lines."""
    for source in sources:
        if source.startswith("@") or source == "-":
            yield from notation.lines_of(source)
        elif source.endswith(".onnx") and any(c in source for c in "*?[") and not os.path.lexists(source):
            import glob  # noqa: PLC0415 - rare

            found = sorted(glob.glob(source, recursive=True))
            if not found:
                raise UsageError(f"no file matches {source}")
            yield from found
        else:
            yield source


def load(source: str, opts: Options) -> Loaded:
    """A source as a resolved graph."""
    if notation.is_notation(source):
        dtype = DType.from_label(opts.dtype)
        graph = notation.parse(source, batch=opts.batch, dtype=dtype or DType.FLOAT32)
        return Loaded(source.strip(), "shape", graph)
    from convcost import onnx_reader  # noqa: PLC0415 - onnx is slow to import

    file = onnx_reader.read_file(source, dims=opts.dims, inputs=opts.inputs, hash=opts.hash)
    return Loaded(os.path.basename(source), "onnx", file.graph, source, dict(file.dims), file.sha256)


def model_of(item: Loaded, opts: Options) -> tuple[record.Model, list[record.Diagnostic]]:
    """A loaded source, counted, and what there is to say about it."""
    counted = analysis.count(item.graph, trip_counts=opts.trip_counts)
    totals = analysis.total_cost(item.graph, counted)
    if opts.strict:
        insist(item, counted, totals)
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
    notes = [diagnostic(item, note) for note in item.graph.notes]
    notes += [
        record.Diagnostic(
            code="C240", severity="note", message=text, location=record.Location(file=item.name, node=name)
        )
        for name, text in counted.notes
    ]
    return model, notes + open_dimensions(item, totals)


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
    if totals.symbolic:
        name, formula = next(iter(totals.symbolic.items()))
        raise ModelError(f"dimensions are open: {name} is {formula}", file=item.name, code="C242")
    if not counted.coverage.complete:
        raise ModelError("the totals are lower bounds", file=item.name, code="C243")


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
    if not totals.symbolic:
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


def read_report(path: str) -> record.Report:
    """A JSON report that this tool wrote."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_REPORT_BYTES + 1)
    except OSError as error:
        raise ModelError(error.strerror or "cannot be read", file=path, code="C201") from None
    if len(data) > MAX_REPORT_BYTES:
        raise ModelError(f"larger than {MAX_REPORT_BYTES} bytes", file=path, code="C202")
    try:
        return record.decode(data)
    except msgspec.MsgspecError as wrong:
        raise ModelError(f"not a convcost report: {wrong}", file=path, code="C203") from None


def report(
    command: str,
    models: list[record.Model],
    *,
    comparisons: list[record.Comparison] | None = None,
    diagnostics: list[record.Diagnostic] | None = None,
    environment: record.Environment | None = None,
) -> record.Report:
    """The whole report."""
    return record.Report(
        schema_version=record.SCHEMA_VERSION,
        tool=record.Tool(name="convcost", version=__version__),
        command=command,
        convention=record.CONVENTION,
        models=models,
        comparisons=comparisons or [],
        diagnostics=diagnostics or [],
        environment=environment,
    )
