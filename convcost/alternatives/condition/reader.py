"""The grammar of conditions, read from left to right."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from fractions import Fraction

from convcost import units
from convcost.alternatives.condition.compare import Operand, Test, compared, either, opposite
from convcost.alternatives.condition.names import NAMES, TEXTS, WORDS
from convcost.alternatives.condition.tokens import SIGNS, Token, tokens, wrong
from convcost.errors import NotationError

DEEPEST = 64
"""Parentheses and negations inside one another."""


class Reader:
    """The pieces of a condition and how many of them are read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        """The piece that is to be read."""
        return self.tokens[self.at]

    def unexpected(self, wanted: str) -> NotationError:
        """Something else stands here than what is wanted."""
        token = self.next
        if token.kind == "end":
            return wrong(self.text, token.span, f"it ends where {wanted} is expected", "for instance kernel>=3")
        return wrong(self.text, token.span, f"expected {wanted} here")

    def took(self, word: str) -> bool:
        """Whether the next piece is this word, which is read then."""
        found = self.next.kind == "word" and self.next.text.lower() == word
        self.at += found
        return found

    def any_of(self) -> Test:
        """Parts with `or` between."""
        parts = [self.all_of()]
        while self.took("or"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else lambda facts: either([part(facts) for part in parts])

    def all_of(self) -> Test:
        """Parts with `and` between."""
        parts = [self.part()]
        while self.took("and"):
            parts.append(self.part())
        return parts[0] if len(parts) == 1 else lambda facts: opposite(either([opposite(p(facts)) for p in parts]))

    def part(self) -> Test:
        """A negation, parentheses or a comparison."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise wrong(self.text, self.next.span, f"nested more than {DEEPEST} deep")
        try:
            if self.took("not"):
                inner = self.part()
                return lambda facts: opposite(inner(facts))
            if self.next.kind != "(":
                return self.comparison()
            opened = self.next
            self.at += 1
            inside = self.any_of()
            if self.next.kind == "end":
                raise wrong(self.text, opened.span, "the parenthesis is not closed")
            if self.next.kind != ")":
                raise self.unexpected("'and', 'or' or ')'")
            self.at += 1
            return inside
        finally:
            self.depth -= 1

    def comparison(self) -> Test:
        """Operands with signs between."""
        left = self.operand()
        tests: list[Test] = []
        while self.next.kind in SIGNS:
            sign = self.next
            self.at += 1
            right = self.operand(left)
            self.check(left, sign, right)
            tests.append(compared(left, sign.kind, right))
            left = right
        if not tests:
            if left.name:
                said = f"'{self.text[left.span[0] : left.span[1]]}' is compared with nothing"
                example = "== standard" if left.name in TEXTS else ">= 3"
                raise wrong(self.text, left.span, said, f"for instance {left.name} {example}")
            raise self.unexpected("a comparison")
        return lambda facts: opposite(either([opposite(test(facts)) for test in tests]))

    def operand(self, left: Operand | None = None) -> Operand:
        """A name, a number or a text; a word after a name of text is a text."""
        token = self.next
        if token.kind not in ("word", "number", "text"):
            raise self.unexpected("a name or a number")
        self.at += 1
        if token.kind == "text" or (left is not None and left.name in TEXTS):
            return Operand(token.span, value=token.text)
        if token.kind == "number":
            return Operand(token.span, value=self.number(token))
        if token.text in NAMES:
            return Operand(token.span, name=token.text)
        follows = self.next.kind in SIGNS and self.tokens[self.at + 1].text in TEXTS
        if left is None and follows:
            return Operand(token.span, value=token.text)
        raise wrong(self.text, token.span, f"unknown name '{token.text[:60]}'", suggestion(token.text, NAMES))

    def number(self, token: Token) -> int | Fraction:
        """A number with its unit, exactly."""
        share = token.text.endswith("%")
        read = units.read(token.text.removesuffix("%"))
        if read is None or (share and read[1]):
            raise wrong(self.text, token.span, "not a number", "numbers look like 64, 0.1, 10%, 10M, 2GiB")
        value = read[0] / 100 if share else read[0]
        return int(value) if value.denominator == 1 else value

    def check(self, left: Operand, sign: Token, right: Operand) -> None:
        """Raise NotationError where two operands cannot be compared so."""
        if not left.name and not right.name:
            raise wrong(self.text, (left.span[0], right.span[1]), "a comparison needs a name", suggestion("", NAMES))
        if left.is_text != right.is_text:
            named = left if left.name else right
            other = right if left.name else left
            what = "a text" if named.is_text else "a number"
            raise wrong(self.text, other.span, f"'{named.name}' is {what}, this is not")
        if sign.kind == "~" and not left.is_text:
            raise wrong(self.text, sign.span, "'~' compares text; numbers have <, <=, ==, !=, >=, >")
        if left.is_text and sign.kind in ("<", "<=", ">", ">="):
            raise wrong(self.text, sign.span, f"'{sign.text}' compares numbers; text has ==, != and ~")
        for named, other in ((left, right), (right, left)):
            word = other.value
            if named.name == "kind" and sign.kind != "~" and isinstance(word, str) and word not in WORDS:
                raise wrong(self.text, other.span, f"unknown kind '{word[:60]}'", suggestion(word, WORDS))


def suggestion(word: str, known: Mapping[str, str] | frozenset[str]) -> str:
    """The nearest name, or all of them."""
    near = difflib.get_close_matches(word[:60].lower(), known, 1, 0.6)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
