"""Blocks as HTML. Foreign text is escaped here, once, by `span`."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.report.explanation import grid_text
from convcost.report.picture import Block, Derivation, Facts, Fold, Grid, Heading, Paragraph, Table
from convcost.report.text import Line, Text, html, shorten

LONGEST = 300
"""Columns of one foreign name."""


def draw(block: Block) -> str:
    """One block that is neither a table nor folded."""
    assert not isinstance(block, (Table, Fold))
    if isinstance(block, Heading):
        return f"<h2>{line(block.line)}</h2>"
    if isinstance(block, Facts):
        return f"<p>{' · '.join(line(item) for item in block.items)}</p>"
    if isinstance(block, Paragraph):
        return "\n".join(f'<p class="{block.role}">{line(one)}</p>' for one in block.lines)
    if isinstance(block, Derivation):
        return derivation(block)
    return grid(block)


def derivation(block: Derivation) -> str:
    """A small title, and its statements."""
    said = "\n".join(f"<p>{line(one.line)} <code>{html(one.arithmetic)}</code></p>" if one.arithmetic
                     else f"<p>{line(one.line)}</p>" for one in block.statements)  # fmt: skip
    return f"<h3>{line(block.title)}</h3>\n{said}"


def grid(block: Grid) -> str:
    """A drawing in letters."""
    return f"<p>{html(block.caption)}</p>\n<pre>{html_lines(grid_text(block))}</pre>"


def html_lines(lines: Sequence[str]) -> str:
    """Lines of our own, escaped one by one."""
    return "\n".join(html(text) for text in lines)


def line(spans: Line) -> str:
    """Spans in a row."""
    return "".join(span(one) for one in spans)


def span(value: str | Text) -> str:
    """Our own text, or foreign text as code; both escaped."""
    if not isinstance(value, Text):
        return html(value)
    return f"<code>{html(shorten(value.raw, LONGEST))}</code>"
