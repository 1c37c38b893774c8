"""What replacing each layer alone would save, and what each idea would do to all of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from convcost import analysis, record
from convcost.alternatives import ConvLayer, Form, Idea, Skip
from convcost.alternatives.choice import USABLE, usual
from convcost.api.replacing import Change, Selected, changed
from convcost.record import COUNTED, Cost, Layer

STORED = ("params", "buffers", "weight_bytes")
"""What a loop does not repeat."""

IDLE = frozenset({"standard", "wider field"})
"""Ideas that save nothing: not ranked."""


def cost_of(change: Change) -> Cost:
    """The cost of the form in the layer's place, all iterations of a loop around it together."""
    return in_place(analysis.total_cost(change.graph, analysis.count(change.graph)), change.row.repeats)


def in_place(total: Cost, times: int | None) -> Cost:
    """A cost done `times` times; None where that is not known."""
    if times == 1:
        return total
    work = {name: None if times is None else times * (getattr(total, name) or 0) for name in COUNTED}
    return msgspec.structs.replace(total, **{name: n for name, n in work.items() if name not in STORED})


def moved(cost: Cost) -> int | None:
    """Bytes read and written."""
    return None if cost.read_bytes is None or cost.write_bytes is None else cost.read_bytes + cost.write_bytes


def ratio(new: Cost, old: Cost) -> record.CostRatio:
    """New divided by old."""

    def part(mine: float | None, base: float | None) -> float | None:
        return mine / base if mine is not None and base else None

    return record.CostRatio(
        macs=part(new.macs, old.macs),
        params=part(new.params, old.params),
        weight_bytes=part(new.weight_bytes, old.weight_bytes),
        peak_memory_bytes=part(new.peak_memory_bytes, old.peak_memory_bytes),
        moved_bytes=part(moved(new), moved(old)),
        intensity=part(new.intensity, old.intensity),
    )


def saving(row: Layer, idea: Idea, form: Form, new: Cost, total: Cost) -> record.Saving:
    """What one change alone saves."""
    old = row.cost

    def less(name: str) -> int | None:
        before, after = getattr(old, name), getattr(new, name)
        return None if before is None or after is None else before - after

    saved = less("macs")
    return record.Saving(
        index=row.index,
        name=row.name,
        idea=idea.name,
        form=form.name,
        macs=old.macs,
        saved_macs=saved,
        saved_params=less("params"),
        share=saved / total.macs if saved is not None and total.macs else None,
    )


def ranked(savings: Sequence[record.Saving]) -> list[record.Saving]:
    """The largest saving first; those that save nothing are left out."""
    return ordered([one for one in savings if one.saved_macs is not None and one.saved_macs > 0])


def ordered(savings: Sequence[record.Saving]) -> list[record.Saving]:
    """The largest saving first, then those that cost more; what is not known counts as nothing."""
    return sorted(savings, key=lambda one: (-(one.saved_macs or 0), one.index))


def over_ideas(
    found: Sequence[Selected], opset: dict[str, int], total: Cost
) -> tuple[list[record.Saving], list[record.IdeaTotal]]:
    """The best idea for each layer, by MACs, and the totals under each idea, both best first."""
    best: dict[int, record.Saving] = {}
    tried: dict[tuple[str, ConvLayer], tuple[Form, Cost] | None] = {}
    ideas: list[record.IdeaTotal] = []
    for idea in USABLE:
        if idea.name in IDLE:
            continue
        savings = []
        for one in found:
            if one.layer is None:
                continue
            key = (idea.name, one.layer)
            if key not in tried:
                tried[key] = priced(one, idea, opset)
            found_form = tried[key]
            if found_form is not None:
                form, cost = found_form
                savings.append(saving(one.row, idea, form, in_place(cost, one.row.repeats), total))
        for one_saving in ranked(savings):
            held = best.get(one_saving.index)
            if held is None or (one_saving.saved_macs or 0) > (held.saved_macs or 0):
                best[one_saving.index] = one_saving
        if sum(one.saved_macs or 0 for one in savings) > 0:
            ideas.append(summed(idea.name, savings, total))
    return ranked(list(best.values())), sorted(ideas, key=lambda one: one.macs if one.macs is not None else 0)


def priced(one: Selected, idea: Idea, opset: dict[str, int]) -> tuple[Form, Cost] | None:
    """The usual form of an idea and what it costs once; None where it does not apply. Equal layers are priced once."""
    if one.layer is None:
        return None
    try:
        made = changed(one, idea, usual(idea, one.layer), opset)
    except Skip:
        return None
    return made.form, analysis.total_cost(made.graph, analysis.count(made.graph))


def summed(idea: str, savings: Sequence[record.Saving], total: Cost) -> record.IdeaTotal:
    """The totals of the model with one idea wherever it applies. Weights that layers share count for each of them."""
    work = [one.saved_macs for one in savings]
    macs = None if total.macs is None or None in work else total.macs - sum(n or 0 for n in work)
    fewer = [one.saved_params for one in savings]
    known = total.params is not None and None not in fewer
    params = (total.params or 0) - sum(n or 0 for n in fewer) if known else None
    return record.IdeaTotal(
        idea=idea,
        layers=len(savings),
        macs=macs,
        params=params,
        ratio_macs=macs / total.macs if macs is not None and total.macs else None,
        ratio_params=params / total.params if params is not None and total.params else None,
    )
