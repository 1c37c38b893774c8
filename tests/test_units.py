"""How quantities print."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost import units


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 K"),
        (1_228_800, "1.23 M"),
        (999_499, "999 K"),
        (999_500, "1.00 M"),
        (4_089_184_256, "4.09 G"),
        (-1500, "-1.50 K"),
        (None, "?"),
        (10**36, "1.00e36"),
    ],
)
def test_si(n: int | None, text: str) -> None:
    assert units.si(n) == text


@pytest.mark.parametrize(("n", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (102_228_128, "97.5 MiB")])
def test_size(n: int, text: str) -> None:
    assert units.size(n) == text


def test_the_articles_ratio() -> None:
    """1,228,800 against 53,952 multiplications: 22.8 times as many, 4.39 percent."""
    assert units.ratio(53_952, 1_228_800) == "22.8×"
    assert units.percent(53_952, 1_228_800, 2) == "4.39 %"


@pytest.mark.parametrize(
    ("ns", "text"), [(0, "0 ns"), (999, "999 ns"), (1500, "1.50 µs"), (2_345_678, "2.35 ms"), (61 * 10**9, "61.0 s")]
)
def test_duration(ns: int, text: str) -> None:
    assert units.duration(ns) == text


@given(st.integers(0, 10**45))
def test_si_is_within_half_a_unit_of_the_third_digit(n: int) -> None:
    number, _, prefix = units.si(n).partition(" ")
    shown = Fraction(number.replace(",", "")) * 1000 ** units.SI.index(prefix)
    assert abs(shown - n) * 200 <= max(shown, n)


def test_unknown_is_not_zero() -> None:
    assert units.exact(None) == "?"
    assert units.exact(0) == "0"
    assert units.percent(1, 0) == "?"


@pytest.mark.parametrize(("n", "text"), [(10**33, "1.00e33"), (9996 * 10**32, "1.00e36"), (-(10**40), "-1.00e40")])
def test_beyond_the_largest_prefix_powers_of_ten(n: int, text: str) -> None:
    assert units.si(n) == text


def test_bytes_beyond_the_largest_prefix() -> None:
    assert units.size(5 * 10**30) == "5.00e30 B"
