"""Alternatives side by side, with ratios to the first."""

from __future__ import annotations

from fractions import Fraction

from convcost import units
from convcost.record import Alternative, Comparison, Skipped
from convcost.report.picture import Bar, Block, Cell, Column, Heading, Paragraph, Table
from convcost.report.text import Line, Text
from convcost.report.view import number, shape_text, size

COLUMNS = (
    Column(key="index", title="#"),
    Column(key="name", title="way", right=False, words=True, least=22),
    Column(key="output", title="output", drop=6),
    Column(key="macs", title="MACs"),
    Column(key="ratio", title="fewer"),
    Column(key="percent", title="of #0", drop=3),
    Column(key="params", title="params", drop=2),
    Column(key="params_percent", title="of #0", drop=4),
    Column(key="field", title="sees", drop=7),
    Column(key="bytes", title="bytes", drop=8),
    Column(key="intensity", title="FLOP/B", drop=9),
    Column(key="weights", title="weights", drop=10),
    Column(key="peak", title="peak memory", drop=11),
)
MARK = (Column(key="front", title=""),)
BAR = (Column(key="bar", title="", right=False, drop=5),)
TIMED = (
    Column(key="time", title="time", drop=1),
    Column(key="speedup", title="faster", drop=2),
)


NAMED = 3
"""Names in a line; the JSON report has all."""


def comparison_blocks(comparison: Comparison, how: str) -> list[Block]:
    """A heading, the table, each row's notation in full, and why other ways are not in it."""
    blocks: list[Block] = [Heading(("Compare ", Text(comparison.of))), comparison_table(comparison, how)]
    if not comparison.scanned:
        blocks.append(Paragraph(notations(comparison), "plain"))
    lines = skipped(comparison.skipped)
    if comparison.more:
        lines += ((f"{comparison.more} more form{'s' if comparison.more > 1 else ''}: --all",),)
    return [*blocks, Paragraph(lines, "dim")] if lines else blocks


def notations(comparison: Comparison) -> tuple[Line, ...]:
    """#1 12x12x3 -(5x5x3x256 sep)-> 8x8x256. Strings that we wrote may be long, and are broken, not shortened."""
    return tuple(
        (f"#{i} ", Text(way.notation, local=bool(way.summary)))
        for i, way in enumerate(comparison.alternatives)
        if way.notation is not None
    )


def skipped(given: list[Skipped]) -> tuple[Line, ...]:
    """What does not apply, a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for one in given:
        reasons.setdefault(one.reason, []).append(one.name)
    return tuple(("skipped ", *listed(names), ": ", Text(why)) for why, names in reasons.items())


def listed(names: list[str]) -> Line:
    """A few names, and how many others there are."""
    out: list[str | Text] = [Text(names[0])]
    for name in names[1:NAMED]:
        out += [", ", Text(name)]
    others = len(names) - NAMED
    return (*out, f" and {others} other{'s' if others > 1 else ''}") if others > 0 else tuple(out)


def comparison_table(comparison: Comparison, how: str) -> Table:
    """One row for each alternative; a scan has a bar in each, a Pareto front its marks."""
    ways = comparison.alternatives
    timed = any(way.timing for way in ways)
    fronts = {way.pareto for way in ways}
    marked = {True, False} <= fronts
    most = max((way.cost.macs or 0 for way in ways), default=0) or 1
    columns = COLUMNS[:1] + (MARK if marked else ()) + COLUMNS[1:]
    columns += (BAR if comparison.scanned else ()) + (TIMED if timed else ())
    rows = []
    for i, way in enumerate(ways):
        cells: tuple[Cell, ...] = (str(i), "*" if way.pareto else "") if marked else (str(i),)
        cells += row(way, None if i == 0 else ways[0], how)
        if comparison.scanned:
            cells += (Bar(Fraction(way.cost.macs or 0, most)),)
        rows.append(cells + (times(way, ways[0]) if timed else ()))
    things = "MACs, parameters and time" if timed else "MACs and parameters"
    note = f"* on the Pareto front: no row beats it in {things} together" if marked else ""
    return Table(title=(), columns=columns, rows=tuple(rows), note=note)


def row(way: Alternative, first: Alternative | None, how: str) -> tuple[Cell, ...]:
    """Costs of one alternative and their ratios to the first."""
    cost, base = way.cost, first.cost if first else None
    moved = None if cost.read_bytes is None or cost.write_bytes is None else cost.read_bytes + cost.write_bytes
    return (
        Text(way.name),
        shape_text(way.outputs[0].shape) if way.outputs else "",
        number(cost.macs, how),
        times_less(cost.macs, base.macs) if base else "",
        units.percent(cost.macs, base.macs, 2) if base else "",
        number(cost.params, how),
        units.percent(cost.params, base.params, 2) if base else "",
        field(way),
        size(moved, how),
        "" if cost.intensity is None else units.significant(Fraction(cost.intensity), 3),
        size(cost.weight_bytes, how),
        size(cost.peak_memory_bytes, how),
    )


def field(way: Alternative) -> str:
    """5×5: how many elements of the input an output sees along each axis."""
    if not way.receptive_field:
        return ""
    return "×".join(str(axis.size) for axis in way.receptive_field[0].axes)


def times_less(part: int | None, whole: int | None) -> str:
    """How many times fewer."""
    return "∞×" if part == 0 and whole else units.ratio(part, whole)


def times(way: Alternative, first: Alternative) -> tuple[Cell, ...]:
    """Measured time, and how many times faster, with its uncertainty."""
    if way.timing is None:
        return ("", "")
    base = first.timing.median_ns if first.timing is not None else None
    faster = "" if way is first else units.ratio(way.timing.median_ns, base)
    if faster and way.ratio.time and way.ratio.time_error is not None:
        faster += f" ±{units.percent(round(100 * way.ratio.time_error / way.ratio.time), 100, 0)}"
    return (units.duration(way.timing.median_ns), faster)
