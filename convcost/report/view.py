"""How a report is looked at: which layers and columns, in which order, in which units."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal

import msgspec

from convcost import units
from convcost.record import COUNTED, Cost, Coverage, FleetEntry, Layer, Model, Report
from convcost.report.picture import Amount
from convcost.report.text import Text, shorten

By = Literal["layer", "op", "kind", "scope"]
Units = Literal["auto", "si", "exact"]

EXACT_BELOW = 10**9
"""With `auto`, numbers of a report whose largest is below this print exactly, if it shows shape strings only."""

NO_INDEX = -1
"""A scope in a tree has no place of its own in the model."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The choices of a reader. None: the renderer's default.

    `chart` is what SVG and PNG show; without `charts` a page has none.
    """

    columns: tuple[str, ...] | None = None
    sort: str | None = None
    top: int | None = None
    by: By = "layer"
    units: Units = "auto"
    tree: bool = False
    chart: str | None = None
    charts: bool = True
    all_layers: bool = False


class Row(msgspec.Struct, frozen=True):
    """One layer, or several layers together. `partial` says that `cost` lacks a part and is a lower bound."""

    index: int
    name: str
    kind: str
    op: str
    layers: tuple[Layer, ...]
    cost: Cost
    partial: bool = False

    @property
    def layer(self) -> Layer:
        """The first, or only, layer."""
        return self.layers[0]

    @property
    def time(self) -> int | None:
        """Nanoseconds of the layers that were timed."""
        times = [layer.timing.median_ns for layer in self.layers if layer.timing]
        return sum(times) if times else None


def shown_units(report: Report, view: View) -> Literal["si", "exact"]:
    """`exact` where figures are small enough to be read digit by digit."""
    if view.units != "auto":
        return view.units
    largest = max((value or 0 for m in report.models for value in (m.totals.flops, m.totals.read_bytes)), default=0)
    small = largest < EXACT_BELOW and all(m.kind == "shape" for m in report.models)
    return "exact" if small else "si"


def rows_of(model: Model, view: View) -> tuple[list[Row], int]:
    """The rows to show, sorted and cut, and how many layers they leave out."""
    if view.by == "layer":
        rows = [layer_row(layer, model) for layer in model.layers]
        if not view.all_layers:
            rows = [row for row in rows if works(row)]
    else:
        rows = grouped(model.layers, GROUPS[view.by])
    if view.sort is not None:
        key = SORT[view.sort]
        rows.sort(key=key, reverse=view.sort not in ASCENDING)
    if view.top is not None:
        rows = rows[: view.top]
    return rows, len(model.layers) - sum(len(row.layers) for row in rows)


def layer_row(layer: Layer, model: Model) -> Row:
    """One layer; those of a shape string are known by their notation."""
    name = layer.notation if model.kind == "shape" and layer.notation else layer.name
    return Row(layer.index, name, kind_word(layer), layer.op, (layer,), layer.cost)


def works(row: Row) -> bool:
    """Whether a layer does arithmetic, holds weights, took time, or is not known: the rest only moves data."""
    c = row.cost
    return any(n is None or n > 0 for n in (c.flops, c.params)) or bool(row.time)


def kind_word(layer: Layer) -> str:
    """`depthwise` says more than `Conv`, but `Relu` more than `elementwise`."""
    word = layer.kind if layer.op in ("Conv", "ConvTranspose") else layer.op
    return SHORT.get(word, word)


SHORT = {
    "pointwise_grouped": "grouped 1×1",
    "BatchNormalization": "BatchNorm",
    "InstanceNormalization": "InstanceNorm",
    "LayerNormalization": "LayerNorm",
    "GroupNormalization": "GroupNorm",
    "GlobalAveragePool": "GlobalAvgPool",
    "AveragePool": "AvgPool",
}
"""Words that would not fit their column."""


def grouped(layers: list[Layer], key: Callable[[Layer], str]) -> list[Row]:
    """One row for all layers with the same key, in the order of their first."""
    groups: dict[str, list[Layer]] = {}
    for layer in layers:
        groups.setdefault(key(layer), []).append(layer)
    return [group_row(i, name, members) for i, (name, members) in enumerate(groups.items())]


def group_row(index: int, name: str, members: list[Layer]) -> Row:
    """Several layers as one row."""
    ops = {layer.op for layer in members}
    kinds = {kind_word(layer) for layer in members}
    cost, partial = summed(members)
    return Row(index, name, word(kinds), word(ops), tuple(members), cost, partial)


def word(words: set[str]) -> str:
    """The only word, or how many there are."""
    return next(iter(words)) if len(words) == 1 else f"{len(words)} kinds"


def summed(layers: list[Layer]) -> tuple[Cost, bool]:
    """Σ costs, and whether some part was not known."""
    partial = False
    total: dict[str, Any] = {}
    for field in COUNTED:
        known = [n for n in (getattr(layer.cost, field) for layer in layers) if n is not None]
        partial = partial or len(known) < len(layers)
        total[field] = sum(known) if known or not layers else None
    return Cost(**total, peak_memory_bytes=None, intensity=None), partial


def share(row: Row, model: Model, running: int | None = None) -> Fraction | None:
    """Part of the model's MACs in this row, or of `running` MACs."""
    macs = row.cost.macs if running is None else running
    return Fraction(macs, model.totals.macs) if macs is not None and model.totals.macs else None


