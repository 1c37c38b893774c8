"""The report as GitHub-flavoured Markdown, for pull requests and job summaries. Foreign text stands in code spans."""

from __future__ import annotations

import re

from convcost.record import Report
from convcost.report.document import document
from convcost.report.explanation import grid_text
from convcost.report.picture import (
    Bar,
    Block,
    Cell,
    Derivation,
    Facts,
    Fold,
    Grid,
    Heading,
    Paragraph,
    Statement,
    Table,
    Tree,
)
from convcost.report.text import Line, Text, markdown, shorten, unled, visible
from convcost.report.view import View

LONGEST = 200
"""Columns of one foreign name."""


def render(report: Report, view: View) -> str:
    """Blocks with empty lines between them."""
    return "\n\n".join("\n".join(draw(block)) for block in document(report, view)) + "\n"


def draw(block: Block) -> list[str]:
    """The lines of one block."""
    if isinstance(block, Heading):
        return [f"### {line(block.line)}"]
    if isinstance(block, Facts):
        return [" · ".join(line(item) for item in block.items)]
    if isinstance(block, Paragraph):
        return [f"- {line(one)}" for one in block.lines]
    if isinstance(block, Derivation):
        return [f"#### {line(block.title)}", "", *(f"- {led(stated(one))}" for one in block.statements)]
    if isinstance(block, Grid):
        return [
            f"{led(span(block.caption))}:",
            "",
            "```text",
            *(unled(text).replace("```", "\\x60``") for text in grid_text(block)),
            "```",
        ]
    if isinstance(block, Fold):
        inner = [line for part in block.blocks for line in (*draw(part), "")]
        return ["<details>", f"<summary>{span(block.title)}</summary>", "", *inner, "</details>"]
    return draw_table(block)


def stated(one: Statement) -> str:
    """A sentence and its arithmetic, which has no character that Markdown acts on."""
    said = "".join(span(part if isinstance(part, Text) else prose(part)) for part in one.line)
    return said + (f" {own(one.arithmetic)}" if one.arithmetic else "")


def prose(text: str) -> str:
    """Our own words with stars that stay stars, but for what stands in backticks."""
    parts = text.split("`")
    return "`".join(visible(part) if i % 2 else own(part.replace("*", "\\*")) for i, part in enumerate(parts))


def led(text: str) -> str:
    """A paragraph whose first character is no mark of a block."""
    return "\\" + text if text.lstrip().startswith(OPENING) else unled(text)


OPENING = ("#", ">", "-", "+", "=", "```", "~~~")
NUMBER = re.compile(r"#(\d+)")
"""What a forge would take for the number of an issue."""

ACTIVE = {"|": "\\|", "<": "&lt;", "@": "\\x40", "](": "]\\x28", "://": ":\\x2f/"}
"""What our own words never hold. A report by another hand may."""


def own(text: str) -> str:
    """Our own words: no links, no mentions, no numbers of issues, no further cells."""
    out = visible(text)
    for active, escape in ACTIVE.items():
        out = out.replace(active, escape)
    return NUMBER.sub(r"`#\1`", out) if "#" in out else out


def draw_table(table: Table) -> list[str]:
    """A pipe table; totals in bold."""
    shown = [i for i, column in enumerate(table.columns) if not column.key.endswith("bar")]
    columns = [table.columns[i] for i in shown]
    out = [row([own(c.title) for c in columns]), row(["---:" if c.right else "---" for c in columns])]
    out += [row([cell(cells[i]) for i in shown]) for cells in table.rows]
    out += [row([bold(cell(cells[i])) for i in shown]) for cells in table.totals]
    return [*out, "", f"_{own(table.note)}_"] if table.note else out


def row(cells: list[str]) -> str:
    """| a | b |."""
    return "| " + " | ".join(cells) + " |"


def bold(text: str) -> str:
    """**text**."""
    return f"**{text}**" if text else ""


def cell(value: Cell) -> str:
    """One cell."""
    if isinstance(value, Tree):
        return value.guides.replace(" ", "\u00a0") + span(value.name)
    return "" if isinstance(value, Bar) else span(value)


def line(spans: Line) -> str:
    """Spans in a row."""
    return "".join(span(one) for one in spans)


def span(value: str | Text) -> str:
    """Our own text as it is, foreign text in a code span."""
    if not isinstance(value, Text):
        return own(value)
    return markdown(shorten(value.raw, LONGEST))
