"""Tokens to the syntax tree, by recursive descent with one token of lookahead."""

from __future__ import annotations

from typing import Final

from convcost.notation import diagnose
from convcost.notation.faults import Edit, Fault
from convcost.notation.options import FROM_ZERO, NAMES, OF_STEP, ONE, SEVERAL, TWIN_NAMES
from convcost.notation.syntax import Branches, Conv, Link, Number, Option, Program, Shape, Step
from convcost.notation.tokens import (
    ARROW,
    BAD,
    CROSS,
    DASH,
    END,
    MAX_CHARACTERS,
    MAX_NUMBER,
    NUMBER,
    WORD,
    Token,
    tokens,
)

MAX_DEPTH: Final = 8
"""Branches inside branches."""

A_STEP: Final = "a step such as -(3x3x3x8)->, or the end"


def syntax(text: str) -> Program:
    """The tree of `text`, or a Fault at the first place where it cannot go on."""
    if len(text) > MAX_CHARACTERS or (
        not text.isascii() and len(text.encode("utf-8", "surrogatepass")) > MAX_CHARACTERS
    ):
        cut = min(MAX_CHARACTERS, len(text))
        raise Fault("C106", f"a shape string is at most {MAX_CHARACTERS:,} bytes long", (cut, cut))
    return Parser(text).program()


