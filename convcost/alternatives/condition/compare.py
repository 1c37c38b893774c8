"""Operands and how two of them compare. Open (None) is what is not known."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import msgspec

from convcost.alternatives.condition.names import TEXTS, Facts, Value

Test = Callable[[Facts], bool | None]
Span = tuple[int, int]


class Operand(msgspec.Struct, frozen=True):
    """One side of a comparison: a fact by its name, or a value."""

    span: Span
    name: str = ""
    value: Value = None

    def of(self, facts: Facts) -> Value:
        """What it is for a layer."""
        return facts.get(self.name) if self.name else self.value

    @property
    def is_text(self) -> bool:
        """Whether it is compared as text."""
        return self.name in TEXTS if self.name else isinstance(self.value, str)


def either(values: list[bool | None]) -> bool | None:
    """True where one is, else open where one is."""
    return True if True in values else None if None in values else False


def opposite(value: bool | None) -> bool | None:  # noqa: FBT001 - the value itself
    """Open stays open."""
    return None if value is None else not value


def compared(left: Operand, sign: str, right: Operand) -> Test:
    """The comparison as a test."""

    def test(facts: Facts) -> bool | None:
        a, b = left.of(facts), right.of(facts)
        if a is None or b is None:
            return None
        if isinstance(a, int | Fraction) and isinstance(b, int | Fraction):
            return ordered(a, sign, b)
        return spelled(words(a), sign, words(b))

    return test


def ordered(a: int | Fraction, sign: str, b: int | Fraction) -> bool:
    """Two numbers."""
    match sign:
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case ">=":
            return a >= b
        case "!=":
            return a != b
        case _:
            return a == b


def words(value: Value) -> tuple[str, ...]:
    """The texts that a fact is."""
    return value if isinstance(value, tuple) else (str(value),)


def spelled(a: tuple[str, ...], sign: str, b: tuple[str, ...]) -> bool:
    """Two texts, or several of which one must fit."""
    if sign == "~":
        return any(fits(text, pattern) for text in a for pattern in b)
    return bool(set(a) & set(b)) == (sign != "!=")


def fits(text: str, pattern: str) -> bool:
    """Whether all of `text` fits a pattern of `*` and `?`; at most len(text) · len(pattern) steps."""
    at = here = 0
    star = mark = -1
    while at < len(text):
        if here < len(pattern) and pattern[here] == "*":
            star, mark = here, at
            here += 1
        elif here < len(pattern) and pattern[here] in ("?", text[at]):
            at += 1
            here += 1
        elif star >= 0:
            mark += 1
            at, here = mark, star + 1
        else:
            return False
    return pattern[here:].strip("*") == ""
