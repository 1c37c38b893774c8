"""Alternatives side by side, with ratios to the first."""

from __future__ import annotations

from fractions import Fraction

from convcost import units
from convcost.record import Alternative, Comparison
from convcost.report.picture import Block, Cell, Column, Heading, Paragraph, Table
from convcost.report.text import Text
from convcost.report.view import number, shape_text, size

COLUMNS = (
    Column(key="index", title="#"),
    Column(key="name", title="way", right=False, words=True, least=22),
    Column(key="output", title="output", drop=6),
    Column(key="macs", title="MACs"),
    Column(key="ratio", title="fewer"),
    Column(key="percent", title="of #0"),
    Column(key="params", title="params", drop=2),
    Column(key="params_percent", title="of #0", drop=4),
    Column(key="weights", title="weights", drop=7),
    Column(key="peak", title="peak memory", drop=9),
    Column(key="intensity", title="FLOP/B", drop=10),
)
TIMED = (
    Column(key="time", title="time", drop=1),
    Column(key="speedup", title="faster", drop=3),
)


def comparison_blocks(comparison: Comparison, how: str) -> list[Block]:
    """A heading, the table, each row's notation in full, and why other ways are not in it."""
    table = comparison_table(comparison, how)
    skipped = tuple(("skipped ", Text(s.name), ": ", Text(s.reason)) for s in comparison.skipped)
    blocks: list[Block] = [Heading(("Compare ", Text(comparison.of))), table]
    notation = tuple((f"#{i} ", Text(way.notation)) for i, way in enumerate(comparison.alternatives))
    blocks.append(Paragraph(notation, "plain"))
    return [*blocks, Paragraph(skipped, "dim")] if skipped else blocks


def comparison_table(comparison: Comparison, how: str) -> Table:
    """One row for each alternative."""
    ways = comparison.alternatives
    timed = any(way.timing for way in ways)
    rows = [row(i, way, ways[0], how) + (times(way, ways[0]) if timed else ()) for i, way in enumerate(ways)]
    return Table(title=(), columns=COLUMNS + (TIMED if timed else ()), rows=tuple(rows))


def row(index: int, way: Alternative, first: Alternative, how: str) -> tuple[Cell, ...]:
    """Costs of one alternative and their ratios to the first."""
    cost, base = way.cost, first.cost
    return (
        str(index),
        Text(way.name),
        shape_text(way.outputs[0].shape) if way.outputs else "",
        number(cost.macs, how),
        times_less(cost.macs, base.macs) if index else "",
        units.percent(cost.macs, base.macs, 2) if index else "",
        number(cost.params, how),
        units.percent(cost.params, base.params, 2) if index else "",
        size(cost.weight_bytes, how),
        size(cost.peak_memory_bytes, how),
        "" if cost.intensity is None else units.significant(Fraction(cost.intensity), 3),
    )


def times_less(part: int | None, whole: int | None) -> str:
    """How many times fewer."""
    return "∞×" if part == 0 and whole else units.ratio(part, whole)


def times(way: Alternative, first: Alternative) -> tuple[Cell, ...]:
    """Measured time, and how many times faster."""
    if way.timing is None:
        return ("", "")
    base = first.timing.median_ns if first.timing is not None else None
    faster = "" if way is first else units.ratio(way.timing.median_ns, base)
    return (units.duration(way.timing.median_ns), faster)
