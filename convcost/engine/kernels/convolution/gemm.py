"""Matrix products as the convolutions need them: weights on one side, positions on the other."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.workspace import Array, Program

SMALL = 1_000_000
"""OpenBLAS multiplies without packing its operands up to this many multiply-accumulates (on x86-64 with AVX-512)."""
SMALL_WEIGHT = 8192
"""Weights up to this size are worth cutting a product into such small ones: 1.3 to 1.9 times as fast."""


def rows_times(a: Array, w: Array, out: Array) -> Program:
    """Write a @ w to out, for a: (P, K), w: (K, N), out: (P, N), in blocks of rows where small products are faster."""
    p, k = a.shape
    n = w.shape[1]
    block = SMALL // max(1, k * n)
    if k * n > SMALL_WEIGHT or p <= block:
        return [(np.matmul, (a, w, out))]
    count = -(-p // block)
    block = p // count
    whole = block * count
    program: Program = [(np.matmul, (_blocks(a, count, block), w, _blocks(out, count, block)))]
    if whole < p:
        program.append((np.matmul, (a[whole:], w, out[whole:])))
    return program


def _blocks(a: Array, count: int, block: int) -> Array:
    """The first count·block rows of a as (count, block, columns), a view whatever the row stride."""
    row, item = a.strides
    return as_strided(a, (count, block, a.shape[1]), (row * block, row, item))


def for_last(w: Array, g: Geometry, *, taps_first: bool) -> Array:
    """Weights (M, C/g, *K) as (g, ΠK·C/g, M/g), the taps outermost or innermost in the rows."""
    parts = w.reshape(g.group, g.mg, g.cg, g.taps)
    order = (0, 3, 2, 1) if taps_first else (0, 2, 3, 1)
    return np.ascontiguousarray(parts.transpose(order)).reshape(g.group, g.taps * g.cg, g.mg)


def for_first(w: Array, g: Geometry, *, taps_first: bool) -> Array:
    """Weights (M, C/g, *K) as (g, M/g, ΠK·C/g), the taps outermost or innermost in the columns."""
    parts = w.reshape(g.group, g.mg, g.cg, g.taps)
    order = (0, 1, 3, 2) if taps_first else (0, 1, 2, 3)
    return np.ascontiguousarray(parts.transpose(order)).reshape(g.group, g.mg, g.taps * g.cg)


def last_out(y: Array, g: Geometry, start: int, stop: int) -> Array:
    """Rows `start` to `stop` of y: (positions, M) as (g, rows, M/g), a view."""
    return y[start:stop].reshape(stop - start, g.group, g.mg).transpose(1, 0, 2)
