"""Winograd's minimal filtering F(m, r): its matrices, exactly, and what its transforms cost.

F(m, r) computes m outputs of an r-tap filter from t = m + r - 1 inputs with t multiplications:
y = Aᵀ[(G g) ⊙ (Bᵀ d)]. Matrices by Cook and Toom from t - 1 points and infinity.
Source: A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308, section 4.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import msgspec

Matrix = tuple[tuple[Fraction, ...], ...]

POINTS = tuple(
    Fraction(p) for p in ("0", "1", "-1", "2", "-2", "1/2", "-1/2", "4", "-4", "1/4", "-1/4", "3", "-3", "1/3", "-1/3")
)
"""Interpolation points in the order in which they are taken: small ones first, for small matrix entries."""

MOST_INPUTS = len(POINTS) + 1
"""The largest t = m + r - 1: a tile takes all points, and infinity."""


class Transforms(msgspec.Struct, frozen=True):
    """FLOPs of one 1-D transform of each kind: data (t → t), filter (r → t), inverse (t → m)."""

    data: int
    filter: int
    inverse: int


CITED = {(2, 3): Transforms(4, 4, 4), (4, 3): Transforms(13, 8, 10)}
"""From the paper's 2-D counts: F(2×2,3×3) 32, 28 and 24; F(4×4,3×3) 156, 72 and 100 (section 4.1 and 4.3)."""


def matrices(m: int, r: int) -> tuple[Matrix, Matrix, Matrix]:
    """(Aᵀ: m×t, G: t×r, Bᵀ: t×t) of F(m, r), exact. Raises ValueError where there are too few points."""
    t = m + r - 1
    if t > MOST_INPUTS:
        raise ValueError(f"F({m}, {r}) needs {t - 1} points, there are {len(POINTS)}")
    points = POINTS[: t - 1]
    at = tuple(tuple([p**i for p in points] + [Fraction(int(i == m - 1))]) for i in range(m))
    finite = [tuple(p**j / weight(points, p) for j in range(r)) for p in points]
    g = (*finite, tuple(Fraction(int(j == r - 1)) for j in range(r)))
    rows = [padded(without(points, p), t) for p in points] + [padded(polynomial(points), t)]
    return at, g, tuple(rows)


def weight(points: tuple[Fraction, ...], p: Fraction) -> Fraction:
    """Π (p - q) over the other points."""
    out = Fraction(1)
    for q in points:
        if q != p:
            out *= p - q
    return out


def polynomial(roots: tuple[Fraction, ...]) -> list[Fraction]:
    """Coefficients of Π (x - q), lowest first."""
    out = [Fraction(1)]
    for q in roots:
        shifted = [Fraction(0), *out]
        out = [a - q * b for a, b in zip(shifted, [*out, Fraction(0)], strict=True)]
    return out


def without(points: tuple[Fraction, ...], p: Fraction) -> list[Fraction]:
    """Coefficients of Π (x - q) over the other points."""
    return polynomial(tuple(q for q in points if q != p))


def padded(row: list[Fraction], t: int) -> tuple[Fraction, ...]:
    """`row` with zeros up to t entries."""
    return tuple(row + [Fraction(0)] * (t - len(row)))


@cache
def transforms(m: int, r: int) -> Transforms:
    """FLOPs of the 1-D transforms: as the paper counts them where it does, else from the matrices row by row."""
    cited = CITED.get((m, r))
    if cited is not None:
        return cited
    at, g, bt = matrices(m, r)
    return Transforms(flops(bt), flops(g), flops(at))


def flops(matrix: Matrix) -> int:
    """Multiplications by entries other than 0 and ±1, and one addition less than each row has entries."""
    out = 0
    for row in matrix:
        entries = [v for v in row if v]
        out += sum(abs(v) != 1 for v in entries) + max(len(entries) - 1, 0)
    return out


def nested(cost: int, before: tuple[int, ...], after: int, active: tuple[bool, ...]) -> int:
    """FLOPs of a 1-D transform of `cost` along each active axis in turn, which has `after` elements from then on."""
    out = 0
    block = list(before)
    for axis, is_active in enumerate(active):
        if is_active:
            lines = 1
            for other, n in enumerate(block):
                lines *= 1 if other == axis else n
            out += cost * lines
            block[axis] = after
    return out
