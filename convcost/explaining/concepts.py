"""The words of reports that name no layer: quantities, figures of other tools, other ways to do a layer."""

from __future__ import annotations

import inspect
import shlex

from convcost import record
from convcost.alternatives import IDEAS, Idea
from convcost.alternatives.choice import ALIASES, slug
from convcost.analysis.conventions import CONVENTIONS, Convention, find
from convcost.ci.metrics import METRICS
from convcost.explaining.instead import given_up
from convcost.explaining.saying import capital, say
from convcost.record import Section

MEANINGS = record.FIELDS | {
    "coverage": inspect.cleandoc(record.Coverage.__doc__ or ""),
    "receptive_field": inspect.cleandoc(record.ReceptiveField.__doc__ or ""),
    "time": inspect.cleandoc(record.ModelTiming.__doc__ or ""),
}
"""What is counted or measured, by its name in the report."""

LABELS = {
    "parameters": "params",
    "mults": "multiplications",
    "adds": "additions",
    "divs": "divisions",
    "compares": "comparisons",
    "memory": "write_bytes",
    "FLOP/B": "intensity",
}
"""What tables call quantities whose own names are longer; `memory` is a column of layers."""

TITLES = {metric.title: metric.field or metric.key for metric in METRICS.values()} | LABELS
"""All names that are not those of the report."""


def names() -> tuple[str, ...]:
    """Every word that is explained here."""
    return (*quantities(), *conventions(), *ideas())


def quantities() -> tuple[str, ...]:
    """What is counted or measured, also as tables and budgets call it."""
    return (*MEANINGS, *(name for name in TITLES if name.lower() not in MEANINGS))


def conventions() -> tuple[str, ...]:
    """What `--convention` takes."""
    return tuple(c.name for c in CONVENTIONS)


def ideas() -> tuple[str, ...]:
    """What `compare` puts beside a layer, as `--to` takes it."""
    return (*(slug(idea.name) for idea in IDEAS), *ALIASES)


def sections(word: str) -> list[Section]:
    """All that a word means, its case aside; nothing where it is not known."""
    wanted = slug(word)
    convention = find(word)
    idea = ALIASES.get(wanted, wanted)
    return [
        *(of_quantity(field) for field in fields(wanted)),
        *([of_convention(convention)] if convention is not None else []),
        *(of_idea(one) for one in IDEAS if slug(one.name) == idea),
    ]


def related(word: str) -> list[Section]:
    """The ideas that have a word in their name, as `separable`."""
    return [of_idea(one) for one in IDEAS if slug(word) in slug(one.name).split("-")]


def fields(wanted: str) -> list[str]:
    """The quantities that a word names as a whole or, as `memory` and `bytes` do, in part."""
    if not wanted:
        return []
    named = {slug(name): field for name, field in TITLES.items()}
    parts = wanted.removesuffix("s")
    return [
        field
        for field in MEANINGS
        if named.get(wanted) == field
        or slug(field) == wanted
        or parts in (part.removesuffix("s") for part in field.split("_"))
    ]


def of_quantity(field: str) -> Section:
    """What is counted, and the budget that limits it."""
    said = [say(" ".join(MEANINGS[field].split()))]
    if field == "macs":
        said.append(say(f"{capital(record.CONVENTION.partition('; ')[2])}."))
    key = next((key for key, metric in METRICS.items() if field in (metric.field, key)), None)
    if key in METRICS and METRICS[key].field is not None:
        said.append(say("Limit its growth:", f"convcost check model.onnx --max-growth {key}=2%"))
    return Section(title=f"Quantity {field}", sentences=said)


def of_convention(convention: Convention) -> Section:
    """How another tool counts."""
    name = shlex.quote(convention.name.replace("×", "x"))
    said = [
        say(f"{capital(convention.says)}."),
        say("The total of a model so counted:", f"convcost model.onnx --convention {name}"),
        say("A number found elsewhere:", "convcost model.onnx --explain-difference 4.1G"),
    ]
    return Section(title=f"Convention {convention.name}", sentences=said)


def of_idea(idea: Idea) -> Section:
    """Another way to do a layer."""
    said = [
        say(f"{capital(idea.summary)}."),
        say(f"Applies: {idea.when}."),
        say(f"Becomes: {idea.becomes}."),
        say(f"Costs: {idea.cost}."),
        say(given_up(idea.keeps, idea.loses, idea.source)),
        say("Beside a layer:", f'convcost compare "{idea.example}"'),
    ]
    return Section(title=f"Idea {idea.name}", sentences=said)
