"""Tokens to the syntax tree, by recursive descent with one token of lookahead."""

from __future__ import annotations

import itertools
from typing import Final

from convcost.notation.faults import Edit, Fault
from convcost.notation.grammar import unexpected as faulty
from convcost.notation.grammar.cursor import Cursor, closest
from convcost.notation.grammar.options import NAMES, OF_STEP, TWIN_NAMES
from convcost.notation.grammar.syntax import Branches, Conv, Link, Program, Shape, Step
from convcost.notation.grammar.tokens import (
    ARROW,
    BAD,
    CROSS,
    DASH,
    END,
    MAX_CHARACTERS,
    NUMBER,
    WORD,
    Token,
)

MAX_DEPTH: Final = 8
"""Branches inside branches."""

ARGUMENTS: Final = {
    "maxpool": "the window",
    "avgpool": "the window",
    "fc": "the number of outputs",
    "up": "the factor",
}
"""Steps with numbers after their name, and what those are."""

A_STEP: Final = "a step such as -(3x3x3x8)->, or the end"


def syntax(text: str) -> Program:
    """The tree of `text`, or a Fault at the first place where it cannot go on."""
    if len(text) > MAX_CHARACTERS or (
        not text.isascii() and len(text.encode("utf-8", "surrogatepass")) > MAX_CHARACTERS
    ):
        cut = min(MAX_CHARACTERS, len(text))
        raise Fault("C106", f"a shape string is at most {MAX_CHARACTERS:,} bytes long", (cut, cut))
    return Parser(text).program()


