"""Models against budgets: which models, read how, against what, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from convcost import notation, record
from convcost.api.models import model_of, report
from convcost.api.result import Report
from convcost.api.sources import Loaded, Options, expand, load, options_from, read_report, split
from convcost.ci import baseline as baselines
from convcost.ci import config as configs
from convcost.ci.advice import advised, example
from convcost.ci.budgets import Budget, from_option, growing, merged
from convcost.ci.judging import covered, judge
from convcost.ci.toml.files import read_small
from convcost.ci.verdicts import check as verdict
from convcost.errors import ConfigError, UsageError
from convcost.ir.dim import symbols_of


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What to check against, as `api.check` takes it."""

    budgets: Sequence[str] = ()
    max_growth: Sequence[str] = ()
    config: str | None = None
    baseline: str | None = None
    write_baseline: bool = False
    time: bool = False


class Item(msgspec.Struct, frozen=True):
    """One model that is checked. `path` is where it lies, None for shape strings and for models of reports."""

    model: record.Model
    notes: list[record.Diagnostic]
    path: str | None
    environment: record.Environment | None = None

    def name_from(self, folder: str) -> str:
        """Its path as seen from a folder, with slashes; else what the report calls it."""
        if self.path is None:
            return self.model.source
        return os.path.relpath(self.path, folder).replace(os.sep, "/")


class Checked(msgspec.Struct, frozen=True):
    """A report, the baseline if one is to be written (path, content), and the files that were read."""

    report: Report
    files: list[tuple[str, bytes]]
    inputs: list[str]


def check(sources: Sequence[str], asked: Asked, options: Mapping[str, object]) -> Checked:
    """The report of `convcost.api.check`; nothing is written yet."""
    how, rest = split(options)
    options_from(rest)
    told = [from_option(text) for text in asked.budgets]
    told += [budget for text in asked.max_growth for budget in growing(text)]
    config = configuration(asked)
    wanted = list(sources) or [placed(name, config.folder) for name in config.models]
    if not wanted:
        raise UsageError('no model to check: name one, or list them in the configuration: models = ["net.onnx"]')
    items = list(counted(wanted, config, rest, how if asked.time else None))
    if not items:
        raise UsageError(f"no model to check: {', '.join(wanted)[:200]} holds none")
    plans = [merged(*(s.budgets for s in config.of(item.name_from(config.folder))), told) for item in items]
    if not any(plans) and not asked.write_baseline:
        raise ConfigError("nothing to check: there is no budget", code="C310",
                          help="give --budget macs=600M, or paste this into pyproject.toml:",
                          example=example(items[0].model))  # fmt: skip
    base = Base(asked, config, items, complete=not sources)
    notes: list[record.Diagnostic] = []
    files = []
    if asked.write_baseline:
        files.append(base.made())
        notes.append(base.note())
    elif any(budget.form == "growth" and budget.level != "off" for plan in plans for budget in plan):
        base.read()
    command = command_line(sources, asked, options)
    checks = [c for item, plan in zip(items, plans, strict=True) for c in verdicts(item, plan, base, command)]
    notes += [note for item in items for note in item.notes]
    notes += [unguarded(item) for item, plan in zip(items, plans, strict=True) if not plan and any(plans)]
    notes += unmatched(checks)
    environment = next((item.environment for item in items if item.environment), None)
    made = report("check", [item.model for item in items], diagnostics=notes, environment=environment)
    inputs = [*wanted, *(item.path for item in items if item.path is not None)]
    inputs += [config.file] if config.file is not None else []
    inputs += [base.path] if base.found is not None and not files else []
    return Checked(replace(made, checks=checks), files, inputs)


def configuration(asked: Asked) -> configs.Config:
    """The configuration that is named or found; an empty one where there is none."""
    path = asked.config if asked.config is not None else configs.find()
    return configs.Config() if path is None else configs.read(path)


def placed(name: str, folder: str) -> str:
    """A model of a configuration as seen from here."""
    if notation.is_notation(name) or os.path.isabs(name):  # noqa: PTH117 - as given
        return name
    return os.path.normpath(os.path.join(folder, name))  # noqa: PTH118 - as above


def counted(
    wanted: Sequence[str], config: configs.Config, options: Mapping[str, object], how: Mapping[str, object] | None
) -> Iterator[Item]:
    """All models, each read as the configuration says for it."""
    for source in expand(tuple(wanted)):
        if isinstance(source, str) and source.endswith(".json"):
            yield from (Item(model, [], None) for model in read_report(source).models)
            continue
        text = source if isinstance(source, str) else source.text
        shape = not isinstance(source, str) or notation.is_notation(source)
        name = " ".join(text.split()) if shape else os.path.relpath(text, config.folder)
        opts = reading(config, name, options, None if shape else text)
        item = load(source, opts)
        if item.path is not None:  # as it was given: two folders may hold files of one name
            item = replace(item, name=item.path.removeprefix("./"))
        model, notes = model_of(item, opts)
        if how is None:
            yield Item(model, notes, item.path)
        else:
            yield measured(item, model, notes, how)


def measured(item: Loaded, model: record.Model, notes: list[record.Diagnostic], how: Mapping[str, object]) -> Item:
    """A model that is also run."""
    from convcost.api.running import measure, timed  # noqa: PLC0415 - NumPy is loaded only to run

    found = measure(item, model, how)
    return Item(timed(model, found), notes, item.path, found.environment)


