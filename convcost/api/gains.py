"""Where a measured gain is far below the counted one, and why."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from convcost import record, units

WORTH = 2
"""Gains below this many times are not looked at."""
FAR = 2
"""A measured gain that is this many times below the counted one is far below it."""
SAID = 3
"""Rows that are spoken of, the worst first."""


def disappointing(ways: Sequence[record.Alternative], models: Sequence[record.Model | None]) -> list[record.Diagnostic]:
    """A note for each of the rows that gain far less time than MACs against the first; `models` are theirs."""
    if not ways:
        return []
    gaps = []
    for way, model in zip(ways[1:], models[1:], strict=True):
        counted, gained = gains(way, ways[0])
        if counted is not None and gained is not None and counted >= WORTH and gained * FAR <= counted:
            gaps.append((counted / gained, way, model))
    gaps.sort(key=lambda gap: -gap[0])
    return [note(way, ways[0], model) for _, way, model in gaps[:SAID]]


def gains(way: record.Alternative, first: record.Alternative) -> tuple[Fraction | None, Fraction | None]:
    """(counted, measured): how many times fewer MACs, how many times as fast."""
    counted = Fraction(first.cost.macs, way.cost.macs) if first.cost.macs and way.cost.macs else None
    if way.timing is None or first.timing is None or not way.timing.median_ns:
        return counted, None
    return counted, Fraction(first.timing.median_ns, way.timing.median_ns)


def note(way: record.Alternative, first: record.Alternative, model: record.Model | None) -> record.Diagnostic:
    """What was hoped for, what came, and what the layer waits for instead."""
    counted, gained = gains(way, first)
    hoped = units.significant(counted or Fraction(0), 3)
    came = units.significant(gained or Fraction(0), 3)
    why = [reason for reason in (traffic(way.cost, first.cost), slowest(model) if model is not None else "") if reason]
    return record.Diagnostic(
        code="C246",
        severity="note",
        message=f"{way.name}: {hoped}× fewer MACs, but only {came}× as fast",
        help="; ".join(why) or None,
    )


def traffic(cost: record.Cost, first: record.Cost) -> str:
    """Bytes moved beside the first row's."""
    before, after = moved(first), moved(cost)
    return f"it moves {units.significant(Fraction(after, before), 3)}× the bytes" if before and after else ""


def moved(cost: record.Cost) -> int | None:
    """Bytes read and written."""
    if cost.read_bytes is None or cost.write_bytes is None:
        return None
    return cost.read_bytes + cost.write_bytes


def slowest(model: record.Model) -> str:
    """The step that takes most of the time, and what bounds it."""
    timed = [(layer.timing.median_ns, layer) for layer in model.layers if layer.timing is not None]
    total = sum(ns for ns, _ in timed)
    if not total:
        return ""
    ns, layer = max(timed, key=lambda pair: pair[0])
    out = f"{units.percent(ns, total, 0)} of the time is {layer.kind}"
    if layer.cost.intensity is not None:
        out += f" at {units.significant(Fraction(layer.cost.intensity), 3)} FLOP/B"
    bound = layer.timing.bound if layer.timing is not None else None
    return f"{out}, bound by {'memory' if bound == 'memory' else 'small products'}" if bound else out
