"""Reports for people at a terminal: aligned columns, in-cell bars, colours where they are wanted.

The table is laid out here and not by rich, whose tables take a third of a second for 400 rows: longer than counting
the model.
"""

from __future__ import annotations

from fractions import Fraction

from convcost.record import Report
from convcost.report.document import document
from convcost.report.explanation import derivation_lines, grid_lines
from convcost.report.layout import BAR, Layout, arrange
from convcost.report.picture import (
    Bar,
    Block,
    Cell,
    Column,
    Derivation,
    Facts,
    Fold,
    Grid,
    Heading,
    Paragraph,
    Table,
    Tree,
)
from convcost.report.style import Style
from convcost.report.text import Line, Text, cells, unled, wraps
from convcost.report.view import View

EIGHTHS = " ▏▎▍▌▋▊▉"
FOREIGN = 100
"""Columns that one foreign name may take in a line of prose."""


def render(report: Report, view: View, style: Style) -> str:
    """The report as text, a newline at the end."""
    lines: list[str] = []
    for block in document(report, view):
        for line in draw(block, style):
            if line or (lines and lines[-1]):
                lines.append(unled(line.rstrip()))
    return "\n".join(lines) + "\n"


def draw(block: Block, style: Style) -> list[str]:
    """The lines of one block."""
    if isinstance(block, Heading):
        return ["", style.paint(style.line(block.line, FOREIGN), "title")]
    if isinstance(block, Facts):
        return facts(block.items, style)
    if isinstance(block, Paragraph):
        return paragraph(block, style)
    if isinstance(block, Derivation):
        return derivation_lines(block, style, FOREIGN)
    if isinstance(block, Grid):
        return grid_lines(block, style)
    if isinstance(block, Fold):
        return [line for inner in block.blocks for line in draw(inner, style)]
    return ["", *draw_table(block, style), ""]


def facts(items: tuple[Line, ...], style: Style) -> list[str]:
    """Statements with dots between them; no line breaks after a foreign one."""
    lines = [""]
    dot = style.ours(" · ")
    own = True
    for item in items:
        text = style.line(item, FOREIGN)
        own = own and wraps(item)
        if lines[-1] and own and cells(lines[-1] + dot + text) > style.width:
            lines[-1] += dot.rstrip()
            lines.append("  " + text)
        else:
            lines[-1] += (dot if lines[-1] else "") + text
    return lines


def paragraph(block: Paragraph, style: Style) -> list[str]:
    """Prose. Our own lines are wrapped; those with foreign text are not, so that names do not change their number."""
    out: list[str] = []
    for line in block.lines:
        text = style.line(line, FOREIGN)
        out += wrapped(text, style.width) if wraps(line) else [text]
    role = "" if block.role == "plain" else block.role
    return [style.paint(text, "bad" if role == "error" else role) for text in out]


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at spaces, later ones indented."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1].strip() and cells(lines[-1]) + 1 + cells(word) > width:
            lines.append("  " + word)
        else:
            lines[-1] += (" " if lines[-1] else "") + word
    return lines


def draw_table(table: Table, style: Style) -> list[str]:
    """Titles, a rule, rows, totals, and what is not shown."""
    layout = arrange(table, style)
    titles = "".join(
        " " * gap + pad(style.ours(table.columns[i].title), width, table.columns[i]) for i, width, gap in layout.shown
    )
    rule = style.ours("─") * cells(titles)
    out = [style.paint(titles.rstrip(), "head"), style.paint(rule, "head")]
    out += [draw_row(row, table, layout, style, "") for row in table.rows]
    if table.totals:
        out.append(style.paint(rule, "head"))
        out += [draw_row(row, table, layout, style, "total") for row in table.totals]
    return out + footnotes(table, layout, style)


def footnotes(table: Table, layout: Layout, style: Style) -> list[str]:
    """Rows and columns that are left out."""
    notes = [table.note] if table.note else []
    if layout.hidden:
        names = ", ".join(dict.fromkeys(layout.hidden))
        notes.append(f"columns not shown: {names} ({table.hint})")
    return [style.paint(line, "dim") for note in notes for line in wrapped(style.ours(note), style.width)]


def draw_row(row: tuple[Cell, ...], table: Table, layout: Layout, style: Style, role: str) -> str:
    """One row."""
    drawn = [(row[i], gap, draw_cell(row[i], width, table.columns[i], style)) for i, width, gap in layout.shown]
    if role:
        return style.paint("".join([" " * gap + text for _, gap, text in drawn]).rstrip(), role)
    return "".join([" " * gap + style.paint(text, role_of(cell)) for cell, gap, text in drawn])


ROLES = {"?": "warning", "WARN": "warning", "FAIL": "bad", "PASS": "good", "SKIP": "dim"}
"""Words of ours that have a colour."""


def role_of(cell: Cell) -> str:
    """The colour of a cell."""
    return "bar" if isinstance(cell, Bar) else ROLES.get(cell, "") if isinstance(cell, str) else ""


def draw_cell(cell: Cell, width: int, column: Column, style: Style) -> str:
    """One cell, as wide as its column."""
    if isinstance(cell, Bar):
        return pad(draw_bar(cell.part, style), width, column)
    if isinstance(cell, Tree):
        guides = style.ours(cell.guides)[-max(width - 4, 0) :]
        return pad(guides + style.span(cell.name, width - cells(guides)), width, column)
    if isinstance(cell, Text):
        return pad(style.span(cell, width), width, column)
    return pad(style.ours(cell), width, column)


def pad(text: str, width: int, column: Column) -> str:
    """`text` with spaces on the side where they belong."""
    space = " " * max(width - cells(text), 0)
    return space + text if column.right else text + space


def draw_bar(part: Fraction, style: Style) -> str:
    """A bar of up to five characters, in eighths; in ASCII in wholes."""
    n = int(min(max(part, Fraction(0)), Fraction(1)) * BAR * 8 + Fraction(1, 2))
    if not style.unicode:
        return "#" * ((n + 4) // 8)
    return ("█" * (n // 8) + EIGHTHS[n % 8]).rstrip()
