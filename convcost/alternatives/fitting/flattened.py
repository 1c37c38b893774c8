"""Flattened: for each output channel a channel vector times one vector along each axis."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

import numpy as np

from convcost.alternatives.fitting.dense import Array
from convcost.alternatives.layer import ConvLayer

ROUNDS = 40
CLOSE = 1e-12


def flattened(kernel: Array, parts: Sequence[ConvLayer]) -> list[Array]:
    """W[m, c, y, x] ≈ p[m, c] · a[m, y] · b[m, x]: rank 1, by alternating least squares from the leading directions."""
    m = kernel.shape[0]
    axes = [part.large[0] for part in parts[1:]]
    flat = kernel.transpose(0, 1, *(2 + a for a in axes), *(2 + a for a in range(kernel.ndim - 2) if a not in axes))
    flat = flat.reshape(m, kernel.shape[1], *(kernel.shape[2 + a] for a in axes))
    vectors = [leading(flat, axis) for axis in range(1, flat.ndim)]
    size = np.zeros(m)
    for _ in range(ROUNDS):
        for i in range(len(vectors)):
            found = contracted(flat, vectors, i)
            length = np.linalg.norm(found, axis=1, keepdims=True)
            vectors[i] = found / np.where(length > 0, length, 1)
        before, size = size, length[:, 0]
        if np.all(np.abs(size - before) <= CLOSE * np.maximum(size, CLOSE)):
            break
    scale = size[:, None] ** (1 / len(vectors))
    return [(v * scale).reshape(m, -1, *part.kernel) for v, part in zip(vectors, parts, strict=True)]


def leading(flat: Array, axis: int) -> Array:
    """For each output channel the direction along one axis that holds most of it."""
    rows = np.moveaxis(flat, axis, 1).reshape(flat.shape[0], flat.shape[axis], -1)
    if rows.shape[1] <= rows.shape[2]:
        _, vectors = np.linalg.eigh(rows @ np.swapaxes(rows, 1, 2))
        first: Array = vectors[:, :, -1]
        return first
    _, vectors = np.linalg.eigh(np.swapaxes(rows, 1, 2) @ rows)
    found: Array = np.einsum("mij,mj->mi", rows, vectors[:, :, -1])
    length = np.linalg.norm(found, axis=1, keepdims=True)
    unit: Array = found / np.where(length > 0, length, 1)
    return unit


def contracted(flat: Array, vectors: Sequence[Array], kept: int) -> Array:
    """`flat` times all vectors but one: m × the size of that axis."""
    letters = ascii_lowercase[1 : flat.ndim]
    terms = [f"a{letter}" for i, letter in enumerate(letters) if i != kept]
    others = [v for i, v in enumerate(vectors) if i != kept]
    out: Array = np.einsum(f"a{letters},{','.join(terms)}->a{letters[kept]}", flat, *others, optimize=True)
    return out
