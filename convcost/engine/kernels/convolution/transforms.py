"""The matrices of Winograd's minimal filtering: y = Aᵀ((G g) ⊙ (Bᵀ d)) for a tile d and a filter g.

They are those of Toom and Cook: evaluate the filter as a polynomial at the points, multiply, and interpolate.
Source: S. Winograd, "Arithmetic complexity of computations", 1980.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
POINTS = {4: (0.0, 1.0, -1.0), 6: (0.0, sqrt(0.5), -sqrt(0.5), sqrt(2), -sqrt(2))}
"""The finite interpolation points of each α; one more lies at infinity."""


def filter_matrix(alpha: int, r: int) -> Matrix:
    """G: (α, r), the values of a filter of r taps at the points, divided by the Lagrange factors."""
    if alpha == 1:
        return np.ones((1, 1))
    points = POINTS[alpha]
    rows = [[p**t / prod(p - q for q in points if q != p) for t in range(r)] for p in points]
    return np.array([*rows, [0.0] * (r - 1) + [1.0]])


def input_matrix(alpha: int) -> Matrix:
    """Bᵀ: (α, α), for each point the coefficients, from the lowest, of the polynomial that is zero at all others."""
    if alpha == 1:
        return np.ones((1, 1))
    points = POINTS[alpha]
    rows = [[*np.poly([q for q in points if q != p])[::-1].tolist(), 0.0] for p in points]
    return np.array([*rows, np.poly(points)[::-1]])


def output_matrix(alpha: int, m: int) -> Matrix:
    """Aᵀ: (m, α), the powers of the points; infinity counts in the last output only."""
    if alpha == 1:
        return np.ones((1, 1))
    return np.array([[*(p**j for p in POINTS[alpha]), float(j == m - 1)] for j in range(m)])


@dataclass(frozen=True, slots=True)
class Axis:
    """One spatial axis: α products give m outputs of r taps, after the stride s is turned into channels."""

    alpha: int
    m: int
    r: int
    s: int


def axis(k: int, s: int, alpha: int) -> Axis | None:
    """The transform of an axis of k taps and stride s; None where there is none. One tap needs none."""
    r = -(-k // s)
    if r == 1:
        return Axis(1, 1, 1, s)
    m = alpha + 1 - r
    return Axis(alpha, m, r, s) if m >= 2 else None