def output_shape(layer: Layer) -> list[int | str] | None:
    """The shape of the first output."""
    return layer.outputs[0] if layer.outputs else None


def bound_of(seen: Coverage | FleetEntry) -> str:
    """How a total stands to the true one: nothing where it is that, else `≥`, `≤`, or `≈` where it misses both ways."""
    if seen.lower_bound and seen.upper_bound:
        return "≈"
    return "≥" if seen.lower_bound else "≤" if seen.upper_bound else ""


def number(n: int | None, how: str, bound: str = "") -> str:
    """A count in the reader's units, after the sign of a bound."""
    text = units.exact(n) if how == "exact" else units.si(n)
    return text if n is None else Amount(f"{bound} {text}" if bound else text, n)


def size(n: int | None, how: str, bound: str = "") -> str:
    """Bytes in the reader's units, after the sign of a bound."""
    text = (units.exact(n) + " B" if n is not None else units.exact(n)) if how == "exact" else units.size(n)
    return text if n is None else Amount(f"{bound} {text}" if bound else text, n, "B")


def duration(ns: int | None) -> str:
    """A time in the unit that suits it; nothing where it was not measured."""
    return "" if ns is None else Amount(units.duration(ns), ns, "ns")


def shape_text(shape: list[int | str] | None) -> str | Text:
    """1×256×8×8; symbols of a model are foreign text."""
    if shape is None:
        return "?"
    if all(isinstance(d, int) for d in shape):
        return "×".join(map(str, shape)) if shape else "scalar"
    dims = [str(d) if isinstance(d, int) else shorten(f"({d})" if " " in d else d, SYMBOL) for d in shape]
    return Text(shorten("×".join(dims), SYMBOLIC))


SYMBOL = 12
"""Columns of a symbol in a shape."""
SYMBOLIC = 20
"""Columns of a shape that has symbols."""


GROUPS: dict[str, Callable[[Layer], str]] = {
    "op": lambda layer: layer.op,
    "kind": lambda layer: layer.kind,
    "scope": lambda layer: "/".join(layer.scope) or "(top)",
}

ASCENDING = frozenset({"index", "name", "kind", "op"})

SORT: dict[str, Callable[[Row], int | str]] = {
    "index": lambda row: row.index,
    "name": lambda row: row.name,
    "kind": lambda row: row.kind,
    "op": lambda row: row.op,
    "time": lambda row: row.time if row.time is not None else -1,
} | {
    name: (lambda row, field=field: n if (n := getattr(row.cost, field)) is not None else -1)
    for name, field in (
        *((field, field) for field in COUNTED),
        ("memory", "write_bytes"),
    )
}
"""What `--sort` takes. What is not known comes last."""
