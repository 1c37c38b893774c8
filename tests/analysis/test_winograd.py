"""Winograd's matrices and costs: against convolutions that are computed, and against the paper's counts."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from convcost.analysis.winograd import Matrix, Transforms, flops, matrices, nested, transforms

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
    assert nested(cost.data, (t, t), t, both) == data
    assert nested(cost.filter, (3, 3), t, both) == filter_
    assert nested(cost.inverse, (t, t), m, both) == inverse


def work_of(matrix: Matrix) -> int:
    """Scalar operations of a product with a vector, done one by one: no product by 0, 1 or -1, no sum of one term."""
    done = 0
    for row in matrix:
        terms = 0
        for entry in row:
            if entry == 0:
                continue
            terms += 1
            done += entry not in (1, -1)
            done += terms > 1
    return done


@pytest.mark.parametrize(("m", "r"), [(1, 2), (2, 2), (3, 2), (6, 3), (4, 5)])
def test_transforms_that_no_source_prices_cost_what_their_matrices_do(m: int, r: int) -> None:
    at, g, bt = matrices(m, r)
    assert transforms(m, r) == Transforms(data=work_of(bt), filter=work_of(g), inverse=work_of(at))


def test_zeros_cost_nothing() -> None:
    zero, one, half = Fraction(0), Fraction(1), Fraction(1, 2)
    assert flops(((zero, zero, zero), (one, -one, one), (half, zero, zero), (half, half, one))) == 0 + 2 + 1 + 4


def test_too_many_points_are_refused() -> None:
    """15 points and infinity: 16 inputs."""
    assert len(matrices(8, 9)[2]) == 16
    with pytest.raises(ValueError, match="needs 16 points, there are 15"):
        matrices(8, 10)
