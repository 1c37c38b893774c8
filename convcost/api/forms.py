"""The other forms of one layer, and a comparison's rows."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from convcost import alternatives, record
from convcost.alternatives import ConvLayer, Form, Idea, Skip
from convcost.api.models import model_of
from convcost.api.sources import Loaded, Options, load
from convcost.errors import NotationError
from convcost.ir import Graph


class Row(msgspec.Struct, frozen=True):
    """One row of a comparison before it is priced. `item` is None for an algorithm, which has no graph of its own.

    `timing` is that of an algorithm; a graph's is its model's.
    """

    name: str
    item: Loaded | None
    model: record.Model | None
    idea: Idea | None = None
    algorithm: record.AlgorithmCost | None = None
    timing: record.ModelTiming | None = None

    @property
    def macs(self) -> int:
        """What rows are ordered by."""
        if self.algorithm is not None:
            return self.algorithm.multiplications or 0
        return (self.model.totals.macs or 0) if self.model is not None else 0


class Found(msgspec.Struct, frozen=True):
    """The other forms of a layer by MACs, what does not apply and why, and how many forms are left out."""

    rows: list[Row]
    skipped: list[record.Skipped]
    more: int = 0


ENGINE = {"winograd F(2)": "winograd-f2", "winograd F(4)": "winograd-f4", "fft whole": "fft"}
"""Algorithms that the engine has: the first words of their names, and the engine's own."""


def engine_name(form: Form | Row) -> str | None:
    """The engine's name of an algorithm; None for other forms, and algorithms that it has not."""
    if form.algorithm is None:
        return None
    return next((ours for name, ours in ENGINE.items() if form.algorithm.name.startswith(name)), None)


def other_forms(
    item: Loaded, model: record.Model, opts: Options, *, everything: bool = False, timed: bool = False
) -> Found:
    """What the ideas give the one layer of a shape string, which `model` counts.

    Without `everything` an idea gives one row, grouping at most four, and none that has more MACs than the layer; with
    `timed` also the algorithms that can be run.
    """
    try:
        layer = alternatives.layer_of(item.graph)
    except Skip as why:
        return Found([], [record.Skipped(name=idea.name, reason=str(why)) for idea in alternatives.IDEAS])
    search = Search(layer, item, model, opts, everything=everything, timed=timed)
    for idea in alternatives.IDEAS:
        search.add(idea)
    return Found(sorted(search.rows, key=lambda row: row.macs), search.skipped, search.more)


class Search:
    """The forms of a layer, collected idea by idea; equal ones once."""

    def __init__(
        self, layer: ConvLayer, item: Loaded, model: record.Model, opts: Options, *, everything: bool, timed: bool
    ) -> None:
        self.layer = layer
        self.opts = msgspec.structs.replace(opts, strict=False)
        self.everything = everything
        self.timed = timed
        self.macs = model.totals.macs or 0
        self.seen = [shape_of(item.graph)]
        self.rows: list[Row] = []
        self.skipped: list[record.Skipped] = []
        self.more = 0

    def add(self, idea: Idea) -> None:
        """The rows of one idea, or why there is none."""
        try:
            forms = alternatives.proposals(idea, self.layer)
        except Skip as why:
            self.skipped.append(record.Skipped(name=idea.name, reason=str(why)))
            return
        shown = [form for form in forms if self.everything or not form.extra or (self.timed and engine_name(form))]
        self.more += len(forms) - len(shown)
        for form in shown:
            reason = self.row(idea, form)
            if reason:
                self.skipped.append(record.Skipped(name=form.name, reason=reason))

    def row(self, idea: Idea, form: Form) -> str:
        """Add one form, or say why not."""
        if form.notation is None:
            return self.kept(Row(form.name, None, None, idea, form.algorithm))
        try:
            item = load(form.notation, self.opts)
        except NotationError as wrong:  # a size over the limit
            return wrong.message
        shape = shape_of(item.graph)
        if shape in self.seen:
            return "it is that already" if shape == self.seen[0] else "it is the same as another row"
        self.seen.append(shape)
        model, _ = model_of(item, self.opts)
        return self.kept(Row(form.name, item, model, idea))

    def kept(self, row: Row) -> str:
        """Keep a row that saves something, or say that it does not."""
        asked = row.idea is not None and row.idea.transposed
        runs = self.timed and engine_name(row) is not None
        if row.macs > self.macs and not self.everything and not asked and not runs:
            return f"it would not save: {row.macs:,} {'MACs' if row.model is not None else 'multiplications'}"
        self.rows.append(row)
        return ""