def reading(config: configs.Config, name: str, options: Mapping[str, object], path: str | None) -> Options:
    """How a model is read: what the options say, then the sections of the configuration, the last first.

    What the section of all models says about dimensions and inputs holds for those that have them.
    """
    merged_: dict[str, object] = {}
    tables: dict[str, dict[str, object]] = {"dims": {}, "inputs": {}, "trip_counts": {}}
    for section in config.of(name):
        said = section.reading
        if section.pattern is None and path is not None and (said.dims or said.inputs):
            said = having(path, said)
        for key, table in tables.items():
            table.update(getattr(said, key))
        merged_ |= {k: v for k in ("batch", "dtype") if (v := getattr(section.reading, k)) is not None}
    default = Options()
    for key, value in options.items():
        if key in tables and isinstance(value, Mapping):
            tables[key].update(value)
        elif value != getattr(default, key):
            merged_[key] = value
    return options_from({**merged_, **tables})


def having(path: str, said: configs.Reading) -> configs.Reading:
    """What is said about dimensions and inputs that the model at `path` has."""
    from convcost import onnx_reader  # noqa: PLC0415 - onnx is slow to import

    inputs = onnx_reader.read_raw(path).graph.inputs
    symbols = symbols_of(d for t in inputs for d in t.shape or ())
    names = {t.name for t in inputs}
    return replace(
        said,
        dims={name: n for name, n in said.dims.items() if name in symbols},
        inputs={name: shape for name, shape in said.inputs.items() if name in names},
    )


class Base:
    """The baseline: where it lies, what it says, how it is written."""

    def __init__(self, asked: Asked, config: configs.Config, items: Sequence[Item], *, complete: bool) -> None:
        named = config.baseline if config.baseline is not None else baselines.FILE
        self.path = asked.baseline if asked.baseline is not None else placed(named, config.folder)
        self.folder = os.path.dirname(self.path) or "."  # noqa: PTH120 - as given
        self.items = items
        self.complete = complete
        self.found: baselines.Baseline | None = None

    def read(self) -> None:
        """Read it; a limit of growth needs one."""
        if not os.path.lexists(self.path):
            raise ConfigError("there is no baseline", file=self.path, code="C332",
                              help="make it: convcost check --write-baseline")  # fmt: skip
        self.found = baselines.decode(read_small(self.path, baselines.MAX_BYTES, "C330"), self.path)

    def made(self) -> tuple[str, bytes]:
        """Its path, and what it says with all models in it. Others stay, unless the configuration lists all."""
        entries: dict[str, baselines.Entry] = {}
        if not self.complete and os.path.lexists(self.path):
            self.read()
            assert self.found is not None
            entries = dict(self.found.models)
        entries |= {item.name_from(self.folder): baselines.entry(item.model) for item in self.items}
        data = baselines.encode(entries)
        self.found = baselines.decode(data, self.path)
        return self.path, data

    def note(self) -> record.Diagnostic:
        """That it was written."""
        count = len(self.found.models) if self.found is not None else 0
        return record.Diagnostic(
            code="C342",
            severity="note",
            message=f"the baseline is written: {count} model{'s' if count != 1 else ''}",
            location=record.Location(file=configs.base(self.path)),
        )

    def entry(self, item: Item) -> baselines.Entry | None:
        """What it says about a model; one from a report is also known by the end of its path, if that is unique."""
        if self.found is None:
            return None
        name = item.name_from(self.folder)
        if name in self.found.models or item.path is not None:
            return self.found.models.get(name)
        ends = [(f"/{path}", entry) for path, entry in self.found.models.items()]
        same = [entry for path, entry in ends if path.endswith(f"/{name}") or f"/{name}".endswith(path)]
        return same[0] if len(same) == 1 else None


def verdicts(item: Item, plan: Sequence[Budget], base: Base, command: tuple[str, str]) -> Iterator[record.Check]:
    """All verdicts on one model."""
    model = item.model
    accepted = any(covered(budget, model) for budget in plan)
    for budget in plan:
        found = judge(budget, model, accepted=accepted, baseline=base.found, entry=base.entry(item))
        yield advised(verdict(budget, model.source, found), budget, model, *command)


def command_line(sources: Sequence[str], asked: Asked, options: Mapping[str, object]) -> tuple[str, str]:
    """This check as one would type it, and the command that accepts what is as the new baseline."""
    import shlex  # noqa: PLC0415 - only here

    words = ["convcost", "check", *sources]
    for flag, value in (("--config", asked.config), ("--baseline", asked.baseline)):
        words += [flag, value] if value is not None else []
    for flag, key in (("--dim", "dims"), ("--input", "inputs"), ("--trip-count", "trip_counts")):
        table = options.get(key)
        words += [w for n, v in table.items() for w in (flag, f"{n}={v}")] if isinstance(table, Mapping) else []
    if options.get("batch", 1) != 1:
        words += ["--batch", str(options["batch"])]
    if options.get("dtype", "float32") != "float32":
        words += ["--dtype", str(options["dtype"])]
    this = " ".join(shlex.quote(word) for word in words)
    return this, f"{this} --write-baseline"


def unguarded(item: Item) -> record.Diagnostic:
    """A model that no budget is about."""
    where = record.Location(file=item.model.source)
    return record.Diagnostic(code="C340", severity="warning", message="no budget applies to it", location=where)


def unmatched(checks: Sequence[record.Check]) -> list[record.Diagnostic]:
    """Patterns that chose no layer of any model: perhaps the layers have other names now."""
    used = {one.pattern for one in checks if one.status != "skip"}
    empty = {one.pattern: one for one in checks if one.pattern not in used and one.level != "off"}
    return [
        record.Diagnostic(
            code="C341",
            severity="warning",
            message=f"no layer of any model matches {pattern}",
            location=one.location,
        )
        for pattern, one in empty.items()
        if pattern is not None
    ]
