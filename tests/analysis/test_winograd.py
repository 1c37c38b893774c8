"""Winograd's matrices and costs: against convolutions that are computed, and against the paper's counts."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from convcost.analysis.winograd import Matrix, matrices, nested, transforms

Vector = list[Fraction]


def applied(matrix: Matrix, v: Vector) -> Vector:
    return [sum((a * b for a, b in zip(row, v, strict=True)), Fraction(0)) for row in matrix]


@pytest.mark.parametrize("m", range(1, 9))
@pytest.mark.parametrize("r", range(2, 8))
def test_the_matrices_compute_a_filter(m: int, r: int) -> None:
    rng = random.Random(m * 10 + r)
    at, g, bt = matrices(m, r)
    data = [Fraction(rng.randint(-9, 9)) for _ in range(m + r - 1)]
    taps = [Fraction(rng.randint(-9, 9)) for _ in range(r)]
    fast = applied(at, [a * b for a, b in zip(applied(g, taps), applied(bt, data), strict=True)])
    assert fast == [sum(data[i + j] * taps[j] for j in range(r)) for i in range(m)]


@pytest.mark.parametrize(("m", "data", "filter_", "inverse"), [(2, 32, 28, 24), (4, 156, 72, 100)])
def test_transform_flops_of_the_paper(m: int, data: int, filter_: int, inverse: int) -> None:
    """arXiv:1509.09308, sections 4.1 and 4.3."""
    t, both = m + 2, (True, True)
    cost = transforms(m, 3)
    assert nested(cost.data, (t, t), (t, t), both) == data
    assert nested(cost.filter, (3, 3), (t, t), both) == filter_
    assert nested(cost.inverse, (t, t), (m, m), both) == inverse


def test_too_many_points_are_refused() -> None:
    with pytest.raises(ValueError, match="points"):
        matrices(10, 10)
