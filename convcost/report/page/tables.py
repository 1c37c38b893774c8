"""Tables as HTML. The script sorts and filters them; without it they are tables all the same."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from convcost.report.page.blocks import LONGEST, span
from convcost.report.picture import Amount, Bar, Cell, Column, Table, Tree
from convcost.report.text import html, shorten

BAR = " class=bar"


def draw_table(table: Table, identity: str = "") -> str:
    """A table in a frame of its own that scrolls. Charts refer to it by its `identity`."""
    classes = [class_of(column) for column in table.columns]
    units = [unit_of(i, table) for i in range(len(table.columns))]
    titles = "".join(
        f"<th{k}{u}><button>{html(c.title)}</button></th>" if c.title else f"<th{k}></th>"
        for k, u, c in zip(classes, units, table.columns, strict=True)
    )
    head = f"<table{own(table, identity)}>\n<thead><tr>{titles}</tr></thead>"
    longest = [longest_bar(i, table) if k == BAR else Fraction(1) for i, k in enumerate(classes)]
    body = "\n".join(row(cells, classes, longest) for cells in table.rows)
    foot = "\n".join(row(cells, classes, longest) for cells in table.totals)
    foot = f"\n<tfoot>\n{foot}\n</tfoot>" if foot else ""
    note = f'<p class="dim">{html(table.note)}</p>' if table.note else ""
    return f'<div class="frame">{head}\n<tbody>\n{body}\n</tbody>{foot}\n</table></div>{note}'


def own(table: Table, identity: str) -> str:
    """What the script knows a table by: its id, and which column names a row."""
    if not identity:
        return ""
    named = next((i for i, column in enumerate(table.columns) if column.key == "name"), 0)
    return f' id="{identity}" data-name="{named}"'


def class_of(column: Column) -> str:
    """Numbers to the right, words wrap, bars have a width."""
    if column.key.endswith("bar"):
        return BAR
    if column.key == "name":
        return ' class="w id"'
    return " class=n" if column.right else " class=w" if column.words else ""


def unit_of(i: int, table: Table) -> str:
    """The unit of a column's exact figures."""
    found = next((cells[i] for cells in table.rows if isinstance(cells[i], Amount)), None)
    return f" data-u={found.unit}" if isinstance(found, Amount) and found.unit else ""


def longest_bar(i: int, table: Table) -> Fraction:
    """The part that fills its cell."""
    bars = (cells[i] for cells in table.rows)
    return max((bar.part for bar in bars if isinstance(bar, Bar)), default=Fraction(0)) or Fraction(1)


def row(cells: Sequence[Cell], classes: Sequence[str], longest: Sequence[Fraction]) -> str:
    """One row."""
    return "<tr>" + "".join([td(*one) for one in zip(cells, classes, longest, strict=True)]) + "</tr>"


def td(value: Cell, classes: str, longest: Fraction) -> str:
    """One cell. Where its text is rounded, `data-v` has all digits. Bars are drawn beside the longest one."""
    if isinstance(value, Amount):
        exact = str(value.value)
        more = "" if value.replace(",", "") == exact else f" data-v={exact}"
        return f"<td{classes}{more}>{html(value)}</td>"
    if isinstance(value, Bar):
        return f"<td{classes}><i class=b{min(round(100 * value.part / longest), 100)}></i></td>"
    if isinstance(value, Tree):
        return f"<td{classes}>{html(value.guides).replace(' ', '&nbsp;')}{span(value.name)}</td>"
    return f"<td{classes}>{span(value) if isinstance(value, str) else name(value.raw)}</td>"


def name(raw: str) -> str:
    """Foreign text in a cell."""
    return f"<code>{html(shorten(raw, LONGEST))}</code>"


BARS = "".join(f".b{i}{{width:{i}%}}" for i in range(101))
"""The lengths of bars as classes: the page's policy allows no style in an element."""
