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


def expanded(kernel: Array, parts: Sequence[ConvLayer]) -> list[Array]:
    """Inverted bottleneck: a 1×1 step that copies channels, a depthwise one, a 1×1 step that mixes.

    The singular values of all channels compete for the places inside: the optimum among steps that copy.
    """
    widen, middle, _ = parts
    m, c = kernel.shape[:2]
    by_channel = np.moveaxis(kernel, 1, 0).reshape(c, m, -1)
    most = min(by_channel.shape[1:])
    mixing, taps = factors(by_channel, most)
    weight = np.linalg.norm(mixing, axis=1) * np.linalg.norm(taps, axis=2)
    order = np.argsort(-weight, axis=None, kind="stable")[: middle.m]
    channel, place = np.divmod(order, most)
    one = (1,) * len(middle.kernel)
    first, second, third = np.zeros((middle.m, widen.c)), np.zeros((middle.m, taps.shape[2])), np.zeros((m, middle.m))
    row = np.arange(order.size)
    first[row, channel] = 1
    second[row] = taps[channel, place]
    third[:, row] = mixing[channel, :, place].T
    return [
        first.reshape(*first.shape, *one),
        second.reshape(middle.m, 1, *middle.kernel),
        third.reshape(*third.shape, *one),
    ]
