"""The tokens being read, and what every part of the grammar needs: numbers, shapes, options."""

from __future__ import annotations

from convcost.notation.faults import Edit, Fault
from convcost.notation.grammar import unexpected as faulty
from convcost.notation.grammar.options import FROM_ZERO, ONE, SEVERAL
from convcost.notation.grammar.syntax import Number, Option, Shape
from convcost.notation.grammar.tokens import CROSS, MAX_NUMBER, NUMBER, WORD, Token, tokens


class Cursor:
    """The tokens of a text and how many of them are read."""

    __slots__ = ("at", "text", "tokens")

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    @property
    def last_end(self) -> int:
        return self.tokens[self.at - 1].end if self.at else 0

    def word(self, token: Token) -> str:
        return self.text[token.start : token.end]

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
        return faulty.unexpected(self.text, token, "an option after the comma", fixes=fixes)

    def bare_value(self, token: Token) -> tuple[tuple[Edit, ...], ...]:
        """The correction of an option's name whose value says it all: `padding=same`."""
        rest = self.tokens[self.at + 1 : self.at + 3]
        if [one.kind for one in rest] != ["=", WORD]:
            return ()
        return (((token.start, rest[1].start, ""),),)

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
                fixes=(*closest(word, token, tuple(names)), *self.bare_value(token)),
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
            raise faulty.not_a_number(self.text, token, what)
        following = self.tokens[self.at + 1]
        if following.kind == WORD and following.start == token.end:
            raise faulty.glued(self.text, token, self.tokens[self.at + 1 : self.at + 8])
        if token.value < 0:
            message = f"{what}: the number is too large, the limit is {MAX_NUMBER} (2^63-1)"
            raise Fault("C113", message, (token.start, token.end))
        if token.value < least:
            message = f"{what} must be at least 1, not zero"
            raise Fault("C112", message, (token.start, token.end), fixes=(((token.start, token.end, "1"),),))
        self.at += 1
        return Number(token.start, token.end, token.value)


def closest(word: str, token: Token, names: tuple[str, ...]) -> tuple[tuple[Edit, ...], ...]:
    """Corrections of a misspelt name."""
    from difflib import get_close_matches  # noqa: PLC0415 - only failures need it

    folded = [n for n in names if n.lower() == word.lower()]
    near = folded or get_close_matches(word[:40], names, n=2, cutoff=0.6)
    return tuple(((token.start, token.end, name),) for name in near)
