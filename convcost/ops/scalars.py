"""Arithmetic on single known elements: integers, fractions and symbols. `Unknown` where the result is none of them."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isqrt, trunc

from convcost.errors import ShapeError, Unknown
from convcost.ir import Expr, Scalar, maximum


def divided(a: Scalar, b: Scalar) -> Scalar:
    """A / b: integers truncate towards zero (a symbol counts as not negative), fractions are exact."""
    if isinstance(a, Fraction) or isinstance(b, Fraction):
        if isinstance(a, Expr) or isinstance(b, Expr):
            raise Unknown("a symbol divided by a fraction is not followed")
        if b == 0:
            raise Unknown("a division by zero")
        return Fraction(a) / b
    if b == 0:
        raise ShapeError("division of an integer by zero: no value")
    if isinstance(a, int) and isinstance(b, int):
        return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return a // b


def remainder(a: Scalar, b: Scalar, *, truncate: bool) -> Scalar:
    """A - b * floor(a / b), or with the quotient truncated towards zero."""
    if isinstance(a, Expr) or isinstance(b, Expr):
        if isinstance(a, Fraction) or isinstance(b, Fraction):
            raise Unknown("a symbol and a fraction are not followed")
        return a - a // b * b
    if b == 0:
        if isinstance(a, Fraction) or isinstance(b, Fraction):
            raise Unknown("a remainder by zero")
        raise ShapeError("Mod of an integer by zero has no value")
    quotient = Fraction(a) / b
    return a - b * (trunc(quotient) if truncate else floor(quotient))


def power(a: Scalar, b: Scalar) -> Scalar:
    """A ** b for small whole exponents."""
    if isinstance(b, Fraction) and b.denominator == 1:
        b = b.numerator
    if not isinstance(b, int) or not 0 <= b <= 64:
        raise Unknown("a power with this exponent is not followed")
    out: Scalar = 1
    for _ in range(b):
        out = out * a  # type: ignore[operator]
    return out


def same(a: Scalar, b: Scalar) -> bool:
    """Whether a equals b; `Unknown` where symbols leave it open."""
    if isinstance(a, Expr) or isinstance(b, Expr):
        return not bool(a - b)  # type: ignore[operator]
    return a == b


def summed(*xs: Scalar) -> Scalar:
    """The sum."""
    out = xs[0]
    for x in xs[1:]:
        out = out + x  # type: ignore[operator]
    return out


def times(a: Scalar, b: Scalar) -> Scalar:
    """The product."""
    return a * b  # type: ignore[operator]


def bits(a: Scalar, b: Scalar, how: str) -> Scalar:
    """And, or, exclusive or of integers."""
    if not isinstance(a, int) or not isinstance(b, int):
        raise Unknown("bits of a symbol are not followed")
    return a & b if how == "and" else a | b if how == "or" else a ^ b


def whole(x: Scalar, how: str) -> Scalar:
    """`x` rounded: down, up, or to the nearest with ties to even. A symbol is whole already."""
    if not isinstance(x, Fraction):
        return x
    return Fraction(floor(x) if how == "floor" else ceil(x) if how == "ceil" else round(x))


def root(x: Scalar) -> Scalar:
    """The square root where it is exact."""
    if isinstance(x, Expr) or x < 0:
        raise Unknown("a root of this content is not followed")
    q = Fraction(x)
    n, d = isqrt(q.numerator), isqrt(q.denominator)
    if n * n != q.numerator or d * d != q.denominator:
        raise Unknown("an inexact root is not followed")
    return Fraction(n, d)


def reciprocal(x: Scalar) -> Scalar:
    """1 / x."""
    if isinstance(x, Expr) or x == 0:
        raise Unknown("a reciprocal of this content is not followed")
    return 1 / Fraction(x)


def absolute(x: Scalar) -> Scalar:
    """|x|."""
    return -x if x < 0 else x


def larger(*xs: Scalar) -> Scalar:
    """The largest; symbols stay as a formula."""
    out = xs[0]
    for x in xs[1:]:
        out = max(out, x) if isinstance(out, Fraction) or isinstance(x, Fraction) else maximum(out, x)
    return out


def smaller(*xs: Scalar) -> Scalar:
    """The smallest; symbols stay as a formula."""
    return -larger(*[-x for x in xs])
