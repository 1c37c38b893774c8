"""One chart, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from convcost import units
from convcost.record import Model
from convcost.report.charts.parts import Spec, plain

MARKS = "rows"
"""Name of the marks that stand for rows of a table; Vega makes it a class in the SVG."""


class Area(msgspec.Struct, frozen=True):
    """A scope in a treemap: its name, the one around it (-1: none), and which marks lie in it, a half-open range."""

    name: str
    parent: int
    first: int
    end: int


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A specification, what it shows in words, and the rows that its marks stand for, in order (-1: none)."""

    title: str
    subtitle: str
    spec: Spec
    rows: tuple[int, ...] = ()
    areas: tuple[Area, ...] = ()


def sources(models: Sequence[Model]) -> str:
    """What a chart is of: foreign text, made visible."""
    return plain(models[0].source, 60) if len(models) == 1 else f"{len(models)} models"


def total_macs(models: Sequence[Model]) -> str:
    """569 M MACs."""
    return f"{units.si(sum(model.totals.macs or 0 for model in models))} MACs"