class Parser:
    """The state of one parse: the tokens and how many are read."""

    __slots__ = ("at", "depth", "text", "tokens")

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    @property
    def last_end(self) -> int:
        return self.tokens[self.at - 1].end if self.at else 0

    def word(self, token: Token) -> str:
        return self.text[token.start : token.end]

    def program(self) -> Program:
        """A tensor and the steps after it."""
        if self.next.kind == END:
            end = len(self.text)
            raise Fault("C101", "the shape string is empty", (end, end), advice="write for example 12x12x3,k5,c256")
        source = self.shape()
        if self.next.kind == END:
            raise diagnose.bare(source.values, source.end)
        if self.next.kind == ",":
            links: tuple[Link, ...] = (self.twin(source),)
        else:
            links = self.links(source)
        if self.next.kind != END:
            raise diagnose.unexpected(self.text, self.next, "the end")
        return Program(self.text, source, links)

    def links(self, source: Shape) -> tuple[Link, ...]:
        """Steps up to the end of the text."""
        out: list[Link] = []
        while self.next.kind != END:
            step = self.step(source if not out else None)
            self.arrow()
            out.append(Link(step, self.shape() if self.next.kind == NUMBER else None))
            if out[-1].output is None and self.next.kind == BAD:
                raise diagnose.not_a_number(self.text, self.next, "a size")
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
            fault = diagnose.bare(first.values, token.start)
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
            )
        if dashed:
            fixes = (diagnose.undoubled(text),) if token.kind == DASH else (((token.start, token.start, "("),),)
            raise diagnose.unexpected(text, token, "( and a kernel", fixes=fixes)
        raise diagnose.unexpected(text, token, A_STEP)

    def arrow(self) -> None:
        token = self.next
        if token.kind == ARROW:
            self.at += 1
            return
        end = self.last_end
        fixes: tuple[tuple[Edit, ...], ...] = (((end, end, "->"),), ((end, token.end, "->"),))
        if token.kind == DASH:
            fixes = (diagnose.undoubled(self.text), ((end, token.end, "->"),))
            if self.tokens[self.at + 1].kind == BAD:
                token = self.tokens[self.at + 1]
        raise diagnose.unexpected(self.text, token, "an arrow ->", fixes=fixes)

    def content(self) -> Conv | Step:
        """What stands in parentheses: a kernel or the name of a step, and options."""
        self.at += 1
        token = self.next
        start = token.start
        if token.kind == WORD:
            return self.named(token)
        if token.kind == END:
            raise diagnose.unexpected(self.text, token, "a kernel such as 5x5x3x256")
        if token.kind != NUMBER:
            raise diagnose.unexpected(self.text, token, "a number: a kernel such as 5x5x3x256")
        kernel = self.shape()
        options = self.options(NAMES)
        return Conv(start, self.close(), kernel, options)

    def named(self, token: Token) -> Step:
        word = self.word(token)
        if word not in OF_STEP:
            known = ", ".join(OF_STEP)
            message = f"unknown step '{word[:24]}': expected a kernel such as 5x5x3x256, or one of {known}"
            raise Fault("C120", message, (token.start, token.end), fixes=_closest(word, token, tuple(OF_STEP)))
        self.at += 1
        arguments = None
        if word in ("maxpool", "avgpool", "fc"):
            arguments = self.shape("the number of outputs" if word == "fc" else "the window")
        options = self.options(NAMES)
        return Step(token.start, self.close(), word, token.end, arguments, options)

    def close(self) -> int:
        """The closing parenthesis; where the content before it ended."""
        end = self.last_end
        if self.next.kind != ")":
            raise diagnose.unexpected(self.text, self.next, "an option or )", fixes=(((end, end, ")"),),))
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
            raise diagnose.unexpected(
                self.text, self.next, "|, + or }", fixes=(((self.last_end, self.last_end, " }"),),)
            )
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

    def options(self, names: dict[str, str], *, commas: bool = False) -> tuple[Option, ...]:
        """Options separated by spaces or one comma (in the twin: always a comma)."""
        out: list[Option] = []
        while True:
            lead = self.last_end
            token = self.next
            if token.kind == ",":
                self.at += 1
                token = self.next
                if token.kind != WORD:
                    raise self.no_option(source=commas and not out)
            elif token.kind != WORD or commas:
                return tuple(out)
            out.append(self.option(names, lead))

    def no_option(self, *, source: bool) -> Fault:
        """What stands after a comma is no option; `source`: that comma follows the first tensor."""
        token, comma = self.next, self.tokens[self.at - 1]
        if source and token.kind == NUMBER:
            message = "expected an option such as k5 after the comma; sizes are separated by x, as in 12x12x3"
            return Fault("C103", message, (token.start, token.end))
        fixes = (((comma.start, comma.end, ""),),)
        return diagnose.unexpected(self.text, token, "an option after the comma", fixes=fixes)

    def option(self, names: dict[str, str], lead: int) -> Option:
        """One option and its values."""
        token = self.next
        word = self.word(token)
        name = names.get(word)
        if name is None:
            raise Fault(
                "C120",
                f"unknown option '{word[:24]}'",
                (token.start, token.end),
                advice="options are " + ", ".join(names),
                fixes=_closest(word, token, tuple(names)),
            )
        self.at += 1
        equals = self.next.kind == "="
        if equals:
            self.at += 1
        many = name in SEVERAL
        valued = many or name in ONE or (name == "dw" and (equals or self.next.kind == NUMBER))
        if not valued:
            if equals or self.next.kind == NUMBER:
                at = self.tokens[self.at - 1] if equals else self.next
                raise Fault("C121", f"the option {word} takes no value", (at.start, self.next.end))
            return Option(token.start, token.end, name, lead)
        least = 0 if name in FROM_ZERO else 1
        values = [self.number(name, least)]
        slashed = name == "pad" and self.next.kind == "/"
        separator = "/" if slashed else CROSS
        while many and self.next.kind == separator:
            self.at += 1
            values.append(self.number(name, least))
        return Option(token.start, token.end, name, lead, tuple(values), slashed)

    def shape(self, what: str = "a size") -> Shape:
        """Numbers with `x` between them."""
        first = self.number(what, 1)
        numbers = [first]
        while self.next.kind == CROSS:
            self.at += 1
            numbers.append(self.number(what, 1))
        return Shape(first.start, numbers[-1].end, tuple(numbers))

    def number(self, what: str, least: int) -> Number:
        """A number from `least` to 2^63-1."""
        token = self.next
        if token.kind != NUMBER:
            raise diagnose.not_a_number(self.text, token, what)
        following = self.tokens[self.at + 1]
        if following.kind == WORD and following.start == token.end:
            raise diagnose.glued(self.text, token, self.tokens[self.at + 1 : self.at + 8])
        if token.value < 0:
            message = f"{what}: the number is too large, the limit is {MAX_NUMBER} (2^63-1)"
            raise Fault("C113", message, (token.start, token.end))
        if token.value < least:
            message = f"{what} must be at least 1, not zero"
            raise Fault("C112", message, (token.start, token.end), fixes=(((token.start, token.end, "1"),),))
        self.at += 1
        return Number(token.start, token.end, token.value)


def _closest(word: str, token: Token, names: tuple[str, ...]) -> tuple[tuple[Edit, ...], ...]:
    """Corrections of a misspelt name."""
    from difflib import get_close_matches  # noqa: PLC0415 - only failures need it

    folded = [n for n in names if n.lower() == word.lower()]
    near = folded or get_close_matches(word[:40], names, n=2, cutoff=0.6)
    return tuple(((token.start, token.end, name),) for name in near)
