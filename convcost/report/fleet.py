"""Many models in one table, the largest first."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from convcost import units
from convcost.record import COUNTED, Fleet, FleetEntry
from convcost.report.picture import Bar, Block, Cell, Column, Facts, Heading, Table
from convcost.report.text import Line, Text
from convcost.report.view import View, bound_of, number, size

COLUMNS = (
    Column(key="index", title="#"),
    Column(key="path", title="model", right=False, words=True, least=28),
    Column(key="macs", title="MACs"),
    Column(key="share", title="%", drop=5),
    Column(key="bar", title="", right=False, drop=6),
    Column(key="params", title="params", drop=1),
    Column(key="weights", title="weights", drop=4),
    Column(key="peak", title="peak memory", drop=3),
    Column(key="counted", title="counted", drop=2),
)

SORT: dict[str, Callable[[tuple[int, FleetEntry]], int | str]] = {
    "index": lambda pair: pair[0],
    "name": lambda pair: pair[1].path,
    "memory": lambda pair: amount(pair[1], "peak_memory_bytes"),
} | {field: (lambda pair, field=field: amount(pair[1], field)) for field in COUNTED}
"""What `--sort` takes. Numbers are sorted from the largest; what is not known comes last."""

ASCENDING = frozenset({"index", "name"})


def amount(entry: FleetEntry, field: str) -> int:
    """A figure to sort by."""
    n = known(entry, field)
    return -1 if n is None else n


def known(entry: FleetEntry, field: str) -> int | None:
    """A total, if there is one."""
    return getattr(entry.totals, field) if entry.totals is not None else None


def fleet_blocks(fleet: Fleet, view: View) -> list[Block]:
    """The heading, the table, how much of all it stands for. What failed is told by the report's diagnostics."""
    how = "exact" if view.units == "exact" else "si"
    n = len(fleet.entries)
    folder = common([entry.path for entry in fleet.entries])
    where: Line = (" in ", Text(folder)) if folder else ()
    heading = Heading((f"Fleet of {n} model{'s' if n != 1 else ''}", *where))
    tables = [table(fleet, view, how, len(folder))] if fleet.counted else []
    return [heading, *tables, coverage(fleet)]


def common(paths: list[str]) -> str:
    """The folder that all paths begin with, and its slash."""
    first, last = min(paths, default=""), max(paths, default="")
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: first.rfind("/", 0, same) + 1]


def table(fleet: Fleet, view: View, how: str, cut: int) -> Table:
    """A row a counted model, its path without the first `cut` characters, and their sums."""
    name = view.sort if view.sort in SORT else "macs"
    counted = [(i, entry) for i, entry in enumerate(fleet.entries) if entry.status == "counted"]
    counted.sort(key=SORT[name], reverse=name not in ASCENDING)
    shown = counted[: view.top]
    hidden = len(counted) - len(shown)
    whole = sum(known(entry, "macs") or 0 for _, entry in counted)
    rows = tuple(row(str(i), Text(entry.path[cut:]), entry, whole, how) for i, entry in shown)
    note = f"{hidden} model{'s' if hidden > 1 else ''} not shown (--top)" if hidden else ""
    last = totals([entry for _, entry in counted], how)
    return Table(title=(), columns=COLUMNS, rows=rows, totals=(last,), note=note)


def row(index: str, path: Text, entry: FleetEntry, whole: int, how: str) -> tuple[Cell, ...]:
    """One model. Its share is of all MACs that are known."""
    bound = bound_of(entry)
    macs = known(entry, "macs")
    part = None if macs is None or not whole else Fraction(macs, whole)
    return (
        index,
        path,
        number(macs, how, bound),
        "?" if part is None else units.decimal(100 * part, 1),
        Bar(part or Fraction(0)),
        number(known(entry, "params"), how, bound),
        size(known(entry, "weight_bytes"), how, bound),
        size(known(entry, "peak_memory_bytes"), how),
        f"{entry.counted}/{entry.nodes}",
    )


def totals(counted: list[FleetEntry], how: str) -> tuple[Cell, ...]:
    """Sums over the models; `≥` where a part is not known or a lower bound."""

    def added(field: str) -> tuple[int, str]:
        parts = [known(entry, field) for entry in counted]
        lower = any(entry.lower_bound for entry in counted) or None in parts
        upper = any(entry.upper_bound for entry in counted)
        return sum(
            n for n in parts if n is not None
        ), "≈" if lower and upper else "≥" if lower else "≤" if upper else ""

    nodes = f"{sum(e.counted or 0 for e in counted)}/{sum(e.nodes or 0 for e in counted)}"
    macs, params, weights = added("macs"), added("params"), added("weight_bytes")
    return (
        "",
        "total",
        number(macs[0], how, macs[1]),
        "",
        "",
        number(params[0], how, params[1]),
        size(weights[0], how, weights[1]),
        "",
        nodes,
    )


def coverage(fleet: Fleet) -> Facts:
    """40 counted · 1 failed · 3 not counted completely."""
    partial = sum(entry.complete is False for entry in fleet.entries)
    open_sizes = sum(entry.complete is True and known(entry, "macs") is None for entry in fleet.entries)
    items: list[Line] = [(f"{fleet.counted} counted",), (f"{fleet.failed} failed",)]
    if partial:
        items.append((f"{partial} in part: totals are bounds",))
    if open_sizes:
        items.append((f"{open_sizes} with open dimensions (--dim)",))
    return Facts(tuple(items))
