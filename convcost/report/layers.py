"""The table of layers: its columns as one readable list, and the rows and totals under them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import msgspec

from convcost import units
from convcost.record import Model
from convcost.report.picture import Bar, Cell, Column, Table, Tree
from convcost.report.text import Text
from convcost.report.view import (
    NO_INDEX,
    Row,
    View,
    bound_of,
    duration,
    number,
    output_shape,
    rows_of,
    shape_text,
    share,
    size,
)


class Place(msgspec.Struct, frozen=True):
    """What a cell may look at besides its row: the model, the MACs of the rows up to here, the units."""

    model: Model
    running: int | None
    how: str
    guides: str = ""


class LayerColumn(msgspec.Struct, frozen=True):
    """A column, what stands in it for a row, and for the total."""

    column: Column
    cell: Callable[[Row, Place], Cell]
    total: Callable[[Place], Cell]


def blank(_: Place) -> Cell:
    """No total."""
    return ""


def name_cell(row: Row, place: Place) -> Cell:
    """The layer's name, in a tree behind its guides."""
    return Tree(place.guides, Text(row.name)) if place.guides else Text(row.name)


def count(key: str, title: str, drop: int, field: str) -> LayerColumn:
    """A column of counts."""
    return LayerColumn(
        Column(key=key, title=title, drop=drop),
        lambda row, at: number(getattr(row.cost, field), at.how, "≥" if row.partial else ""),
        lambda at: number(getattr(at.model.totals, field), at.how, bound_of(at.model.coverage)),
    )


def memory(key: str, title: str, drop: int, field: str) -> LayerColumn:
    """A column of bytes."""
    return LayerColumn(
        Column(key=key, title=title, drop=drop),
        lambda row, at: size(getattr(row.cost, field), at.how, "≥" if row.partial else ""),
        lambda at: size(getattr(at.model.totals, field), at.how, bound_of(at.model.coverage)),
    )


def timing(key: str, title: str, drop: int, cell: Callable[[Row, Place], Cell]) -> LayerColumn:
    """A column that only a timed report has."""
    return LayerColumn(Column(key=key, title=title, drop=drop), cell, blank)


def time_total(at: Place) -> Cell:
    """Sum of the layers' times."""
    return duration(at.model.timing.layers_sum_ns if at.model.timing else None)


def time_share(row: Row, at: Place) -> Fraction | None:
    """Part of the summed time."""
    whole = at.model.timing.layers_sum_ns if at.model.timing else 0
    return Fraction(row.time, whole) if row.time is not None and whole else None


def parts(part: Fraction | None) -> Cell:
    """12.3, in percent."""
    return "?" if part is None else units.decimal(100 * part, 1)


def bar(part: Fraction | None) -> Cell:
    """A length."""
    return Bar(part if part is not None else Fraction(0))


def rate(row: Row, _: Place) -> Cell:
    """GFLOP/s."""
    t = row.layer.timing
    return "" if t is None or t.gflops is None else units.significant(Fraction(t.gflops), 3)


def roof(row: Row, _: Place) -> Cell:
    """Share of what the machine could do."""
    t = row.layer.timing
    return "" if t is None or t.roof_share is None else f"{units.decimal(Fraction(t.roof_share) * 100, 0)} %"


def bound(row: Row, _: Place) -> Cell:
    """Whether products or memory are the lower part of the roof for this layer."""
    t = row.layer.timing
    return "" if t is None or t.bound is None else t.bound


def algorithm(row: Row, _: Place) -> Cell:
    """How the layer was computed."""
    return Text(row.layer.timing.algorithm) if row.layer.timing else ""


def cumulative(row: Row, at: Place) -> Cell:
    """Share of this row and all rows above it."""
    return parts(share(row, at.model, at.running) if at.running is not None else None)


def index_cell(row: Row, _: Place) -> Cell:
    """Position of the layer in the model."""
    return "" if row.index == NO_INDEX else str(row.index)


