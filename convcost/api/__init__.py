"""The commands as Python functions. Each takes sources as the command line does and returns a `record.Report`.

A source is a shape string (`12x12x3 -(5x5x3x256)->`), its shell-safe twin (`12x12x3,k5,c256`), the path of an `.onnx`
file or a pattern for several, the path of a JSON report, or `@file` with one shape string a line.
"""

from __future__ import annotations

from convcost import record
from convcost.api.models import model_of
from convcost.api.sources import Loaded, expand, load, options_from, read_report, split
from convcost.errors import UsageError
from convcost.version import __version__

__all__ = ["compare", "count", "time"]


def count(*sources: str, **options: object) -> record.Report:
    """What each source costs, layer by layer. Options: the fields of `Options`.

    Raises NotationError, ModelError or UsageError. `count("12x12x3 -(5x5x3x256)->").models[0].totals.macs` is 1228800.
    """
    opts = options_from(options)
    models: list[record.Model] = []
    notes: list[record.Diagnostic] = []
    for source in expand(sources):
        if isinstance(source, str) and source.endswith(".json"):
            models += read_report(source).models
            continue
        model, said = model_of(load(source, opts), opts)
        models.append(model)
        notes += said
    return report("count", models, diagnostics=notes)


def compare(*sources: str, time: bool = False, **options: object) -> record.Report:
    """Sources side by side; for one shape string, also the other forms of its layer. Ratios are to the first.

    With `time` each is also run; options are then also the fields of `timing.Options`.
    """
    how, rest = split(options)
    opts = options_from(rest)
    loaded = [load(source, opts) for source in expand(sources)]
    if not loaded:
        raise UsageError("compare needs a source")
    from convcost.api import forms  # noqa: PLC0415 - a count does without

    named: list[tuple[str, Loaded]] = [(item.name, item) for item in loaded]
    skipped: list[record.Skipped] = []
    if len(loaded) == 1:
        found, skipped = forms.other_forms(loaded[0], opts)
        named += found
    models: list[record.Model] = []
    notes: list[record.Diagnostic] = []
    for _, item in named:
        model, said = model_of(item, opts)
        models.append(model)
        notes += said
    environment = None
    if time:
        from convcost.api.running import measure, timed  # noqa: PLC0415 - NumPy is loaded only to run

        measured = [measure(item, model, how) for (_, item), model in zip(named, models, strict=True)]
        models = [timed(model, m) for model, m in zip(models, measured, strict=True)]
        environment = measured[0].environment
    alternatives = [forms.alternative(name, model, models[0]) for (name, _), model in zip(named, models, strict=True)]
    comparison = record.Comparison(of=named[0][0], alternatives=alternatives, skipped=skipped)
    return report("compare", models, comparisons=[comparison], diagnostics=notes, environment=environment)


def time(source: str, *, backend: str = "numpy", **options: object) -> record.Report:
    """Run the source and report the time of each layer beside its cost. Raises EngineError where it may not run.

    Options: the fields of `Options` and of `timing.Options` (runs, warmup, threads, max_memory, verify, exact …).
    """
    how, rest = split(options)
    opts = options_from(rest)
    from convcost.api.running import measure, timed  # noqa: PLC0415 - NumPy is loaded only to run

    found = list(expand((source,)))
    if len(found) != 1:
        raise UsageError(f"time takes one source, {len(found)} are given")
    item = load(found[0], opts)
    model, notes = model_of(item, opts)
    measured = measure(item, model, how, backend)
    advice = [
        record.Diagnostic(
            code=a.warning.code, severity="warning", message=f"{a.warning.what}: {a.detail}", help=a.warning.advice
        )
        for a in measured.advice
    ]
    return report("time", [timed(model, measured)], diagnostics=notes + advice, environment=measured.environment)


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
