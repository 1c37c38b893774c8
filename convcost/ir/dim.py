"""Dimensions: Python integers, or exact integer polynomials in the symbols of a model.

Rules are written once, in plain arithmetic (`n * c * h * w`); with symbols in the dimensions the same code yields
a formula. A comparison that the symbols leave open raises `Unknown` instead of guessing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction

from convcost.errors import ShapeError, Unknown

Monomial = tuple[tuple[str, int], ...]
"""Powers of atoms, sorted by atom: `(("H", 2), ("W", 1))` is H²W. An atom is a symbol or a printed opaque term."""

MAX_TERMS = 64
"""A longer formula helps nobody: it becomes unknown."""

MAX_COEFFICIENT = 2**256
MAX_POWER = 64
"""Nor does one with larger numbers in it; squaring a formula again and again would fill the memory."""


class Expr:
    """A polynomial with integer coefficients over dimension symbols; immutable, never constant.

    Symbols stand for integers of at least 0, and so do the rounded quotients of sizes. Build with
    `symbol`; arithmetic that cancels every symbol gives an int.
    """

    __slots__ = ("_hash", "symbols", "terms")

    def __init__(self, terms: tuple[tuple[Monomial, int], ...], symbols: frozenset[str]) -> None:
        self.terms = terms
        self.symbols = symbols
        self._hash = hash(terms)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expr) and self.terms == other.terms

    def __add__(self, other: Dim) -> Dim:
        total = dict(self.terms)
        for monomial, k in _terms(other):
            total[monomial] = total.get(monomial, 0) + k
        return _make(total, self.symbols | _symbols(other))

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        return self + other * -1

    def __rsub__(self, other: Dim) -> Dim:
        return self * -1 + other

    def __mul__(self, other: Dim) -> Dim:
        total: dict[Monomial, int] = {}
        for m1, k1 in self.terms:
            for m2, k2 in _terms(other):
                m = _times(m1, m2)
                total[m] = total.get(m, 0) + k1 * k2
        return _make(total, self.symbols | _symbols(other))

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        return floordiv(self, other)

    def __rfloordiv__(self, other: Dim) -> Dim:
        return floordiv(other, self)

    def __mod__(self, other: Dim) -> Dim:
        return self - floordiv(self, other) * other

    def __rmod__(self, other: Dim) -> Dim:
        return other - floordiv(other, self) * self

    def __lt__(self, other: Dim) -> bool:
        return _positive(other - self, f"{self} < {other}", self.symbols | _symbols(other))

    def __le__(self, other: Dim) -> bool:
        return not self.__gt__(other)

    def __gt__(self, other: Dim) -> bool:
        return _positive(self - other, f"{self} > {other}", self.symbols | _symbols(other))

    def __ge__(self, other: Dim) -> bool:
        return not self.__lt__(other)

    def __bool__(self) -> bool:
        question = f"{self} is not zero"
        return _positive(self, question, self.symbols) or _positive(-self, question, self.symbols)

    def __str__(self) -> str:
        out = ""
        for monomial, k in self.terms:
            sign = "-" if k < 0 else "+"
            factors = [str(abs(k))] if abs(k) != 1 or not monomial else []
            factors += [atom if power == 1 else f"{atom}^{power}" for atom, power in monomial]
            out += ("-" if k < 0 else "") + "*".join(factors) if not out else f" {sign} {'*'.join(factors)}"
        return out

    __repr__ = __str__


Dim = int | Expr
Shape = tuple[Dim, ...]


def symbol(text: str) -> Expr:
    """The dimension called `text`. The text is opaque: it is printed, never evaluated."""
    atom = text if text.isidentifier() else "`" + text.replace("`", "'") + "`"
    return Expr(((((atom, 1),), 1),), frozenset((text,)))


def product(dims: Iterable[Dim]) -> Dim:
    """Π dims; 1 for none."""
    return math.prod(dims)


def total(dims: Iterable[Dim]) -> Dim:
    """Σ dims; 0 for none."""
    out: Dim = 0
    for d in dims:
        out = out + d
    return out


def maximum(a: Dim, b: Dim) -> Dim:
    """max(a, b), kept as an opaque term where the symbols leave it open."""
    for large, small in ((a, b), (b, a)):
        with suppress(Unknown):
            if not small > large:
                return large
    first, second = sorted((str(a), str(b)))
    return _opaque(f"max({first}, {second})", _symbols(a) | _symbols(b))


def floordiv(a: Dim, b: Dim) -> Dim:
    """floor(a / b), exact where the symbols cancel, else kept as an opaque term."""
    if b == 0:
        raise ShapeError("division by zero in a dimension")
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    exact = _divide(a, b)
    if exact is not None:
        return exact
    return _opaque(f"floor(({a})/({b}))", _symbols(a) | _symbols(b))


def ceildiv(a: Dim, b: Dim) -> Dim:
    """ceil(a / b); a symbolic divisor is positive."""
    if isinstance(b, int) and b < 0:
        a, b = -a, -b
    return floordiv(a + (b - 1), b)


def scaled(a: Dim, by: Fraction) -> Dim:
    """floor(a * by) for an exact fraction."""
    return floordiv(a * by.numerator, by.denominator)


def known(d: Dim, what: str) -> int:
    """`d` as a number, or `Unknown` naming the symbols that `what` needs."""
    if isinstance(d, int):
        return d
    raise Unknown(f"{what} is {d}", needs=tuple(sorted(d.symbols)))


def symbols_of(dims: Iterable[Dim]) -> frozenset[str]:
    """All symbols in `dims`."""
    out: frozenset[str] = frozenset()
    for d in dims:
        if isinstance(d, Expr):
            out |= d.symbols
    return out


def _opaque(text: str, symbols: frozenset[str]) -> Expr:
    if len(text) > 300:
        raise Unknown("a dimension has too long a formula", needs=tuple(sorted(symbols)))
    return Expr(((((text, 1),), 1),), symbols)


def _symbols(d: Dim) -> frozenset[str]:
    return d.symbols if isinstance(d, Expr) else frozenset()


def _terms(d: Dim) -> tuple[tuple[Monomial, int], ...]:
    return d.terms if isinstance(d, Expr) else (((), d),)


def _times(a: Monomial, b: Monomial) -> Monomial:
    powers = dict(a)
    for atom, power in b:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items()))


def _make(terms: dict[Monomial, int], symbols: frozenset[str]) -> Dim:
    kept = [(m, k) for m, k in terms.items() if k]
    if not kept:
        return 0
    kept.sort(key=lambda t: (-sum(p for _, p in t[0]), t[0]))
    if not kept[0][0]:  # the constant comes last: it stands alone
        return kept[0][1]
    if len(kept) > MAX_TERMS or any(abs(k) > MAX_COEFFICIENT or any(p > MAX_POWER for _, p in m) for m, k in kept):
        raise Unknown("a dimension has too long a formula", needs=tuple(sorted(symbols)))
    return Expr(tuple(kept), symbols)


def _divide(a: Dim, b: Dim) -> Dim | None:
    """A / b where every term of `a` is a multiple of the single term of `b` (or of `b` itself), else None."""
    divisor = _terms(b)
    if len(divisor) != 1:
        ratio = _terms(a)[0][1] // divisor[0][1]
        return ratio if a == b * ratio else None
    (powers, k) = divisor[0]
    out: dict[Monomial, int] = {}
    for monomial, coefficient in _terms(a):
        left = dict(monomial)
        for atom, power in powers:
            left[atom] = left.get(atom, 0) - power
        if coefficient % k or any(p < 0 for p in left.values()):
            return None
        out[tuple((atom, p) for atom, p in left.items() if p)] = coefficient // k
    return _make(out, _symbols(a))


def _positive(d: Dim, question: str, symbols: frozenset[str]) -> bool:
    """Whether d > 0, where that is so, or is not, for all values that the symbols can have."""
    if isinstance(d, int):
        return d > 0
    above = [k > 0 for _, k in d.terms]
    if all(above) and any(not monomial for monomial, _ in d.terms):
        return True
    if not any(above):
        return False
    raise Unknown(f"cannot tell whether {question}", needs=tuple(sorted(symbols)))