COLUMNS: tuple[LayerColumn, ...] = (
    LayerColumn(Column(key="index", title="#"), index_cell, blank),
    LayerColumn(
        Column(key="name", title="layer", right=False, words=True, least=9), name_cell, lambda _: "total"
    ),
    LayerColumn(
        Column(key="kind", title="kind", right=False, words=True, drop=2, least=9), lambda r, _: Text(r.kind), blank
    ),
    LayerColumn(Column(key="op", title="op", right=False, words=True, drop=15), lambda r, _: Text(r.op), blank),
    LayerColumn(
        Column(key="traits", title="traits", right=False, words=True, drop=16),
        lambda r, _: Text(" ".join(r.layer.traits)) if r.layer.traits else "",
        blank,
    ),
    LayerColumn(
        Column(key="input", title="input", drop=14),
        lambda r, _: shape_text(r.layer.inputs[0] if r.layer.inputs else None),
        blank,
    ),
    LayerColumn(
        Column(key="output", title="output", drop=4),
        lambda r, _: shape_text(output_shape(r.layer)),
        blank,
    ),
    LayerColumn(
        Column(key="notation", title="notation", right=False, drop=17, words=True, least=20),
        lambda r, _: "" if r.layer.notation is None else Text(r.layer.notation),
        blank,
    ),
    LayerColumn(Column(key="layers", title="layers", drop=12), lambda r, _: str(len(r.layers)), blank),
    count("multiplications", "mults", 10, "multiplications"),
    count("macs", "MACs", 0, "macs"),
    LayerColumn(Column(key="share", title="MACs %", drop=5), lambda r, at: parts(share(r, at.model)), blank),
    LayerColumn(Column(key="bar", title="", right=False, drop=7), lambda r, at: bar(share(r, at.model)), blank),
    LayerColumn(Column(key="cumulative", title="cum. %", drop=9), cumulative, blank),
    count("params", "params", 3, "params"),
    memory("memory", "memory", 6, "write_bytes"),
    count("macs_effective", "effective", 18, "macs_effective"),
    count("flops", "FLOPs", 18, "flops"),
    count("additions", "adds", 18, "additions"),
    count("divisions", "divs", 18, "divisions"),
    count("comparisons", "compares", 18, "comparisons"),
    count("special", "special", 18, "special"),
    count("buffers", "buffers", 18, "buffers"),
    memory("weight_bytes", "weights", 18, "weight_bytes"),
    memory("read_bytes", "read", 18, "read_bytes"),
    LayerColumn(
        Column(key="time", title="time", drop=1), lambda r, _: duration(r.time),
        time_total,
    ),
    timing("time_share", "time %", 8, lambda r, at: "" if r.time is None else parts(time_share(r, at))),
    LayerColumn(Column(key="time_bar", title="", right=False, drop=7), lambda r, at: bar(time_share(r, at)), blank),
    timing("gflops", "GFLOP/s", 8, rate),
    timing("roof", "roof", 10, roof),
    LayerColumn(Column(key="bound", title="bound", right=False, drop=12), bound, blank),
    LayerColumn(Column(key="algorithm", title="algorithm", right=False, drop=11, words=True), algorithm, blank),
)  # fmt: skip
BY_KEY = {entry.column.key: entry for entry in COLUMNS}

COUNTED = (
    "index", "name", "kind", "output", "multiplications", "macs", "share", "bar", "cumulative", "params", "memory",
)  # fmt: skip
TIMED = (
    "index", "name", "kind", "output", "macs", "time", "time_share", "time_bar", "gflops", "roof",
    "bound", "algorithm",
)  # fmt: skip
LEADING = ("index", "name")

GROUPED = frozenset({"input", "output", "notation", "traits", "gflops", "roof", "bound", "algorithm"})
"""Columns that make no sense for several layers together."""


def default_columns(model: Model, view: View) -> tuple[str, ...]:
    """The columns that are shown unless others are asked for."""
    keys = TIMED if model.timing else COUNTED
    if view.tree:
        return tuple(key for key in keys if key not in (*GROUPED, "cumulative"))
    if view.by == "layer":
        return keys
    kept = tuple(key for key in keys if key not in GROUPED and not (key == "kind" and view.by != "scope"))
    return (*kept[:2], "layers", *kept[2:])


def chosen(model: Model, view: View) -> list[LayerColumn]:
    """The columns of a model's table. `#` and the name always lead: no line begins with text from the model."""
    keys = view.columns or default_columns(model, view)
    out = [BY_KEY[key] for key in keys if key not in LEADING]
    return [*(BY_KEY[key] for key in LEADING), *out]


def layer_table(model: Model, view: View, how: str) -> Table:
    """The table of a model's layers, or of groups of them."""
    entries = chosen(model, view)
    rows, hidden = rows_of(model, view)
    drawn: list[tuple[Cell, ...]] = []
    running: int | None = 0
    for row in rows:
        macs = row.cost.macs
        running = None if running is None or macs is None else running + macs
        place = Place(model, running, how)
        drawn.append(tuple([entry.cell(row, place) for entry in entries]))
    return table(model, view, entries, drawn, how, hidden_note(hidden, view))


def table(
    model: Model, view: View, entries: list[LayerColumn], drawn: list[tuple[Cell, ...]], how: str, note: str
) -> Table:
    """Rows under columns, with the model's totals below."""
    end = Place(model, None, how)
    return Table(
        hint="--width, --columns",
        title=(),
        columns=tuple([fitted(entry.column, model, view) for entry in entries]),
        rows=tuple(drawn),
        totals=(tuple([entry.total(end) for entry in entries]),),
        note=note,
        about=model if view.by == "layer" else None,
    )


def fitted(column: Column, model: Model, view: View) -> Column:
    """The names of a shape string's layers are their notation, and need more room than names."""
    if column.key == "name" and view.by != "layer":
        return msgspec.structs.replace(column, title=view.by)
    if model.kind == "shape" and column.key == "name":
        return msgspec.structs.replace(column, least=NOTATION)
    return column


NOTATION = 28
"""Least columns of a layer's notation."""


def hidden_note(hidden: int, view: View) -> str:
    """What the table leaves out, in words."""
    if not hidden:
        return ""
    noun = "layer" if hidden == 1 else "layers"
    if view.top is not None:
        return f"{hidden} {noun} not shown (--top)"
    return f"{hidden} {noun} without arithmetic or weights not shown (-v shows them)"
