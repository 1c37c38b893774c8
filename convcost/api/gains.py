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


def disappointing(rows: Sequence[record.Alternative]) -> list[record.Diagnostic]:
    """A note for each of the rows that gain far less time than MACs against the first."""
    if not rows:
        return []
    gaps = []
    for row in rows[1:]:
        counted, gained = gains(row, rows[0])
        if counted is not None and gained is not None and counted >= WORTH and gained * FAR <= counted:
            gaps.append((counted / gained, row))
    gaps.sort(key=lambda gap: -gap[0])
    return [note(row, rows[0]) for _, row in gaps[:SAID]]


def gains(row: record.Alternative, first: record.Alternative) -> tuple[Fraction | None, Fraction | None]:
    """(counted, measured): how many times fewer MACs, how many times faster."""
    counted = Fraction(first.cost.macs, row.cost.macs) if first.cost.macs and row.cost.macs else None
    if row.timing is None or first.timing is None or not row.timing.median_ns:
        return counted, None
    return counted, Fraction(first.timing.median_ns, row.timing.median_ns)


def note(row: record.Alternative, first: record.Alternative) -> record.Diagnostic:
    """What was hoped for, what came, and what the layer waits for instead."""
    counted, gained = gains(row, first)
    hoped = units.significant(counted or Fraction(0), 3)
    came = units.significant(gained or Fraction(0), 3)
    return record.Diagnostic(
        code="C246",
        severity="note",
        message=f"{row.name}: {hoped}× fewer MACs, but only {came}× as fast",
        help=reason(row.cost, first.cost),
    )


def reason(cost: record.Cost, first: record.Cost) -> str:
    """Bytes and FLOP for each byte, before and after."""
    before, after = moved(first), moved(cost)
    if before is None or after is None or not before or not after:
        return "the bytes that it moves are not known"
    ratio = units.significant(Fraction(after, before), 3)
    if cost.intensity is None or first.intensity is None or cost.intensity >= first.intensity:
        return f"it moves {ratio}× the bytes"
    old, new = (units.significant(Fraction(x), 3) for x in (first.intensity, cost.intensity))
    return f"it moves {ratio}× the bytes, {new} FLOP for each instead of {old}: memory bounds it"


def moved(cost: record.Cost) -> int | None:
    """Bytes read and written."""
    if cost.read_bytes is None or cost.write_bytes is None:
        return None
    return cost.read_bytes + cost.write_bytes
