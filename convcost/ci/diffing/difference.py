"""The difference of two models: totals, and the layers behind them."""

from __future__ import annotations

from convcost.ci.diffing.changes import NOTHING, changes, cost_deltas, delta
from convcost.ci.diffing.matching import matched
from convcost.record import COUNTED, Change, Coverage, CoverageDiff, Delta, Diff, Layer, LayerDiff, Model, Rename, Side

TOTALS = (*COUNTED, "peak_memory_bytes")


def difference(old: Model, new: Model) -> Diff:
    """From `old` to `new`. Layers that are the same under another name count as renamed, not as changed."""
    found = matched(old.layers, new.layers, numbered="shape" in (old.kind, new.kind))
    layers: list[LayerDiff] = []
    renamed: list[Rename] = []
    unchanged = 0
    for i, j in found.pairs:
        before, after = old.layers[i], new.layers[j]
        one = pair(before, after, moved=(i, j) in found.moved)
        if one is not None:
            layers.append(one)
        elif before.name != after.name:
            renamed.append(Rename(old=before.name, new=after.name))
        else:
            unchanged += 1
    ours, theirs = {i for i, _ in found.pairs}, {j for _, j in found.pairs}
    layers += [removed(layer) for i, layer in enumerate(old.layers) if i not in ours]
    layers += [added(layer) for j, layer in enumerate(new.layers) if j not in theirs]
    layers.sort(key=order)
    names = [(old.layers[i].name, new.layers[j].name) for i, j in found.pairs]
    by_name = sum(a == b for a, b in names)
    return Diff(
        old=old.source,
        new=new.source,
        totals=totals(old, new),
        coverage=coverage(old.coverage, new.coverage),
        layers=layers,
        renamed=renamed,
        unchanged=unchanged,
        by_name=by_name,
        by_structure=len(names) - by_name,
    )


def coverage(old: Coverage, new: Coverage) -> CoverageDiff:
    """What is counted on both sides."""
    return CoverageDiff(
        old_counted=old.counted,
        old_nodes=old.nodes,
        new_counted=new.counted,
        new_nodes=new.nodes,
        old_complete=old.complete,
        new_complete=new.complete,
        old_lower_bound=old.lower_bound,
        new_lower_bound=new.lower_bound,
        old_upper_bound=old.upper_bound,
        new_upper_bound=new.upper_bound,
    )


def totals(old: Model, new: Model) -> list[Delta]:
    """All quantities of both models."""
    exact = old.coverage.complete and new.coverage.complete
    return [delta(name, getattr(old.totals, name), getattr(new.totals, name), exact=exact) for name in TOTALS]


def pair(old: Layer, new: Layer, *, moved: bool) -> LayerDiff | None:
    """Two layers that belong together, if anything but a name differs."""
    costs = cost_deltas(old.cost, new.cost) if old.cost != new.cost else []
    what = changes(old, new) if costs or not alike(old, new) else []
    what = what or [change_of(d) for d in costs[:LISTED]]
    if not what and not costs and not moved:
        return None
    return LayerDiff(
        status="changed" if what or costs else "moved",
        old=side(old),
        new=side(new),
        matched="name" if old.name == new.name else "structure",
        changes=what,
        deltas=costs,
    )


def change_of(one: Delta) -> Change:
    """A quantity as what changed: where nothing else did, as when a weight is now counted with another layer."""
    old, new = (None if n is None else str(n) for n in (one.old, one.new))
    return Change(what=one.metric.replace("_", " "), old=old, new=new)


LISTED = 3
"""Quantities that are named where no property differs."""


def alike(old: Layer, new: Layer) -> bool:
    """Whether two layers have the same properties."""
    return all(getattr(old, name) == getattr(new, name) for name in PROPERTIES)


PROPERTIES = (
    "op", "domain", "kind", "attributes", "inputs", "outputs", "dtype", "repeats", "shared_weights",
)  # fmt: skip


def added(layer: Layer) -> LayerDiff:
    """A layer that was not there."""
    costs = cost_deltas(NOTHING, layer.cost)
    return LayerDiff(status="added", old=None, new=side(layer), matched=None, changes=[], deltas=costs)


def removed(layer: Layer) -> LayerDiff:
    """A layer that is no longer there."""
    costs = cost_deltas(layer.cost, NOTHING)
    return LayerDiff(status="removed", old=side(layer), new=None, matched=None, changes=[], deltas=costs)


def side(layer: Layer) -> Side:
    """What a layer is, and where."""
    return Side(
        index=layer.index,
        name=layer.name,
        op=layer.op,
        kind=layer.kind,
        output=layer.outputs[0] if layer.outputs else None,
    )


def order(one: LayerDiff) -> tuple[int, ...]:
    """The largest change of MACs first, then of FLOPs, of parameters; what only moved comes last."""
    place = one.new or one.old
    assert place is not None
    return (one.status == "moved", *(-size(one, name) for name in ("macs", "flops", "params")), place.index)


def size(one: LayerDiff, metric: str) -> int:
    """|change|; a change that is not known is larger than all that are."""
    for d in one.deltas:
        if d.metric == metric:
            return UNKNOWN if d.change is None else abs(d.change)
    return 0


UNKNOWN = 2**200
