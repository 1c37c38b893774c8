"""Formulas in dimension symbols against the same arithmetic on numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import ShapeError, Unknown
from convcost.ir import Dim, ceildiv, floordiv, known, maximum, product, scaled, symbol, total
from convcost.ir.dim import Expr

H, W = symbol("H"), symbol("W")


def value(d: Dim, **numbers: int) -> int:
    """A polynomial's value, term by term."""
    if isinstance(d, int):
        return d
    out = 0
    for monomial, k in d.terms:
        out += k * math.prod(numbers[atom] ** power for atom, power in monomial)
    return out


@st.composite
def programs(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Steps that build a formula: an operation and a number, or a symbol for 0."""
    return draw(st.lists(st.tuples(st.sampled_from("+-*"), st.integers(-5, 5)), min_size=1, max_size=6))


@given(programs(), st.integers(0, 50), st.integers(0, 50))
def test_formulas_agree_with_numbers(steps: list[tuple[str, int]], h: int, w: int) -> None:
    formula: Dim = H
    number = h
    for i, (op, k) in enumerate(steps):
        other: Dim = k or (W if i % 2 else H)
        plain = k or (w if i % 2 else h)
        if op == "+":
            formula, number = formula + other, number + plain
        elif op == "-":
            formula, number = other - formula, plain - number
        else:
            formula, number = formula * other, number * plain
    assert value(formula, H=h, W=w) == number


def test_what_cancels_is_a_number() -> None:
    assert H - H == 0
    assert (H * W + 3) - H * W == 3
    assert isinstance((H + 1) - H, int)


@pytest.mark.parametrize(
    ("formula", "printed"),
    [
        (H * 442368, "442368*H"),
        (H * H * W - 1, "H^2*W - 1"),
        (floordiv(H + 1, 2), "floor((H + 1)/(2))"),
        (symbol("a b") * 2, "2*`a b`"),
        (-H + 2, "-H + 2"),
    ],
)
def test_printing(formula: Dim, printed: str) -> None:
    assert str(formula) == printed


def test_exact_division_cancels() -> None:
    assert (H * W * 6) // (H * 2) == W * 3
    assert (H * 4 + W * 8) // 4 == H + W * 2
    assert (H + W) // (H + W) == 1
    assert isinstance(H // 2, Expr)
    assert (H * 2) % 2 == 0


def test_comparisons_that_hold_for_every_size_are_answered_and_others_are_not_guessed() -> None:
    assert H + 1 > H
    assert H + W + 1 > 0
    assert not H < 0 - W - 1
    with pytest.raises(Unknown) as caught:
        _ = H > 3
    assert caught.value.needs == ("H",)


def test_helpers() -> None:
    assert ceildiv(7, 2) == 4
    assert scaled(10, Fraction(5, 4)) == 12
    assert product((2, H, 3)) == H * 6
    assert str(maximum(H, W)) == "max(H, W)"
    assert maximum(H + 1, H) == H + 1
    with pytest.raises(ShapeError):
        floordiv(H, 0)
    with pytest.raises(Unknown, match="the size is H"):
        known(H, "the size")


def test_a_formula_that_grows_without_end_becomes_unknown() -> None:
    with pytest.raises(Unknown, match="too long"):
        total(symbol(f"s{i}") for i in range(100))
