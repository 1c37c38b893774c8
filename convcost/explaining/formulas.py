"""Formulas of the rules' own words, `B·H·S·T·(Dk + Dv)`, with the sizes of a layer put in for the letters."""

from __future__ import annotations

import re
from collections.abc import Mapping

from convcost.explaining.terms import minus, number, plus, times
from convcost.record import Term

TOKEN = re.compile(r"\s*(\d+|\|[a-z]\||[A-Z][a-z]?|[()+·-])")
DEEPEST = 8


class Unreadable(Exception):  # noqa: N818 - it never leaves this file
    """Text that is no formula, or has a letter whose size is not known."""


def formula(text: str, sizes: Mapping[str, int]) -> Term | None:
    """The formula as a term, or None where the text is none or a size is missing. `|y|` is a letter like others."""
    tokens = TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text) or not tokens:
        return None
    try:
        term, rest = total(tokens, sizes, 0)
    except (Unreadable, IndexError):
        return None
    return None if rest else term


def total(tokens: list[str], sizes: Mapping[str, int], depth: int) -> tuple[Term, list[str]]:
    """A sum or difference, and the tokens after it."""
    term, tokens = product(tokens, sizes, depth)
    while tokens and tokens[0] in "+-":
        join = plus if tokens[0] == "+" else minus
        other, tokens = product(tokens[1:], sizes, depth)
        term = join(term, other)
    return term, tokens


def product(tokens: list[str], sizes: Mapping[str, int], depth: int) -> tuple[Term, list[str]]:
    """A product, and the tokens after it."""
    factors = []
    while True:
        factor, tokens = atom(tokens, sizes, depth)
        factors.append(factor)
        if not tokens or tokens[0] != "·":
            return times(*factors), tokens
        tokens = tokens[1:]


def atom(tokens: list[str], sizes: Mapping[str, int], depth: int) -> tuple[Term, list[str]]:
    """A number, a letter or a sum in parentheses, and the tokens after it."""
    first, rest = tokens[0], tokens[1:]
    if first == "(":
        if depth >= DEEPEST:
            raise Unreadable
        term, rest = total(rest, sizes, depth + 1)
        if rest[0] != ")":
            raise Unreadable
        return term, rest[1:]
    if first.isdigit():
        return number(int(first)), rest
    if first not in sizes:
        raise Unreadable
    return number(sizes[first], first), rest
