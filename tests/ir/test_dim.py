"""Formulas in dimension symbols against the same arithmetic on numbers."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from itertools import product as pairs

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from convcost.errors import ShapeError, Unknown
from convcost.ir import Dim, ceildiv, floordiv, known, maximum, product, scaled, symbol, total
from convcost.ir.dim import MAX_COEFFICIENT, MAX_POWER, MAX_TERMS, Expr, symbols_of

H, W = symbol("H"), symbol("W")

ARITHMETIC: dict[str, Callable[[Dim, Dim], Dim]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "max": maximum,
    "ceil": ceildiv,
}


def read(text: str, h: int, w: int) -> int:
    """The value of a formula's text, by Python."""
    names = {"H": Fraction(h), "W": Fraction(w), "floor": math.floor, "max": max}
    return int(eval(text.replace("^", "**"), names))


def value(d: Dim, h: int, w: int) -> int:
    """The value of a formula."""
    return read(str(d), h, w)


@st.composite
def programs(draw: st.DrawFn) -> list[tuple[str, str, bool]]:
    """Steps that build a formula: an operation, its other operand, and whether that comes first."""
    operand = st.sampled_from(["H", "W", "H + W", "2*H - W", "-3", "-1", "1", "2", "4"])
    step = st.tuples(st.sampled_from([*ARITHMETIC]), operand, st.booleans())
    return draw(st.lists(step, min_size=1, max_size=3))


@given(programs(), st.integers(1, 50), st.integers(1, 50))
def test_formulas_agree_with_numbers(steps: list[tuple[str, str, bool]], h: int, w: int) -> None:
    formula: Dim = H
    number: Dim = h
    for name, operand, first in steps:
        pair = eval(operand, {"H": H, "W": W}), formula
        plain = eval(operand, {"H": h, "W": w}), number
        divisor = plain[first]
        if name in ("//", "%", "ceil") and (divisor == 0 or (name == "ceil" and divisor < 0)):
            continue
        if not first:
            pair, plain = pair[::-1], plain[::-1]
        try:
            formula, number = ARITHMETIC[name](*pair), ARITHMETIC[name](*plain)
        except Unknown:
            reject()  # too long
        if isinstance(formula, Expr) and any(read(atom, h, w) < 0 for m, _ in formula.terms for atom, _ in m):
            reject()  # a term that is no size
    assert value(formula, h, w) == number


def test_what_cancels_is_a_number() -> None:
    assert H - H == 0
    assert (H * W + 3) - H * W == 3
    assert isinstance((H + 1) - H, int)


def test_printing() -> None:
    assert str(H * 442368) == "442368*H"
    assert str(H * H * W - 1) == "H^2*W - 1"
    assert str(W * H + H + 1) == "H*W + H + 1"
    assert str(floordiv(H + 1, 2)) == "floor((H + 1)/(2))"
    assert str(symbol("a b") * 2) == "2*`a b`"
    assert str(symbol("a`b")) == "`a'b`"
    assert str(-H + 2) == "-H + 2"


def test_equal_formulas_are_one_key() -> None:
    assert W * H + H == H + H * W
    assert {W * H: 1}[H * W] == 1
    assert maximum(W, H) == maximum(H, W)
    assert H + 1 != H
    assert H != 1


def test_a_constant_that_comes_first_does_not_stand_alone() -> None:
    assert (H + 1) + (W - H) == W + 1


