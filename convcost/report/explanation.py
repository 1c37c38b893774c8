"""Explanations as blocks, and how derivations and drawings look in a terminal, in Markdown and on a page."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.record import CELLS, Explanation, Sentence
from convcost.report.picture import Block, Derivation, Grid, Heading, Statement
from convcost.report.style import Style
from convcost.report.text import Line, Span, Text, cells

GLYPHS = {
    "input": ("□", "."),
    "padding": ("░", "o"),
    "tap": ("■", "#"),
    "tap_padding": ("▒", "@"),
    "hole": ("▫", ","),
    "zero": ("·", "0"),
    "tap_zero": ("▣", "%"),
    "output": ("□", "."),
    "now": ("■", "#"),
    "write": ("■", "#"),
    "cut": ("▒", "@"),
    "blank": (" ", " "),
    "more": ("…", "~"),
}
"""What each cell looks like, in Unicode and in ASCII."""

UNSAID = frozenset({"blank", "more", "output", "now"})
"""Cells that need no legend."""

INDENT = "  "


def explanation_blocks(explanation: Explanation) -> list[Block]:
    """A heading, then each section with its drawings first."""
    blocks: list[Block] = [Heading(("Explain ", Text(explanation.of)))]
    for section in explanation.sections:
        name: Line = (section.title, " ", Text(section.of)) if section.of else (section.title,)
        if section.sentences or not section.drawings:
            blocks.append(Derivation(name, tuple(statement(s) for s in section.sentences), section.note))
        for drawing in section.drawings:
            rows = tuple((row.label, tuple(row.cells)) for row in drawing.rows)
            blocks.append(Grid(drawing.caption, rows))
    return blocks


def statement(sentence: Sentence) -> Statement:
    """A sentence as a line; what it spells is foreign."""
    line: Line = (sentence.text, " ", Text(sentence.spelled)) if sentence.spelled else (sentence.text,)
    return Statement(line, sentence.equation.text if sentence.equation is not None else "")


def arithmetic(text: str, *, unicode: bool) -> str:
    """An equation in the characters that can be shown: 256*3 where there is no middle dot."""
    if unicode:
        return text
    return text.replace("·", "*").replace("−", "-").replace("≈", "~").replace("×", "x")


def spelled_out(span: Span, style: Style) -> Span:
    """Our own words in the characters that can be shown; a dot in a sentence is a product, as in a rule's formula."""
    return span if isinstance(span, Text) else arithmetic(span, unicode=style.unicode)


def legend(grid: Grid) -> tuple[str, ...]:
    """The words of the cells that a grid uses, in their order."""
    used = {cell for _, row in grid.rows for cell in row}
    return tuple(word for word in CELLS if word in used and word not in UNSAID)


def glyph(cell: str, *, unicode: bool) -> str:
    """One cell; counts are digits."""
    pair = GLYPHS.get(cell)
    if pair is None:
        return cell if cell.isdigit() else "?"
    return pair[0] if unicode else pair[1]


def grid_lines(grid: Grid, style: Style) -> list[str]:
    """A drawing, with its caption above and what the cells mean below."""
    label = max((cells(style.ours(name)) for name, _ in grid.rows), default=0)
    start = INDENT + " " * (label + 2 if label else 0)
    wide = max((len(c) for _, row in grid.rows for c in row if c.isdigit()), default=1)
    room = max((style.width - len(start)) // (wide + 1), 1)
    out = ["", *wrapped(style.ours(grid.caption), style.width, INDENT)]
    for name, row in grid.rows:
        shown = row if len(row) <= room else (*row[: room - 1], "more")
        drawn = " ".join(glyph(cell, unicode=style.unicode).rjust(wide) for cell in shown)
        head = INDENT + (style.ours(name).rjust(label) + "  " if label else "")
        out.append((head + drawn).rstrip())
    said = [f"{glyph(word, unicode=style.unicode)} {CELLS[word]}" for word in legend(grid)]
    return out + ([style.paint(line, "dim") for line in wrapped("   ".join(said), style.width, INDENT)] if said else [])


def derivation_lines(block: Derivation, style: Style, foreign: int) -> list[str]:
    """A title, and its statements: the arithmetic on the same line where it fits, else on one of its own."""
    out = ["", style.paint(style.line(block.title, foreign), "title")]
    for one in block.statements:
        text = style.line(tuple(spelled_out(span, style) for span in one.line), foreign)
        sum_ = style.ours(arithmetic(one.arithmetic, unicode=style.unicode))
        together = INDENT + text + (f" {sum_}" if sum_ else "")
        if any(isinstance(span, Text) for span in one.line):
            out.append(together)
        elif cells(together) <= style.width or not sum_:
            out += wrapped(together.strip(), style.width, INDENT)
        else:
            out += wrapped(text, style.width, INDENT)
            out += wrapped(sum_, style.width, INDENT * 2)
    return out


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """Lines of at most `width` columns, broken at spaces, all indented."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and cells(indent + lines[-1]) + 1 + cells(word) > width:
            lines.append(word)
        else:
            lines[-1] += (" " if lines[-1] else "") + word
    return [indent + line for line in lines]


def grid_text(grid: Grid) -> Sequence[str]:
    """A drawing as plain lines: what Markdown and a page hold in a block of code."""
    return grid_lines(grid, Style(width=100))[2:]
