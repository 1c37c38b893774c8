"""Stacks of small kernels for a large one: each step by least squares while the other is held."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from convcost.alternatives.fitting.dense import Array, at, grouped
from convcost.alternatives.layer import ConvLayer

ROUNDS = 200
FEWEST = 3
MOST = 1e10
"""Products of one fit that are done at most, as far as `FEWEST` rounds allow."""
OVERHEAD = 2e5
"""What one operation on arrays costs besides its products."""
CLOSE = 1e-8


def stacked(kernel: Array, parts: Sequence[ConvLayer], seed: int) -> list[Array]:
    """W = last * … * first along space, mixing channels; dilation belongs to all steps alike.

    The first step is split off a kernel as large as all others, then those are split in the same way. Not convex: the
    nearest stack may be missed. The steps pad what is between them, so that borders differ even where the
    kernels are equal.
    """
    g = parts[0].group
    rows = []
    for i, own in enumerate(grouped(kernel, g)):
        rest, out = own, []
        for part in parts[:-1]:
            first, rest = split(rest, part.kernel, part.m // g, np.random.default_rng([seed, i]), MOST / g)
            out.append(first)
        rows.append([*out, rest])
    return [np.concatenate(step) for step in zip(*rows, strict=True)]


def split(
    kernel: Array, size: tuple[int, ...], width: int, random: np.random.Generator, most: float
) -> tuple[Array, Array]:
    """`first` (width × C × size) and `last` (M × width × the rest) whose composition is near `kernel` (M × C × K)."""
    m, c = kernel.shape[:2]
    rest = tuple(k - s + 1 for k, s in zip(kernel.shape[2:], size, strict=True))
    a, b = math.prod(size), math.prod(rest)
    work = (a + b) * width**2 * (c + m) * min(a, b) + (width * a) ** 3 + (width * b) ** 3 + OVERHEAD * (a**2 + b**2)
    first, found = begin(kernel, size, width, random), np.inf
    for _ in range(int(min(ROUNDS, max(FEWEST, most // work)))):
        last = solved(kernel, first, rest)
        first = mirrored(solved(mirrored(kernel), mirrored(last), size))
        before, found = found, distance(kernel, first, last)
        if before - found <= CLOSE * np.linalg.norm(kernel):
            break
    return first, last


def begin(kernel: Array, size: tuple[int, ...], width: int, random: np.random.Generator) -> Array:
    """A smooth start: the leading combinations of input channels in the middle, something small around it."""
    c = kernel.shape[1]
    first: Array = random.standard_normal((width, c, *size)) * 0.3 / np.sqrt(c * np.prod(size))
    _, vectors = np.linalg.eigh(np.einsum("mck,mdk->cd", *(kernel.reshape(*kernel.shape[:2], -1),) * 2, optimize=True))
    lead = vectors[:, ::-1].T[:width]
    middle: Any = (slice(len(lead)), slice(None), *(s // 2 for s in size))
    first[middle] += lead
    return first


def composed(first: Array, last: Array) -> Array:
    """The kernel of one convolution after the other."""
    size, rest = first.shape[2:], last.shape[2:]
    out = np.zeros((last.shape[0], first.shape[1], *(s + r - 1 for s, r in zip(size, rest, strict=True))))
    for tap in product(*map(range, rest)):
        place = tuple(slice(t, t + s) for t, s in zip(tap, size, strict=True))
        out[at(*place)] += np.tensordot(last[at(*tap)], first, 1)
    return out


def distance(kernel: Array, first: Array, last: Array) -> float:
    """Frobenius norm of what the two miss."""
    return float(np.linalg.norm(kernel - composed(first, last)))


def mirrored(kernel: Array) -> Array:
    """Channels exchanged: the first step becomes the last."""
    return kernel.swapaxes(0, 1)


def solved(kernel: Array, first: Array, rest: tuple[int, ...]) -> Array:
    """The last step for a given first one, by its normal equations."""
    m, width = kernel.shape[0], first.shape[0]
    size = first.shape[2:]
    taps = list(product(*map(range, rest)))
    gram = np.empty((width, len(taps), width, len(taps)))
    right = np.empty((m, width, len(taps)))
    flat = first.reshape(width, -1)
    shifted = {}
    for i, one in enumerate(taps):
        place = tuple(slice(t, t + s) for t, s in zip(one, size, strict=True))
        right[:, :, i] = kernel[at(*place)].reshape(m, -1) @ flat.T
        for j, other in enumerate(taps):
            shift = tuple(b - a for a, b in zip(one, other, strict=True))
            if shift not in shifted:
                shifted[shift] = overlap(first, shift)
            gram[:, i, :, j] = shifted[shift]
    n = width * len(taps)
    square = gram.reshape(n, n)
    square[np.diag_indices(n)] += 1e-12 * max(float(np.trace(square)) / n, 1e-300)
    return np.linalg.solve(square, right.reshape(m, n).T).T.reshape(m, width, *rest)


def overlap(first: Array, shift: tuple[int, ...]) -> Array:
    """Products of the step with itself moved by `shift`: width × width."""
    if any(abs(s) >= n for s, n in zip(shift, first.shape[2:], strict=True)):
        return np.zeros((first.shape[0],) * 2)
    here = tuple(slice(max(s, 0), n + min(s, 0)) for s, n in zip(shift, first.shape[2:], strict=True))
    there = tuple(slice(max(-s, 0), n + min(-s, 0)) for s, n in zip(shift, first.shape[2:], strict=True))
    a = first[at(*here)].reshape(first.shape[0], -1)
    b = first[at(*there)].reshape(first.shape[0], -1)
    out: Array = a @ b.T
    return out