def shape_of(graph: Graph) -> list[tuple[str, object]]:
    """What a graph of convolutions does, to tell equal forms."""
    return [(n.op, (n.attrs, *(graph.tensors[name].shape if name else () for name in n.inputs))) for n in graph.nodes]


def described(row: Row, first: record.Model, timing: record.ModelTiming | None) -> record.Alternative:
    """One row of a comparison; `first` is the model of the first row."""
    idea = row.idea
    cost = row.model.totals if row.model is not None else algorithm_cost(row.algorithm, first.totals)
    same = row.model if row.model is not None else first
    return record.Alternative(
        name=row.name,
        notation=row.model.source if row.model is not None else None,
        cost=cost,
        ratio=ratio(cost, first, timing),
        outputs=same.outputs,
        receptive_field=same.layers[-1].receptive_field if same.layers else None,
        timing=timing,
        summary=idea.summary if idea else "",
        keeps=list(idea.keeps) if idea else [],
        loses=idea.loses if idea else "",
        source=idea.source if idea else "",
        algorithm=row.algorithm,
    )


def algorithm_cost(algorithm: record.AlgorithmCost | None, first: record.Cost) -> record.Cost:
    """The same layer with fewer products. Bytes depend on how it is written, and stay unknown."""
    products = algorithm.multiplications if algorithm is not None else None
    unknown = dict.fromkeys(("additions", "flops", "read_bytes", "write_bytes", "peak_memory_bytes", "intensity"))
    return msgspec.structs.replace(
        first, multiplications=products, macs=products, macs_effective=products, symbolic={}, **unknown
    )


def ratio(cost: record.Cost, first: record.Model, timing: record.ModelTiming | None) -> record.Ratio:
    """A row's cost divided by the first row's."""

    def part(mine: int | None, base: int | None) -> float | None:
        return mine / base if mine is not None and base else None

    base = first.timing
    time = part(timing.median_ns if timing else None, base.median_ns if base else None)
    error = None
    if time is not None and timing is not None and base is not None and timing.median_ns:
        error = time * ((timing.mad_ns / timing.median_ns) ** 2 + (base.mad_ns / base.median_ns) ** 2) ** 0.5
    return record.Ratio(
        macs=part(cost.macs, first.totals.macs),
        params=part(cost.params, first.totals.params),
        time=time,
        time_error=error,
    )


def with_front(rows: Iterable[record.Alternative]) -> list[record.Alternative]:
    """The rows with those marked that no other row beats: fewer of one thing and no more of the others.

    Things are MACs, parameters and, where every row has one, the time. Only rows with the first one's output shape
    take part, and only graphs: an algorithm could be chosen for any of them.
    """
    rows = list(rows)
    if not rows:
        return rows
    shape = [out.shape for out in rows[0].outputs]
    racing = [r for r in rows if r.notation is not None and [out.shape for out in r.outputs] == shape]
    timed = all(r.timing is not None for r in racing)
    points = {id(r): point(r, timed=timed) for r in racing}
    out = []
    for row in rows:
        mine = points.get(id(row))
        front = None if mine is None else not any(beats(other, mine) for other in points.values() if other)
        out.append(msgspec.structs.replace(row, pareto=front))
    return out


def point(row: record.Alternative, *, timed: bool) -> tuple[int, ...] | None:
    """What a row is judged by; None where some of it is not known."""
    time = row.timing.median_ns if timed and row.timing is not None else 0
    if row.cost.macs is None or row.cost.params is None:
        return None
    return (row.cost.macs, row.cost.params, time)


def beats(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether a is nowhere more than b, and somewhere less."""
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))
