"""A kernel as matrices whose rank is the number of channels that a pair of steps needs between them.

A kernel T[g, m, c, a, b] has g groups of m outputs and c inputs; a runs over the elements along the axes of the first
step, b over those along the others.

    form       matrices   rows     columns   steps, with r the rank
    slices     g·m·c      a        b
    joint      g          c·a      m·b       C -> g·r in g groups, then g·r -> M in g groups
    by_output  g·m        c·a      b         C -> M·r in g groups, then M·r -> M in M groups
    by_input   g·c        a        m·b       C -> C·r in C groups, then C·r -> M in g groups
    outputs    g          m        c·a·b     the whole kernel to g·r, then 1×1 to M
    inputs     g          c        m·a·b     1×1 to g·r, then the whole kernel to M

Source: M. Jaderberg, A. Vedaldi, A. Zisserman, arXiv:1405.3866 (joint, by_input); X. Zhang et al., arXiv:1505.06798
(outputs); C. Eckart, G. Young, Psychometrika 1, 1936 (a truncated decomposition is the best of its rank).
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from convcost.record.separations import Form

Array = Any

ORDERS: dict[Form, tuple[tuple[int, ...], int, int]] = {
    "slices": ((0, 1, 2, 3, 4), 3, 4),
    "joint": ((0, 2, 3, 1, 4), 1, 3),
    "by_output": ((0, 1, 2, 3, 4), 2, 4),
    "by_input": ((0, 2, 3, 1, 4), 2, 3),
    "outputs": ((0, 1, 2, 3, 4), 1, 2),
    "inputs": ((0, 2, 1, 3, 4), 1, 2),
}
"""Order of (g, m, c, a, b), where rows begin, where columns begin."""

SMALL = 64
"""Matrices with a side of up to this are decomposed as they are; larger ones by their Gram matrix where that is exact
enough, as it is several times as fast."""

LARGEST = 4096
"""Sides above this are not decomposed: the work grows with the third power."""

WORK = 5e11
"""Nor are matrices whose Gram matrices would take more multiplications than this."""


class Values(msgspec.Struct, frozen=True):
    """Singular values of several matrices: squares summed over them, and the largest numerical rank."""

    matrices: int
    rows: int
    columns: int
    squares: list[float]
    rank: int
    tolerance: float

    def energy(self, rank: int) -> float:
        """The part of the sum of squares that the first `rank` singular values keep."""
        total = math.fsum(self.squares)
        return min(math.fsum(self.squares[:rank]) / total, 1.0) if rank < len(self.squares) else 1.0

    def needed(self, energy: float) -> int:
        """The smallest rank that keeps `energy`."""
        return next((r for r in range(1, len(self.squares)) if self.energy(r) >= energy), len(self.squares))


def grouped(weight: Array, group: int, *, transposed: bool) -> Array:
    """(g, m, c, *K) in double precision, from (M, C/g, *K), or from (C, M/g, *K) for a transposed convolution."""
    n, per, *kernel = weight.shape
    parts = weight.astype(np.float64).reshape(group, n // group, per, *kernel)
    return parts.swapaxes(1, 2) if transposed else parts


def unfolded(parts: Array, form: Form, first: tuple[int, ...]) -> Array:
    """Matrices (n, rows, columns) of a kernel (g, m, c, *K)."""
    g, m, c, *kernel = parts.shape
    rest = tuple(a for a in range(len(kernel)) if a not in first)
    five = parts.transpose(0, 1, 2, *(3 + a for a in (*first, *rest)))
    five = five.reshape(g, m, c, math.prod(kernel[a] for a in first), math.prod(kernel[a] for a in rest))
    order, row, column = ORDERS[form]
    five = five.transpose(order)
    shape = five.shape
    return five.reshape(math.prod(shape[:row]), math.prod(shape[row:column]), math.prod(shape[column:]))


def epsilon(dtype: Any) -> float:
    """The distance from 1 to the next number of a float type."""
    return float(np.spacing(np.ones((), dtype)))


def too_large(shape: tuple[int, int, int], eps: float) -> bool:
    """Whether matrices (n, rows, columns) are not decomposed."""
    n, rows, columns = shape
    side, other = min(rows, columns), max(rows, columns)
    return side > (LARGEST if gram_is_enough(eps) else LARGEST // 4) or float(n) * side * side * other > WORK


def gram_is_enough(eps: float) -> bool:
    """Whether roots of eigenvalues in double precision are exact to less than a float type's tolerance."""
    return eps > 2.0**-26


def values_of(matrices: Array, eps: float) -> Values:
    """Singular values of matrices (n, rows, columns); zero is what is at most max(rows, columns) · eps of the largest.

    That is the bound of LAPACK's users' guide for the error of computed singular values, and NumPy's `matrix_rank`.
    """
    n, rows, columns = matrices.shape
    if min(rows, columns) > SMALL and gram_is_enough(eps):
        squares = np.linalg.eigvalsh(gram(matrices))[:, ::-1].clip(0)
        found = np.sqrt(squares)
    else:
        found = np.linalg.svd(matrices, compute_uv=False)
        squares = found * found
    tolerance = max(rows, columns) * eps
    ranks = (found > tolerance * found[:, :1]).sum(axis=1)
    return Values(n, rows, columns, [float(s) for s in squares.sum(axis=0)], int(ranks.max()), tolerance)


def gram(matrices: Array) -> Array:
    """A·Aᵀ or Aᵀ·A, whichever is smaller."""
    turned = matrices.transpose(0, 2, 1)
    return matrices @ turned if matrices.shape[1] <= matrices.shape[2] else turned @ matrices


def factors(matrices: Array, rank: int) -> tuple[Array, Array]:
    """U (n, rows, rank) and V (n, rank, columns) whose product is the best approximation of that rank.

    Both get the root of each singular value, so that neither is much larger than the other.
    """
    if min(matrices.shape[1:]) > SMALL:
        return projected(matrices, rank)
    u, s, v = np.linalg.svd(matrices, full_matrices=False)
    root = np.sqrt(s[:, :rank])
    return u[:, :, :rank] * root[:, None, :], root[:, :, None] * v[:, :rank]


def projected(matrices: Array, rank: int) -> tuple[Array, Array]:
    """`factors` by the eigenvectors of the Gram matrix: what is left is the projection on the others."""
    if matrices.shape[1] > matrices.shape[2]:
        v, u = projected(matrices.transpose(0, 2, 1), rank)
        return u.transpose(0, 2, 1), v.transpose(0, 2, 1)
    u = np.linalg.eigh(gram(matrices))[1][:, :, : -rank - 1 : -1]
    v = u.transpose(0, 2, 1) @ matrices
    root = np.sqrt(np.linalg.norm(v, axis=2))
    safe = np.where(root > 0, root, 1)
    return u * root[:, None, :], v / safe[:, :, None]


def outer(matrices: Array) -> tuple[Array, Array]:
    """`factors` of matrices of rank 1, from the column and row of the largest element: small integers stay whole."""
    n, rows, columns = matrices.shape
    largest = np.abs(matrices).reshape(n, -1).argmax(axis=1)
    i, j = np.divmod(largest, columns)
    each = np.arange(n)
    pivot = matrices[each, i, j]
    u = matrices[each, :, j] / np.where(pivot == 0, 1, pivot)[:, None]
    v = matrices[each, i, :]
    return u.reshape(n, rows, 1), v.reshape(n, 1, columns)
