"""The syntax tree of a shape string: immutable, every part with its half-open span of code points.

    program  = shape links | shape twin
    links    = { step arrow [shape] }
    step     = [dash] "(" content ")"  |  [dash] "{" branch { "|" branch } "}"  |  [dash] "{" branch { "+" branch } "}"
    branch   = [dash] "(" content ")" { arrow [shape] [dash] "(" content ")" } [ arrow [shape] ]
    content  = kernel options  |  word [numbers] options
    options  = { [","] name [ ["="] numbers ] }
    twin     = { "," option }
    shape    = number { "x" number }

A branch may hold branches in the same way that a chain does.
"""

from __future__ import annotations

import msgspec

from convcost.notation.faults import Span


class Part(msgspec.Struct, frozen=True, gc=False):
    """Something at text[start:end]."""

    start: int
    end: int

    @property
    def span(self) -> Span:
        return self.start, self.end


class Number(Part, frozen=True, gc=False):
    """A decimal integer from 0 to 2^63-1."""

    value: int


class Shape(Part, frozen=True):
    """Numbers joined by `x`: a tensor HxWxC, a kernel KHxKWxCINxCOUT, the sizes of a pooling window."""

    numbers: tuple[Number, ...]

    @property
    def values(self) -> tuple[int, ...]:
        return tuple([n.value for n in self.numbers])


class Option(Part, frozen=True):
    """An option by its long name. start:end is the name as written; `slashed` for values like `0/1/2/1`.

    `lead` is where the text before it ends, so that taking it out takes its comma and spaces along.
    """

    name: str
    lead: int
    values: tuple[Number, ...] = ()
    slashed: bool = False

    @property
    def value_span(self) -> Span:
        """The values, or the name where there are none."""
        return (self.values[0].start, self.values[-1].end) if self.values else self.span

    @property
    def whole(self) -> Span:
        """Name and values."""
        return self.start, max(self.end, self.value_span[1])


class Conv(Part, frozen=True):
    """A convolution or a dense layer; start:end is the content of the parentheses. A twin's kernel has sizes only."""

    kernel: Shape
    options: tuple[Option, ...]
    twin: bool = False


class Step(Part, frozen=True):
    """Any other step: `word` is its name."""

    word: str
    word_end: int
    arguments: Shape | None
    options: tuple[Option, ...]


class Branches(Part, frozen=True):
    """Chains side by side from the same tensor; joined along channels (`|`) or added (`+`)."""

    joiner: str
    branches: tuple[tuple[Link, ...], ...]


class Link(msgspec.Struct, frozen=True):
    """One step and the shape declared after it."""

    step: Conv | Step | Branches
    output: Shape | None


class Program(msgspec.Struct, frozen=True):
    """A whole shape string."""

    text: str
    source: Shape
    links: tuple[Link, ...]
