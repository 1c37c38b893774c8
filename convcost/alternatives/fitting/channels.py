"""Fewer channels: low rank on one side of a kernel, and on both sides (a bottleneck)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convcost.alternatives.fitting.dense import Array
from convcost.alternatives.fitting.rank import directions, factors
from convcost.alternatives.layer import ConvLayer

ROUNDS = 12


def low_rank(kernel: Array, parts: Sequence[ConvLayer]) -> list[Array]:
    """The nearest matrix (m × c·k, or m·k × c) of as many ranks as channels between: the optimum."""
    first, last = parts
    m, c = kernel.shape[:2]
    if last.large:
        left, right = factors(np.moveaxis(kernel, 1, -1).reshape(-1, c), first.m)
        wide = np.moveaxis(left.reshape(m, *kernel.shape[2:], first.m), -1, 1)
        return [right.reshape(first.m, c, *first.kernel), wide]
    left, right = factors(kernel.reshape(m, -1), first.m)
    return [right.reshape(first.m, c, *first.kernel), left.reshape(m, first.m, *last.kernel)]


def bottleneck(kernel: Array, parts: Sequence[ConvLayer]) -> list[Array]:
    """W ≈ U · G · V with a small kernel G between: Tucker's decomposition, by orthogonal iteration.

    L. De Lathauwer et al., On the best rank-1 and rank-(R1, R2, ..., RN) approximation, SIAM J. Matrix Anal. 21, 2000.
    """
    narrow, middle, widen = parts
    m, c = kernel.shape[:2]
    flat = kernel.reshape(m, c, -1)
    inner = directions(np.moveaxis(flat, 1, 0).reshape(c, -1), narrow.m)
    for _ in range(ROUNDS):
        before = inner
        outer = directions(np.einsum("mck,cr->mrk", flat, inner, optimize=True).reshape(m, -1), middle.m)
        narrowed = np.einsum("mck,ms->csk", flat, outer, optimize=True).reshape(c, -1)
        inner = directions(narrowed, narrow.m)
        if np.linalg.norm(before.T @ inner) ** 2 > narrow.m - 1e-9:
            break
    core = np.einsum("mck,cr,ms->srk", flat, inner, outer, optimize=True)
    one = (1,) * len(middle.kernel)
    return [
        inner.T.reshape(narrow.m, c, *one),
        core.reshape(middle.m, narrow.m, *middle.kernel),
        outer.reshape(widen.m, middle.m, *one),
    ]
