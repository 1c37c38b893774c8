"""An evaluator of printed arithmetic that shares nothing with the code that prints it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest

from convcost.record import Explanation, Report

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
UNIT = re.compile(r" (?!%)[A-Za-z][A-Za-z/ -]*$")


def value(text: str) -> Fraction:
    """The value of one side: numbers, + − · / and parentheses, floor, ceil, per cent."""
    code = NUMBER.sub(lambda m: f"F('{m[0].replace(',', '')}')", text.replace("·", "*").replace("−", "-"))
    code = code.replace(" %", "*F(1, 100)")
    names = {"F": Fraction, "floor": lambda x: Fraction(math.floor(x)), "ceil": lambda x: Fraction(math.ceil(x))}
    out = eval(code, {"__builtins__": {}}, names)
    assert isinstance(out, Fraction)
    return out


def last_place(text: str) -> Fraction:
    """Half a unit of the last digit that is printed."""
    found = NUMBER.search(text)
    assert found is not None
    places = len(found[0].partition(".")[2])
    unit = Fraction(1, 2 * 10**places)
    return unit / 100 if "%" in text else unit


def check(text: str) -> Fraction:
    """Assert that a printed equation is true; returns its value."""
    sides = re.split(r" ([=≈]) ", UNIT.sub("", text))
    first = value(sides[0])
    for sign, side in zip(sides[1::2], sides[2::2], strict=True):
        if sign == "=":
            assert value(side) == first, text
        else:
            assert value(side) != first, f"exact, but printed as rounded: {text}"
            assert abs(value(side) - first) <= last_place(side), text
    return first


def equations(explanation: Explanation) -> Iterator[tuple[str, str, str]]:
    """(title of the section, sentence, arithmetic)."""
    for section in explanation.sections:
        for sentence in section.sentences:
            if sentence.equation is not None:
                yield section.title, sentence.text, sentence.equation.text


@pytest.fixture(scope="session")
def true() -> Callable[[str], Fraction]:
    """Checks one printed equation."""
    return check


@pytest.fixture(scope="session")
def all_true() -> Callable[[Report], int]:
    """Checks every equation of a report; returns how many there are."""

    def run(report: Report) -> int:
        found = [text for explanation in report.explanations for _, _, text in equations(explanation)]
        for text in found:
            check(text)
        return len(found)

    return run


@pytest.fixture(scope="session")
def found() -> Callable[[Report], list[tuple[str, str, str]]]:
    """Every equation of a report, with its section and sentence."""
    return lambda report: [one for explanation in report.explanations for one in equations(explanation)]