class Parser(Cursor):
    """Recursive descent: a method a rule of the grammar."""

    __slots__ = ("depth",)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def program(self) -> Program:
        """A tensor and the steps after it."""
        if self.next.kind == END:
            end = len(self.text)
            raise Fault("C109", "the shape string is empty", (end, end), advice="write for example 12x12x3,k5,c256")
        source = self.shape()
        if self.next.kind == END:
            raise faulty.bare(source.values, source.end)
        if self.next.kind == ",":
            links: tuple[Link, ...] = (self.twin(source),)
        else:
            links = self.links(source)
        if self.next.kind != END:
            raise faulty.unexpected(self.text, self.next, "the end")
        return Program(self.text, source, links)

    def links(self, source: Shape) -> tuple[Link, ...]:
        """Steps up to the end of the text."""
        out: list[Link] = []
        while self.next.kind != END:
            step = self.step(source if not out else None)
            self.arrow()
            out.append(Link(step, self.shape() if self.next.kind == NUMBER else None))
            if out[-1].output is None and self.next.kind == BAD:
                raise faulty.not_a_number(self.text, self.next, "a size")
        return tuple(out)

    def step(self, first: Shape | None = None) -> Conv | Step | Branches:
        """`-( … )` or `-{ … }` without its arrow; the dash may be left out."""
        dashed = self.next.kind == DASH
        if dashed:
            self.at += 1
        token = self.next
        if token.kind == "(":
            return self.content()
        if token.kind == "{":
            return self.branches()
        text = self.text
        if token.kind == END and first is not None:
            fault = faulty.bare(first.values, token.start)
            raise Fault(
                "C105",
                "expected ( and a kernel after the dash, but the text ends here",
                fault.span,
                advice=fault.advice,
            )
        if token.kind == ARROW:
            raise Fault(
                "C103",
                "expected a kernel in parentheses before the arrow, as in -(5x5x3x256)->",
                (token.start, token.end),
                fixes=(((token.start, len(text), ""),),),
            )
        if dashed:
            fixes = (faulty.undoubled(text),) if token.kind == DASH else (((token.start, token.start, "("),),)
            raise faulty.unexpected(text, token, "( and a kernel", fixes=fixes)
        twin: tuple[Edit, ...] = ((0, len(text), ",".join(text.split())),)
        raise faulty.unexpected(text, token, A_STEP, fixes=(twin,))

    def arrow(self) -> None:
        token = self.next
        if token.kind == ARROW:
            self.at += 1
            return
        end = self.last_end
        fixes: tuple[tuple[Edit, ...], ...] = (((end, end, "->"),), ((end, token.end, "->"),))
        if token.kind == DASH:
            fixes = (faulty.undoubled(self.text), ((end, token.end, "->"),))
            if self.tokens[self.at + 1].kind == BAD:
                token = self.tokens[self.at + 1]
        raise faulty.unexpected(self.text, token, "an arrow ->", fixes=fixes)

    def content(self) -> Conv | Step:
        """What stands in parentheses: a kernel or the name of a step, and options."""
        self.at += 1
        token = self.next
        start = token.start
        if token.kind == WORD:
            return self.named(token)
        if token.kind == END:
            raise faulty.unexpected(self.text, token, "a kernel such as 5x5x3x256")
        if token.kind != NUMBER:
            raise faulty.unexpected(self.text, token, "a number: a kernel such as 5x5x3x256")
        kernel = self.shape()
        options = self.options(NAMES)
        return Conv(start, self.close(), kernel, options)

    def named(self, token: Token) -> Step:
        word = self.word(token)
        if word not in OF_STEP:
            known = ", ".join(OF_STEP)
            message = f"unknown step '{word[:24]}': expected a kernel such as 5x5x3x256, or one of {known}"
            fixes = self.option_first(token) if word in NAMES else closest(word, token, tuple(OF_STEP))
            raise Fault("C120", message, (token.start, token.end), fixes=fixes)
        self.at += 1
        arguments = None
        if word in ARGUMENTS:
            arguments = self.shape(ARGUMENTS[word])
        options = self.options(NAMES)
        return Step(token.start, self.close(), word, token.end, arguments, options)

    def option_first(self, token: Token) -> tuple[tuple[Edit, ...], ...]:
        """The correction of an option that stands before its kernel: `(sep 5x5x3x256)`."""
        kernel = [*itertools.takewhile(lambda one: one.kind in (NUMBER, CROSS), self.tokens[self.at + 1 :])]
        if not kernel:
            return ()
        end = kernel[-1].end
        return (((token.start, kernel[0].start, ""), (end, end, " " + self.word(token))),)

    def close(self) -> int:
        """The closing parenthesis; where the content before it ended."""
        end = self.last_end
        if self.next.kind != ")":
            raise faulty.unexpected(self.text, self.next, "an option or )", fixes=(((end, end, ")"),),))
        self.at += 1
        return end

    def branches(self) -> Branches:
        """`{ branch | branch }` or `{ branch + branch }`."""
        opening = self.next
        self.at += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Fault("C107", f"branches are nested deeper than {MAX_DEPTH}", (opening.start, opening.end))
        out = [self.branch()]
        joiner = ""
        while self.next.kind in ("|", "+"):
            token = self.next
            if joiner and token.kind != joiner:
                message = "| joins along channels and + adds: use one of them between the same braces"
                raise Fault("C108", message, (token.start, token.end), fixes=(((token.start, token.end, joiner),),))
            joiner = token.kind
            self.at += 1
            out.append(self.branch())
        if self.next.kind != "}":
            raise faulty.unexpected(self.text, self.next, "|, + or }", fixes=(((self.last_end, self.last_end, " }"),),))
        if len(out) == 1:
            message = "branches need at least two chains, with | or + between them"
            raise Fault("C108", message, (self.next.start, self.next.end))
        self.at += 1
        self.depth -= 1
        return Branches(opening.start, self.last_end, joiner, tuple(out))

    def branch(self) -> tuple[Link, ...]:
        """A chain inside braces; the arrow after its last step may be left out."""
        out: list[Link] = []
        while True:
            step = self.step()
            if self.next.kind != ARROW:
                out.append(Link(step, None))
                return tuple(out)
            self.at += 1
            out.append(Link(step, self.shape() if self.next.kind == NUMBER else None))
            if self.next.kind in ("|", "+", "}"):
                return tuple(out)

    def twin(self, source: Shape) -> Link:
        """The options of the shell-safe twin as a convolution without a declared output."""
        start = self.next.start
        given = self.options(TWIN_NAMES, commas=True)
        by_name = {o.name: o for o in given}
        kernel = by_name.get("kernel")
        if kernel is None and len(source.numbers) > 1:
            raise Fault("C124", "the kernel is missing: expected k and its size, such as k5", (start, self.last_end))
        if not {"channels", "dw"} & by_name.keys():
            message = "the output channels are missing: expected c and their number, such as c256"
            raise Fault("C124", message, (start, self.last_end))
        values = kernel.values if kernel else ()
        span = kernel.value_span if kernel else (start, start)
        return Link(Conv(start, self.last_end, Shape(*span, values), given, twin=True), None)
