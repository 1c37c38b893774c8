"""Alternatives side by side, with ratios to the first."""

from __future__ import annotations

from fractions import Fraction

from convcost import units
from convcost.record import Alternative, Comparison, Skipped
from convcost.report.picture import Bar, Block, Cell, Column, Heading, Paragraph, Table
from convcost.report.text import Line, Text
from convcost.report.view import duration, number, shape_text, size

INDEX = Column(key="index", title="#")
FRONT = Column(key="front", title="")
NAME = Column(key="name", title="way", right=False, words=True, least=22)
MACS = Column(key="macs", title="MACs")
PARAMS = Column(key="params", title="params", drop=2)
MORE = (
    Column(key="output", title="output", drop=6),
    Column(key="field", title="sees", drop=7),
    Column(key="bytes", title="bytes", drop=8),
    Column(key="intensity", title="FLOP/B", drop=9),
    Column(key="weights", title="weights", drop=10),
    Column(key="peak", title="peak memory", drop=11),
)
RATIOS = (
    MACS,
    Column(key="ratio", title="fewer"),
    Column(key="percent", title="of #0", drop=3),
    PARAMS,
    Column(key="params_percent", title="of #0", drop=4),
)
SCAN = (MACS, Column(key="bar", title="", right=False), PARAMS)
TIMED = (
    Column(key="time", title="time", drop=1),
    Column(key="speedup", title="faster", drop=2),
)
TIME_BAR = Column(key="time_bar", title="", right=False)

BY_KEY = {column.key: column for column in (*RATIOS, *MORE, *TIMED, SCAN[1], TIME_BAR)}
"""Columns that `--columns` chooses from; the index, the mark of the front and the name always lead."""


NAMED = 3
"""Names in a line; the JSON report has all."""


HINT = "--width, --columns"
"""What brings back columns that do not fit."""


def comparison_blocks(
    comparison: Comparison, how: str, *, full: bool = False, chosen: tuple[str, ...] | None = None
) -> list[Block]:
    """A heading, the table, each row's notation, and why other ways are not in it; `full` says what each gives up."""
    blocks: list[Block] = [Heading(("Compare ", Text(comparison.of))), comparison_table(comparison, how, chosen)]
    if not comparison.scanned:
        blocks.append(Paragraph(notations(comparison), "plain"))
    if full:
        blocks.append(Paragraph(explained(comparison), "plain"))
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


def explained(comparison: Comparison) -> tuple[Line, ...]:
    """What each idea is, what it keeps and loses, and where it is from, once for all its rows."""
    rows: dict[str, list[int]] = {}
    for i, way in enumerate(comparison.alternatives):
        if way.summary:
            rows.setdefault(way.summary, []).append(i)
    ways = [(" ".join(f"#{i}" for i in indices), comparison.alternatives[indices[0]]) for indices in rows.values()]
    return tuple(
        (
            f"{where} ",
            Text(way.summary, local=True),
            "; keeps ",
            Text(", ".join(way.keeps), local=True),
            "; loses ",
            Text(way.loses, local=True),
            " (",
            Text(way.source, local=True),
            ")",
        )
        for where, way in ways
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


def columns_of(
    comparison: Comparison, chosen: tuple[str, ...] | None, *, timed: bool, marked: bool
) -> tuple[Column, ...]:
    """Ratios for ways to do one thing, bars for a scan, or those that are chosen; marks where there is a front."""
    begin = (INDEX, FRONT, NAME) if marked else (INDEX, NAME)
    if chosen is not None:
        return (*begin, *(BY_KEY[key] for key in chosen))
    if comparison.scanned:
        return (*begin, *SCAN, *((TIMED[0], TIME_BAR) if timed else ()), *MORE)
    return (*begin, *RATIOS, *(TIMED if timed else ()), *MORE)


def comparison_table(comparison: Comparison, how: str, chosen: tuple[str, ...] | None = None) -> Table:
    """One row for each alternative."""
    ways = comparison.alternatives
    timed = any(way.timing for way in ways)
    marked = {True, False} <= {way.pareto for way in ways}
    columns = columns_of(comparison, chosen, timed=timed, marked=marked)
    most = (max((way.cost.macs or 0 for way in ways), default=0), max((time_of(way) for way in ways), default=0))
    rows = []
    for i, way in enumerate(ways):
        cells = costs(way, how) | ratios(way, ways[0] if i else None) | bars(way, *most)
        cells |= {"index": str(i), "front": "*" if way.pareto else ""}
        rows.append(tuple(cells[column.key] for column in columns))
    things = "MACs, parameters and time" if timed else "MACs and parameters"
    note = f"* on the Pareto front: no row beats it in {things} together" if marked else ""
    return Table(title=(), columns=columns, rows=tuple(rows), note=note, hint=HINT, about=comparison)


def costs(way: Alternative, how: str) -> dict[str, Cell]:
    """Costs of one alternative, by column."""
    cost = way.cost
    moved = None if cost.read_bytes is None or cost.write_bytes is None else cost.read_bytes + cost.write_bytes
    return {
        "name": Text(way.name),
        "output": shape_text(way.outputs[0].shape) if way.outputs else "",
        "macs": number(cost.macs, how),
        "params": number(cost.params, how),
        "field": field(way),
        "bytes": size(moved, how),
        "intensity": "" if cost.intensity is None else units.significant(Fraction(cost.intensity), 3),
        "weights": size(cost.weight_bytes, how),
        "peak": size(cost.peak_memory_bytes, how),
        "time": duration(way.timing.median_ns if way.timing else None),
    }


def ratios(way: Alternative, first: Alternative | None) -> dict[str, Cell]:
    """Ratios to the first alternative, by column; the first has none."""
    if first is None:
        return dict.fromkeys(("ratio", "percent", "params_percent", "speedup"), "")
    cost, base = way.cost, first.cost
    return {
        "ratio": times_less(cost.macs, base.macs),
        "percent": units.percent(cost.macs, base.macs, 2),
        "params_percent": units.percent(cost.params, base.params, 2),
        "speedup": faster(way, first),
    }


def bars(way: Alternative, macs: int, time: int) -> dict[str, Cell]:
    """Parts of the most MACs and of the most time, by column."""
    return {"bar": Bar(Fraction(way.cost.macs or 0, macs or 1)), "time_bar": Bar(Fraction(time_of(way), time or 1))}


def time_of(way: Alternative) -> int:
    """Nanoseconds, 0 where it was not measured."""
    return way.timing.median_ns if way.timing is not None else 0


def field(way: Alternative) -> str:
    """5×5: how many elements of the input an output sees along each axis."""
    if not way.receptive_field:
        return ""
    return "×".join(str(axis.size) for axis in way.receptive_field[0].axes)


def times_less(part: int | None, whole: int | None) -> str:
    """How many times fewer."""
    return "∞×" if part == 0 and whole else units.ratio(part, whole)


def faster(way: Alternative, first: Alternative) -> str:
    """How many times faster, with its uncertainty."""
    if way.timing is None or first.timing is None:
        return ""
    text = units.ratio(way.timing.median_ns, first.timing.median_ns)
    if way.ratio.time and way.ratio.time_error is not None:
        text += f" ±{units.percent(round(100 * way.ratio.time_error / way.ratio.time), 100, 0)}"
    return text
