"""A report as a picture without strokes: headings, lines and tables. Terminal, Markdown and HTML only draw them."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, Self, TypeAlias

import msgspec

from convcost.record import Comparison, Model
from convcost.report.text import Line, Text


class Amount(str):
    """A figure as people read it, which knows all of its digits. `unit` is B, ns, or nothing for a count."""

    __slots__ = ("unit", "value")

    value: int
    unit: str

    def __new__(cls, text: str, value: int, unit: str = "") -> Self:
        """`text` for `value`."""
        made = super().__new__(cls, text)
        made.value = value
        made.unit = unit
        return made


class Bar(msgspec.Struct, frozen=True):
    """Part of a whole, from 0 to 1, drawn as a length."""

    part: Fraction


class Tree(msgspec.Struct, frozen=True):
    """A name behind the guides that show where it hangs in a tree."""

    guides: str
    name: Text


Cell: TypeAlias = str | Text | Bar | Tree


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a table. Where a row is too narrow, the column of the highest `drop` goes first; 0 stays.

    `words` columns hold text and may be shortened down to `least` columns; the others hold numbers, which never are.
    """

    key: str
    title: str
    right: bool = True
    drop: int = 0
    words: bool = False
    least: int = 8


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under columns, and totals. The first cell of a row is never foreign text.

    `hint` names the options that show columns which do not fit. Where each row is a layer of a model or a way of a
    comparison, and its first cell says which, that is what the table is `about`: a page draws charts beside it.
    """

    title: Line
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[tuple[Cell, ...], ...] = ()
    note: str = ""
    hint: str = "--width"
    about: Model | Comparison | None = None


class Paragraph(msgspec.Struct, frozen=True):
    """Lines with one role: `plain`, `note`, `warning`, `dim`. A line never begins with foreign text."""

    lines: tuple[Line, ...]
    role: Literal["plain", "note", "warning", "error", "dim"] = "plain"


class Heading(msgspec.Struct, frozen=True):
    """What the following blocks are about."""

    line: Line


class Facts(msgspec.Struct, frozen=True):
    """Short statements that belong together. One of our own opens them. `about`: they are a model's headline."""

    items: tuple[Line, ...]
    about: Model | None = None


class Statement(msgspec.Struct, frozen=True):
    """A sentence, and the arithmetic that it ends in. The sentence never begins with foreign text."""

    line: Line
    arithmetic: str = ""


class Derivation(msgspec.Struct, frozen=True):
    """Statements under a small title of ours, perhaps with a foreign name behind it."""

    title: Line
    statements: tuple[Statement, ...]
    note: bool = False


class Grid(msgspec.Struct, frozen=True):
    """A drawing: rows of cells, which are words of `record.CELLS` or counts, each row with a label of ours."""

    caption: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]


class Fold(msgspec.Struct, frozen=True):
    """Blocks that a page may hide until somebody asks for them, under a title of ours."""

    title: str
    blocks: tuple[Heading | Facts | Paragraph | Table, ...]


Block: TypeAlias = Heading | Facts | Paragraph | Table | Derivation | Grid | Fold
