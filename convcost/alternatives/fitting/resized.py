"""Resize and convolve in place of a transposed convolution: least squares over what both do at each position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convcost.alternatives.fitting.dense import Array
from convcost.alternatives.layer import ConvLayer


def taps(layer: ConvLayer, part: ConvLayer, axis: int) -> tuple[Array, Array]:
    """What each tap reads along one axis: rows are (position modulo the stride, input element), columns are taps.

    Transposed: output o reads input i through tap k where o = s·i - p + d·k. Resized: output o reads the element
    floor((o - p + d·j) / s) through tap j.
    """
    s, k, d = layer.strides[axis], layer.kernel[axis], layer.dilations[axis]
    reads = [
        [((o + layer.before[axis] - d * t) // s, (o + layer.before[axis] - d * t) % s == 0) for t in range(k)]
        for o in range(s)
    ]
    near = [[((o - part.before[axis] + d * t) // s, True) for t in range(k)] for o in range(s)]
    elements = sorted({i for rows in (reads, near) for row in rows for i, hit in row if hit})
    place = {i: n for n, i in enumerate(elements)}
    out = []
    for rows in (reads, near):
        matrix = np.zeros((s, len(elements), k))
        for o, row in enumerate(rows):
            for t, (i, hit) in enumerate(row):
                if hit:
                    matrix[o, place[i], t] += 1
        out.append(matrix.reshape(-1, k))
    return out[0], out[1]


def resized(kernel: Array, layer: ConvLayer, parts: Sequence[ConvLayer]) -> tuple[list[Array], float]:
    """The kernel after the resize and its relative error; `kernel` is C × M/g × K, as a transposed one is stored."""
    g, part = layer.group, parts[0]
    c, m = kernel.shape[0], layer.m
    stored = kernel.reshape(g, c // g, m // g, *kernel.shape[2:]).swapaxes(1, 2).reshape(m, c // g, *kernel.shape[2:])
    wanted, found, fitted = stored, stored, stored
    for axis in range(len(layer.kernel)):
        theirs, ours = taps(layer, part, axis)
        wanted = along(theirs, wanted, 2 + axis)
        fitted = along(np.linalg.pinv(ours) @ theirs, fitted, 2 + axis)
    found = fitted
    for axis in range(len(layer.kernel)):
        found = along(taps(layer, part, axis)[1], found, 2 + axis)
    size = float(np.linalg.norm(wanted))
    return [fitted], float(np.linalg.norm(wanted - found)) / size if size else 0.0


def along(matrix: Array, array: Array, axis: int) -> Array:
    """`matrix` times `array` along one axis."""
    out: Array = np.moveaxis(np.tensordot(matrix, array, axes=(1, axis)), 0, axis)
    return out
