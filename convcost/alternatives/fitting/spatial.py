"""Spatially separable: one step for each axis, with some channels between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convcost.alternatives.fitting.dense import Array, grouped
from convcost.alternatives.fitting.rank import factors
from convcost.alternatives.layer import ConvLayer


def split(kernel: Array, parts: Sequence[ConvLayer]) -> list[Array]:
    """W[m, c, y, x] ≈ Σ_i u[m, i, x] · v[i, c, y]: the nearest matrix (m·x × c·y) of as many ranks as channels between.

    Two steps: the optimum. Three (3-D kernels): one split after the other, each the optimum of what it is given.
    """
    g = parts[0].group
    axes = [part.large[0] for part in parts]
    sizes = [part.kernel[axis] for part, axis in zip(parts, axes, strict=True)]
    rest = grouped(kernel, g)
    _, m, c = rest.shape[:3]
    rest = rest.transpose(0, 1, 2, *(3 + a for a in axes), *(3 + a for a in range(kernel.ndim - 2) if a not in axes))
    rest = np.moveaxis(rest.reshape(g, m, c, *sizes), 2, -1)  # g, m, k1 … kn, c
    out = []
    for part, size in zip(parts[:-1], sizes, strict=False):
        width = part.m // g
        rest = np.moveaxis(rest, 2, -1)  # g, m, the other taps, c, these taps
        outer = rest.shape[1:-2]
        left, right = factors(rest.reshape(g, -1, rest.shape[-2] * size), width)
        out.append(right.reshape(part.m, -1, *part.kernel))
        rest = left.reshape(g, *outer, width)
    out.append(np.moveaxis(rest, 2, -1).reshape(parts[-1].m, -1, *parts[-1].kernel))
    return out
