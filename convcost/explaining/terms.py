"""Equations: terms, their exact values, and how they print."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor

from convcost import units
from convcost.record import Equation, Term

LOOSE, TIGHT = 0, 1
"""How strongly a printed term holds together: a sum, and everything else."""


def number(value: int, name: str = "") -> Term:
    """A whole number, and what it stands for."""
    return Term(op="number", value=value, name=name)


def times(*factors: Term | int) -> Term:
    """A product; one factor is itself."""
    return joined("product", factors)


def plus(*terms: Term | int) -> Term:
    """A sum; one term is itself."""
    return joined("sum", terms)


def minus(*terms: Term | int) -> Term:
    """The first term without the others."""
    return joined("difference", terms)


def over(top: Term | int, bottom: Term | int) -> Term:
    """A quotient."""
    return joined("quotient", (top, bottom))


def floored(term: Term) -> Term:
    """The largest whole number not above."""
    return Term(op="floor", of=[term])


def ceiled(term: Term) -> Term:
    """The smallest whole number not below."""
    return Term(op="ceil", of=[term])


def joined(op: str, parts: Iterable[Term | int]) -> Term:
    """An operation on terms and plain numbers."""
    terms = [number(part) if isinstance(part, int) else part for part in parts]
    return terms[0] if len(terms) == 1 else Term(op=op, of=terms)  # type: ignore[arg-type]


def fraction(value: Fraction) -> Term:
    """A whole number, or a quotient of two."""
    return number(value.numerator) if value.denominator == 1 else over(value.numerator, value.denominator)


def value_of(term: Term) -> Fraction:
    """The exact value."""
    if term.op == "number":
        return Fraction(term.value or 0)
    parts = [value_of(part) for part in term.of]
    match term.op:
        case "floor":
            return Fraction(floor(parts[0]))
        case "ceil":
            return Fraction(ceil(parts[0]))
        case "quotient":
            return parts[0] / parts[1]
        case "sum":
            return sum(parts, Fraction(0))
        case "difference":
            return parts[0] - sum(parts[1:], Fraction(0))
        case _:
            out = Fraction(1)
            for part in parts:
                out *= part
            return out


def text_of(term: Term, around: int = LOOSE) -> str:
    """How a term prints inside one that holds as strongly as `around`."""
    match term.op:
        case "number":
            return units.exact(term.value)
        case "floor" | "ceil":
            return f"{term.op}({text_of(term.of[0])})"
        case "product":
            return "·".join(text_of(part, TIGHT) if part.op != "quotient" else f"({text_of(part)})" for part in term.of)
        case "quotient":
            return " / ".join(
                text_of(part, TIGHT) if part.op != "product" else f"({text_of(part)})" for part in term.of
            )
        case _:
            first, *others = term.of
            sign = " + " if term.op == "sum" else " − "
            inner = LOOSE if term.op == "sum" else TIGHT
            parts = [text_of(first), *(text_of(part, inner) for part in others)]
            text = sign.join(parts)
            return f"({text})" if around == TIGHT else text


READABLE = 100_000
"""A fraction with a larger denominator says nothing beside its per cent."""


def equation(*sides: Term, unit: str = "", percent: bool = False) -> Equation:
    """The sides, and their value where the last is not a number already; a fraction also rounded, or as per cent.

    Raises ValueError where sides differ: what is printed is true.
    """
    values = {value_of(side) for side in sides}
    if len(values) > 1:
        raise ValueError(f"not equal: {' = '.join(map(text_of, sides))}")
    (value,) = values
    result = fraction(value)
    shown = list(sides)
    plain = sides[-1].op == "number" or text_of(sides[-1]) == text_of(result)
    if not plain and not (percent and value.denominator > READABLE):
        shown.append(result)
    about = ""
    if percent or value.denominator != 1:
        rounded = Fraction(units.decimal(value * 100, 2).replace(",", "")) / 100
        about = f"{units.decimal(value * 100, 2)} %" if percent else units.significant(value, 3)
        exact = rounded == value if percent else Fraction(about.replace(",", "")) == value
        about = f"{'=' if exact else '≈'} {about}"
    if about and not percent:
        shown = shown[:-1] if len(shown) > 1 and shown[-1].op == "quotient" and shown[-1] is not sides[-1] else shown
    text = " ".join(part for part in (" = ".join(map(text_of, shown)), about, unit) if part)
    return Equation(text=text, sides=shown, about=about[2:], unit=unit)
