"""How the columns of a table share the width of a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from convcost.report.picture import Cell, Column, Table, Tree
from convcost.report.style import Style
from convcost.report.text import Text, cells

GAP = 2
BAR = 5
"""Columns of an in-cell bar where there is room; narrower tables go without."""
WIDEST = 60
"""No column of words is wider, so that a long name does not push the numbers away."""


class Layout(msgspec.Struct, frozen=True):
    """The columns that are drawn (position in the table, width, space before) and the titles of the others."""

    shown: tuple[tuple[int, int, int], ...]
    hidden: tuple[str, ...]


def arrange(table: Table, style: Style) -> Layout:
    """Columns in the width of the terminal.

    Only numbers and the least widths of words decide which columns are dropped, so names never do. What is left is
    given to words; where names need it, bars make room for them. A number is never cut.
    """
    widths = [natural(i, column, table, style) for i, column in enumerate(table.columns)]
    least = [min(w, c.least) if c.words else w for w, c in zip(widths, table.columns, strict=True)]
    fixed = [c.least if c.words else w for w, c in zip(widths, table.columns, strict=True)]
    kept = [i for i, column in enumerate(table.columns) if widths[i] or not column.drop]
    hidden = []
    gaps = [1 if column.key.endswith("bar") else GAP for column in table.columns]
    while total(fixed, gaps, kept) > style.width:
        first = max(kept, key=lambda i: (table.columns[i].drop, i))
        if not table.columns[first].drop:
            break
        kept.remove(first)
        hidden.append(first)
    short = [i for i in kept if table.columns[i].words and not table.columns[i].drop and widths[i] > least[i]]
    if short and total(widths, gaps, kept) > style.width:
        kept = [i for i in kept if not table.columns[i].key.endswith("bar")]
    room = style.width - total(least, gaps, kept)
    for i in sorted((i for i in kept if table.columns[i].words), key=lambda i: table.columns[i].drop):
        more = max(min(widths[i] - least[i], room), 0)
        least[i] += more
        room -= more
    titles = tuple(table.columns[i].title for i in sorted(hidden) if table.columns[i].title)
    return Layout(tuple((i, least[i], gaps[i] if n else 0) for n, i in enumerate(kept)), titles)


def total(widths: Sequence[int], gaps: Sequence[int], kept: Sequence[int]) -> int:
    """Width of a row."""
    return sum(widths[i] for i in kept) + sum(gaps[i] for i in kept[1:])


def natural(i: int, column: Column, table: Table, style: Style) -> int:
    """The width that shows every cell of a column in full. A column without any content has none."""
    if column.key.endswith("bar"):
        return BAR
    content = max((cell_width(row[i], style) for row in (*table.rows, *table.totals)), default=0)
    return max(content, cells(style.ours(column.title))) if content else 0


def cell_width(cell: Cell, style: Style) -> int:
    """Columns that a cell needs."""
    if isinstance(cell, Text):
        return cells(style.span(cell, WIDEST))
    if isinstance(cell, Tree):
        return cells(style.ours(cell.guides)) + cells(style.span(cell.name, WIDEST))
    return cells(style.ours(cell)) if isinstance(cell, str) else BAR
