"""Inverted bottleneck: a 1×1 step to many channels, a depthwise one, a 1×1 step back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convcost.alternatives.fitting.dense import Array
from convcost.alternatives.fitting.rank import factors
from convcost.alternatives.layer import ConvLayer

ROUNDS = 200
MOST = 1e10
"""Products of one fit that are done at most; a wide layer keeps its start."""
CLOSE = 1e-6
"""Relative error at which a fit is as good as exact."""
SLOW = 1e-10
"""Part of the squared norm that a round must still gain."""


def inverted(kernel: Array, parts: Sequence[ConvLayer]) -> list[Array]:
    """W[m, c, k] ≈ Σ_i u[m, i] · d[i, k] · v[i, c]: a sum of as many products as channels inside.

    By alternating least squares from a start that copies channels; not convex, so the nearest sum may be missed.
    R. Harshman, Foundations of the PARAFAC procedure, UCLA Working Papers in Phonetics 16, 1970.
    """
    widen, middle, _ = parts
    m, c = kernel.shape[:2]
    flat = kernel.reshape(m, c, -1)
    u, v, d = refined(flat, *copying(flat, middle.m))
    one = (1,) * len(middle.kernel)
    return [v.T.reshape(widen.m, c, *one), d.T.reshape(middle.m, 1, *middle.kernel), u.reshape(m, middle.m, *one)]


def refined(flat: Array, u: Array, v: Array, d: Array) -> list[Array]:
    """Rounds of alternating least squares, as many as help."""
    m, c, taps = flat.shape
    size, width = float(np.vdot(flat, flat)), u.shape[1]
    found = float(np.linalg.norm(flat - np.einsum("mr,cr,kr->mck", u, v, d, optimize=True))) ** 2
    rows, columns = flat.transpose(0, 2, 1).reshape(m * taps, c), flat.transpose(1, 2, 0).reshape(c * taps, m)
    for _ in range(int(min(ROUNDS, MOST // (2 * flat.size * width + width**3)))):
        if found <= CLOSE**2 * size:
            break
        by_rows = (rows @ v).reshape(m, taps, width)
        u = solved(np.einsum("mkr,kr->mr", by_rows, d), v, d)
        d = solved(np.einsum("mkr,mr->kr", by_rows, u), u, v)
        right = np.einsum("ckr,kr->cr", (columns @ u).reshape(c, taps, width), d)
        v = solved(right, u, d)
        before, found = found, size - 2 * float(np.vdot(v, right)) + float(np.sum((u.T @ u) * (v.T @ v) * (d.T @ d)))
        if before - found <= SLOW * size:
            break
    return even(u, v, d)


def copying(flat: Array, width: int) -> tuple[Array, Array, Array]:
    """The optimum among sums whose first step copies channels: singular values of all channels compete."""
    m, c, taps = flat.shape
    most = min(m, taps)
    mixing, kernels = factors(np.moveaxis(flat, 1, 0), most)
    weight = np.linalg.norm(mixing, axis=1) * np.linalg.norm(kernels, axis=2)
    order = np.argsort(-weight, axis=None, kind="stable")[:width]
    channel, place = np.divmod(order, most)
    u, v, d = np.zeros((m, width)), np.zeros((c, width)), np.zeros((taps, width))
    row = np.arange(order.size)
    u[:, row], d[:, row] = mixing[channel, :, place].T, kernels[channel, place].T
    v[channel, row] = 1
    return u, v, d


def solved(right: Array, a: Array, b: Array) -> Array:
    """One factor for two given ones, by the normal equations."""
    gram = (a.T @ a) * (b.T @ b)
    gram[np.diag_indices(len(gram))] += 1e-11 * max(float(np.trace(gram)), 1e-300)
    out: Array = np.linalg.solve(gram, right.T).T
    return out


def even(*factors: Array) -> list[Array]:
    """The same products with factors of the same length."""
    lengths = [np.linalg.norm(f, axis=0) for f in factors]
    mean = np.prod(lengths, axis=0) ** (1 / len(factors))
    return [f * (mean / np.where(n > 0, n, 1)) for f, n in zip(factors, lengths, strict=True)]
