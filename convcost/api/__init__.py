"""The commands as Python functions. Each takes sources as the command line does and returns a `Report`.

A source is a shape string (`12x12x3 -(5x5x3x256)->`), its shell-safe twin (`12x12x3,k5,c256`), the path of an `.onnx`
file or a pattern for several, the path of a JSON report, or `@file` with one shape string a line. Paths may also be
`pathlib` paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convcost import record
from convcost.api.models import model_of, report
from convcost.api.result import Report
from convcost.api.sources import Source, expand, load, options_from, read_report, split, text_of, texts_of
from convcost.errors import UsageError

__all__ = ["check", "compare", "count", "diff", "explain", "export", "read", "scan", "separate", "time", "whatif"]


def count(*sources: Source, **options: object) -> Report:
    """What each source costs, layer by layer. Options: the fields of `Options`.

    A JSON report among the sources is taken over whole, as `read` does. Raises NotationError, ModelError or UsageError;
    the last also where no source is given. `count("12x12x3 -(5x5x3x256)->").models[0].totals.macs` is 1228800.
    """
    opts = options_from(options)
    if not sources:
        raise UsageError('nothing to count: give a shape string, as in "12x12x3 -(5x5x3x256)->", or an .onnx file')
    parts: list[tuple[str, Report]] = []
    models: list[record.Model] = []
    notes: list[record.Diagnostic] = []
    for source in expand(texts_of(sources)):
        if isinstance(source, str) and source.endswith(REPORTS):
            parts += [(f"{len(models)} sources", report("count", models, diagnostics=notes))] if models else []
            parts.append((source, read_report(source)))
            models, notes = [], []
            continue
        model, said = model_of(load(source, opts), opts)
        models.append(model)
        notes += said
    if models or not parts:
        parts.append((f"{len(models)} sources", report("count", models, diagnostics=notes)))
    return together(parts)


REPORTS = (".json", ".jsonl", ".ndjson")
"""Endings of sources that are reports."""


def read(*paths: Source) -> Report:
    """The report in a file that `-f json` or `-f jsonl` wrote, or several as one; `-` is standard input.

    Raises ModelError where a file holds no report, and UsageError where reports cannot be one.
    """
    return together([(path, read_report(path)) for path in texts_of(paths)])


def together(parts: Sequence[tuple[str, Report]]) -> Report:
    """Reports as one."""
    if len(parts) == 1:
        return parts[0][1]
    from convcost.api import reports  # noqa: PLC0415 - most reports are made at once

    return reports.merged(parts)


def compare(
    *sources: Source, time: bool = False, everything: bool = False, layer: str | None = None, **options: object
) -> Report:
    """Sources side by side; for one shape string, also the other forms of its layer. Ratios are to the first.

    `layer` names one convolution of a model, to be compared like a shape string. `everything` lists also the forms
    that a short table leaves out. With `time` each is also run; options are then also the fields of `timing.Options`.
    """
    from convcost.api import comparing  # noqa: PLC0415 - a count does without

    return comparing.compare(texts_of(sources), time=time, everything=everything, layer=layer, options=options)


def export(
    *sources: Source,
    output: Source,
    weights: str = "random",
    seed: int = 0,
    layer: str | None = None,
    **options: object,
) -> Report:
    """Write a shape string, or the convolution `layer` of a model, as an ONNX file at `output`, and count it.

    `weights`: "random", normal numbers drawn with `seed` and stored, or "constant", made by nodes so that the file is
    small. For several strings the files are numbered: layers_1.onnx, layers_2.onnx. Options: the fields of `Options`.
    Raises ReportError where ONNX cannot hold it; files are written all or none, and never over an input.
    """
    from convcost.api import exporting  # noqa: PLC0415 - a count does without
    from convcost.report.write import write_all  # noqa: PLC0415 - as above

    names = texts_of(sources)
    made, files = exporting.exported(names, text_of(output), weights=weights, seed=seed, layer=layer, options=options)
    write_all(files, [name.removeprefix("@") for name in names])
    return made


def explain(*things: Source, layer: str | None = None, **options: object) -> Report:
    """The arithmetic behind what a source costs, in words and equations; or what a word means.

    `things` are sources, codes (`C101`), operators (`Conv`, `com.microsoft:FusedConv`), kinds of layers (`depthwise`),
    quantities (`macs`), conventions (`thop`) and ideas (`low-rank`); none lists what there is. Raises UsageError for a
    word that is none of them. `layer` names one layer of a model. Options: the fields of `Options`.
    """
    from convcost.api import explaining  # noqa: PLC0415 - a count does without

    return explaining.explain(texts_of(things), layer=layer, options=options)


def scan(
    source: Source,
    values: Mapping[str, Sequence[int]],
    *,
    time: bool = False,
    layer: str | None = None,
    **options: object,
) -> Report:
    """One layer under other parameters: a row for each combination of `values`, as in {"k": (1, 3, 5)}.

    Parameters are k, cin, cout, s, d, g, h and w. Padding keeps its name: `same` stays `same` under every kernel.
    Ratios are to the first row. `layer` names a convolution of a model.
    """
    from convcost.api import scanning  # noqa: PLC0415 - a count does without

    return scanning.scan(text_of(source), values, time=time, layer=layer, options=options)


def separate(
    source: Source,
    *,
    output: Source | None = None,
    rank: int | None = None,
    energy: float | None = None,
    layer: str | None = None,
    seed: int = 0,
    **options: object,
) -> Report:
    """Singular values of every kernel of a model, which layers two steps do exactly, and what that saves.

    With `output` the model is written with those layers split, run beside the old one on random input drawn with
    `seed`, and compared. `rank` or `energy` (0 to 1) split other layers too, approximately. `layer` looks at one layer.
    Options: the fields of `Options`. Raises ReportError where nothing is split, or exact splits change outputs.
    """
    from convcost.api import separating  # noqa: PLC0415 - NumPy is loaded only for kernels
    from convcost.report.write import write_all  # noqa: PLC0415 - as above

    name, path = text_of(source), None if output is None else text_of(output)
    made, files = separating.separate(name, path, rank=rank, energy=energy, layer=layer, seed=seed, options=options)
    write_all(files, [name])
    return made


def whatif(
    source: Source,
    *,
    to: str | None = None,
    where: str | None = None,
    output: Source | None = None,
    seed: int = 0,
    **options: object,
) -> Report:
    """A model with the convolutions that `where` selects (all for None) in the form `to`: its cost before and after.

    `to`: an idea, as "depthwise-separable", or a form, as "grouped, g=4"; None ranks what every idea would save. With
    `output` the new model is written there: its new weights fitted to the old ones where a least-squares fit exists,
    else drawn with `seed`. Options: the fields of `Options`. Raises NotationError at a place of `where`, UsageError for
    unknown names and where nothing is selected, ModelError, EngineError for weights that cannot be read, ReportError.
    """
    from convcost.api import whatifs  # noqa: PLC0415 - a count does without

    name, path = text_of(source), None if output is None else text_of(output)
    made, files = whatifs.whatif(name, to=to, where=where, output=path, seed=seed, options=options)
    if files:
        from convcost.report.write import write_all  # noqa: PLC0415 - as above

        write_all(files, [name])
    return made


def time(source: Source, *, backend: str = "numpy", **options: object) -> Report:
    """Run the source and report the time of each layer beside its cost. Raises EngineError where it may not run.

    Options: the fields of `Options` and of `timing.Options` (runs, warmup, threads, max_memory, verify, exact …).
    """
    how, rest = split(options)
    opts = options_from(rest)
    from convcost.api.running import measure, timed  # noqa: PLC0415 - NumPy is loaded only to run

    found = list(expand((text_of(source),)))
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


def check(
    *sources: Source,
    budgets: Sequence[str] = (),
    max_growth: Sequence[str] = (),
    config: Source | None = None,
    baseline: Source | None = None,
    write_baseline: bool = False,
    time: bool = False,
    **options: object,
) -> Report:
    """Verdicts on budgets, one for each model and budget, in `checks`; without sources, the configuration names them.

    Budgets stand in the nearest pyproject.toml or convcost.toml, or in `config`; `budgets` as in "macs=600M" and
    `max_growth` as in "macs=2%" come on top. Growth is measured from `baseline`, which `write_baseline` makes. What is
    not known fails: a total that is a lower bound does not pass. Raises ConfigError for a mistake in a file.
    """
    from convcost.api import checking  # noqa: PLC0415 - a count does without

    asked = checking.Asked(
        budgets=budgets,
        max_growth=max_growth,
        config=None if config is None else text_of(config),
        baseline=None if baseline is None else text_of(baseline),
        write_baseline=write_baseline,
        time=time,
    )
    found = checking.check(texts_of(sources), asked, options)
    if found.files:
        from convcost.report.write import write_all  # noqa: PLC0415 - as above

        write_all(found.files, found.inputs)
    return found.report


def diff(old: Source, new: Source, *, fail_on: Sequence[str] = (), **options: object) -> Report:
    """What `new` costs more than `old`, in total and layer by layer, in `diff`.

    Layers belong together by name, or by structure and place where names changed. `fail_on` are limits of growth, as in
    "macs:5%", whose verdicts are in `checks`.
    """
    from convcost.api import differing  # noqa: PLC0415 - a count does without

    return differing.diff(text_of(old), text_of(new), fail_on=fail_on, options=options)