def test_exact_division_cancels() -> None:
    assert (H * W * 6) // (H * 2) == W * 3
    assert (H * 4 + W * 8) // 4 == H + W * 2
    assert (H + W) // (H + W) == 1
    assert isinstance(H // 2, Expr)
    assert (H * 2) % 2 == 0


def test_division_that_leaves_a_remainder_is_kept() -> None:
    assert str(H // W) == "floor((H)/(W))"
    assert str((H * 4) // (W * 2)) == "floor((4*H)/(2*W))"
    assert str((H * W) // (H * H)) == "floor((H*W)/(H^2))"
    assert str((H * 2 + 2) // (H + W)) == "floor((2*H + 2)/(H + W))"
    assert (H * 6 + W * 3) // (H * 2 + W) == 3
    assert (H * H * W) // (H * W) == H
    assert str(ceildiv(H, 2)) == "floor((H + 1)/(2))"
    assert str(ceildiv(7, W - 1)) == "floor((W + 5)/(W - 1))"
    assert str(5 // H) == "floor((5)/(H))"
    assert str(7 % H) == "-H*floor((7)/(H)) + 7"
    assert symbols_of((5 // H, maximum(H * 2, W + 1))) == {"H", "W"}


@pytest.mark.parametrize(("a", "b"), [(7, 2), (-7, 2), (7, -1), (7, -2), (-7, -2), (8, 2), (8, -2), (0, 3)])
def test_ceiling(a: int, b: int) -> None:
    assert ceildiv(a, b) == math.ceil(Fraction(a, b))
    assert value(ceildiv(H - 5, b), 5 + a, 0) == math.ceil(Fraction(a, b))


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
@pytest.mark.parametrize("right", [-1, 0, 1, H, H + 1, W])
def test_comparisons_are_answered_where_all_sizes_agree(compare: Callable[[Dim, Dim], bool], right: Dim) -> None:
    """Sizes of 0, 1 and many stand for all: the formulas are linear."""
    for a, b, c in pairs(range(-1, 2), range(-1, 2), range(-2, 3)):
        left = H * a + W * b + c
        seen = {compare(value(left, h, w), value(right, h, w)) for h, w in pairs((0, 1, 1000), repeat=2)}
        if len(seen) == 1:
            assert compare(left, right) is seen.pop()
        else:
            with pytest.raises(Unknown) as caught:
                compare(left, right)
            assert caught.value.needs == tuple(sorted(symbols_of((left, right))))


def test_questions_that_stay_open_name_what_they_need() -> None:
    with pytest.raises(Unknown, match=r"cannot tell whether H \+ W > 3") as caught:
        _ = W + H > 3
    assert caught.value.needs == ("H", "W")
    with pytest.raises(Unknown, match="cannot tell whether H < 3"):
        _ = H < 3
    with pytest.raises(Unknown, match="cannot tell whether H - 1 is not zero"):
        bool(H - 1)
    with pytest.raises(Unknown, match="cannot tell whether -H is not zero"):
        bool(-H)
    many = tuple(f"s{i}" for i in range(9))
    with pytest.raises(Unknown) as caught:
        _ = total(map(symbol, many)) > 3
    assert caught.value.needs == many
    with pytest.raises(Unknown) as caught:
        known(total(map(symbol, many)), "the size")
    assert caught.value.needs == many
    with pytest.raises(Unknown) as caught:
        _ = total(map(symbol, many)) // symbol("x" * 300)
    assert caught.value.needs == (*many, "x" * 300)


def test_truth() -> None:
    assert bool(H + 1)
    assert bool(-H - 1)
    for open_ in (H, -H):
        with pytest.raises(Unknown):
            bool(open_)


def test_helpers() -> None:
    assert ceildiv(7, 2) == 4
    assert scaled(10, Fraction(5, 4)) == 12
    assert product((2, H, 3)) == H * 6
    assert str(maximum(H, W)) == "max(H, W)"
    assert maximum(H + 1, H) == maximum(H, H + 1) == H + 1
    assert maximum(H, 0) == maximum(0, H) == H
    assert total((2, H, 3)) == H + 5
    assert symbols_of((1, H * 2, W)) == {"H", "W"}
    assert known(7, "the size") == 7
    with pytest.raises(ShapeError):
        floordiv(H, 0)
    with pytest.raises(Unknown, match=r"the size is H \+ W") as caught:
        known(W + H, "the size")
    assert caught.value.needs == ("H", "W")


def test_a_formula_that_grows_without_end_becomes_unknown() -> None:
    longest = total(symbol(f"s{i:03}") for i in range(MAX_TERMS))
    assert isinstance(longest, Expr)
    with pytest.raises(Unknown, match="too long") as caught:
        _ = longest + symbol("another")
    assert caught.value.needs == ("another", *(f"s{i:03}" for i in range(MAX_TERMS)))
    assert product((H,) * MAX_POWER) == product((H,) * (MAX_POWER - 1)) * H
    with pytest.raises(Unknown, match="too long"):
        product((H,) * (MAX_POWER + 1))
    assert str(H * MAX_COEFFICIENT) == f"{2**256}*H"
    for k in (MAX_COEFFICIENT + 1, -MAX_COEFFICIENT - 1):
        with pytest.raises(Unknown, match="too long"):
            _ = H + k


def test_a_term_that_grows_without_end_becomes_unknown() -> None:
    """`floor((…)/(W))` has 13 characters around the name."""
    assert str(symbol("x" * 287) // W) == f"floor(({'x' * 287})/(W))"
    with pytest.raises(Unknown, match="too long") as caught:
        _ = symbol("x" * 288) // W
    assert caught.value.needs == ("W", "x" * 288)
