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

DOUBLE = 2.0**-52
"""Epsilon of the double precision that everything is computed in."""

LEAST_EPS = 2.0**-26
"""Types with a smaller epsilon are too exact for Gram matrices."""

BLUR = 1e-5
"""Below this part of a matrix its Gram matrix does not tell ranks apart."""

SPARE = 8
"""Directions more than the rank, so that a random start misses nothing."""

LARGEST = 3072
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


def tolerance_of(rows: int, columns: int, eps: float) -> float:
    """What may be left of a matrix, as a part of its root of squares, where a rank counts as exact.

    Rounding each number of a matrix of rank r to nearest moves it by at most eps/2 of the whole, and what a truncation
    to r leaves is no more than that (Eckart and Young); eps is twice as much. Computing in double precision adds at
    most max(rows, columns) of its own epsilon (LAPACK users' guide, error bounds for the singular value decomposition).
    """
    return eps + max(rows, columns) * DOUBLE


def too_large(shape: tuple[int, int, int]) -> bool:
    """Whether matrices (n, rows, columns) are not decomposed."""
    n, rows, columns = shape
    side, other = min(rows, columns), max(rows, columns)
    return side > LARGEST or float(n) * side * side * other > WORK


def values_of(matrices: Array, eps: float) -> Values:
    """Singular values of matrices (n, rows, columns), and the largest rank that one of them needs."""
    n, rows, columns = matrices.shape
    tolerance = tolerance_of(rows, columns, eps)
    if min(rows, columns) > SMALL and eps > LEAST_EPS:
        each = [large_values(matrix, tolerance) for matrix in matrices]
        squares, ranks = np.stack([s for s, _ in each]), [r for _, r in each]
    else:
        squares = np.linalg.svd(matrices, compute_uv=False) ** 2
        ranks = [int(r) for r in exact_ranks(squares, tolerance)]
    return Values(n, rows, columns, [float(s) for s in squares.sum(axis=0)], max(ranks), tolerance)


def exact_ranks(squares: Array, tolerance: float) -> Array:
    """The ranks (n) after which at most `tolerance` is left, from squared singular values (n, side)."""
    left = np.cumsum(squares[:, ::-1], axis=1)[:, ::-1]
    return (left > tolerance**2 * left[:, :1]).sum(axis=1)


def large_values(matrix: Array, tolerance: float) -> tuple[Array, int]:
    """Squared singular values of one large matrix and its rank.

    Eigenvalues of the Gram matrix are exact to about 1e-8 of the largest singular value. Where they look as if the rank
    were low, it is measured: by what a projection leaves, or by a full decomposition.
    """
    squares = np.linalg.eigvalsh(gram(matrix[None])[0])[::-1].clip(0)
    (rank,) = exact_ranks(squares[None], max(tolerance, BLUR))
    if rank == len(squares):
        return squares, int(rank)
    if 4 * rank < len(squares):
        basis = np.linalg.qr(matrix @ (matrix.T @ start(matrix.shape[0], rank + SPARE)))[0]
        inside = basis.T @ matrix
        found = np.linalg.svd(inside, compute_uv=False) ** 2
        rest = np.linalg.norm(matrix - basis @ inside) ** 2
        low = np.append(found, rest)
    else:
        low = np.linalg.svd(matrix, compute_uv=False) ** 2
    exact = int(exact_ranks(low[None], tolerance)[0])
    padded = np.zeros(len(squares))
    padded[: len(low)] = low
    return padded, exact


def start(rows: int, columns: int) -> Array:
    """Random directions, always the same, to look for the range of a matrix with."""
    return np.random.default_rng(0).standard_normal((rows, columns))


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
    """`factors` of matrices of rank 1, from the column and the row of the largest element."""
    n, rows, columns = matrices.shape
    largest = np.abs(matrices).reshape(n, -1).argmax(axis=1)
    i, j = np.divmod(largest, columns)
    each = np.arange(n)
    pivot = matrices[each, i, j]
    u = matrices[each, :, j] / np.where(pivot == 0, 1, pivot)[:, None]
    v = matrices[each, i, :]
    return u.reshape(n, rows, 1), v.reshape(n, 1, columns)
