"""The other forms of a shape string's layer, and a comparison's rows."""

from __future__ import annotations

from convcost import alternatives, record
from convcost.api.sources import Loaded, Options, load
from convcost.ir import Graph


def other_forms(item: Loaded, opts: Options) -> tuple[list[tuple[str, Loaded]], list[record.Skipped]]:
    """The alternatives of a shape string's one layer, and those that do not apply."""
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
