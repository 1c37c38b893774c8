"""Depthwise separable: for each input channel the nearest matrix, outputs × taps, of as many ranks as kernels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convcost.alternatives.fitting.dense import Array, blocks, grouped
from convcost.alternatives.fitting.rank import factors
from convcost.alternatives.layer import ConvLayer


def separated(kernel: Array, parts: Sequence[ConvLayer]) -> list[Array]:
    """W[m, c, k] ≈ Σ_j p[m, cn+j] · d[cn+j, k], the optimum; the pointwise step may have groups.

    A form of one step (grouped pointwise of a 1×1 kernel) keeps the weights inside its groups.
    """
    if len(parts) == 1:
        return [blocks(kernel, parts[0].group)]
    first, last = parts
    g, n = last.group, first.m // first.c
    inside = grouped(kernel, g)
    _, m, c = inside.shape[:3]
    by_channel = np.moveaxis(inside, 2, 1).reshape(g, c, m, -1)
    mixing, taps = factors(by_channel, n)
    pointwise = np.moveaxis(mixing, 2, 1).reshape(last.m, c * n, *(1,) * len(last.kernel))
    return [taps.reshape(first.m, 1, *first.kernel), pointwise]
