"""An explanation: sections of sentences, equations whose terms are typed, and drawings made of cells."""

from __future__ import annotations

from typing import Literal

from convcost.record.cost import Record

TermOp = Literal["number", "sum", "difference", "product", "quotient", "floor", "ceil"]


class Term(Record, frozen=True):
    """A number, with what it stands for, or an operation on terms; `quotient` has two, `floor` and `ceil` one."""

    op: TermOp
    value: int | None = None
    name: str = ""
    of: list[Term] = []


class Equation(Record, frozen=True):
    """Sides that are equal, the last one the result; `about` is the result rounded, where it is not a whole number.

    `text` is the equation as it prints: `256·3·5·5·8·8 = 1,228,800 multiplications`.
    """

    text: str
    sides: list[Term]
    about: str = ""
    unit: str = ""


class Sentence(Record, frozen=True):
    """One statement; with an equation it ends in a colon. `spelled` is a shape string or a command that it names."""

    text: str
    equation: Equation | None = None
    spelled: str = ""


class DrawnRow(Record, frozen=True):
    """One row of a drawing. A cell is a word of `CELLS`, or a count in digits."""

    label: str
    cells: list[str]


CELLS = {
    "input": "input",
    "padding": "padding",
    "tap": "tap on the input",
    "tap_padding": "tap on padding",
    "hole": "hole between taps",
    "zero": "inserted zero",
    "tap_zero": "tap on an inserted zero",
    "output": "output",
    "now": "the output of this window",
    "write": "written by this input",
    "cut": "cut off by the padding",
    "blank": "",
    "more": "more",
}
"""Every word that a cell can be, and what it means."""


class Drawing(Record, frozen=True):
    """A grid of cells, cropped to what a page can hold."""

    caption: str
    rows: list[DrawnRow]


class Section(Record, frozen=True):
    """Sentences and drawings about one thing; `of` names a layer or another foreign thing behind the title.

    `note`: what is worth knowing beside the derivation.
    """

    title: str
    of: str = ""
    sentences: list[Sentence] = []
    drawings: list[Drawing] = []
    note: bool = False


class Explanation(Record, frozen=True):
    """What is explained, what sort of thing that is, and the explanation."""

    of: str
    topic: Literal["layer", "layers", "model", "code", "operator", "topics"]
    sections: list[Section]
