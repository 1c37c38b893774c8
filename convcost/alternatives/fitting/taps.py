"""Forms of one convolution: weights are kept, left out, or moved. What is kept is the least-squares solution."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.alternatives.fitting.dense import Array, at, blocks
from convcost.alternatives.layer import ConvLayer


def regrouped(kernel: Array, parts: Sequence[ConvLayer]) -> list[Array]:
    """The weights inside the groups; all of them where the form has one group."""
    return [blocks(kernel, parts[0].group)]


def thinned(kernel: Array, parts: Sequence[ConvLayer]) -> list[Array]:
    """The taps that a dilated kernel still has: the first, the middle and the last along each axis."""
    steps = [(k - 1) // (n - 1) if n > 1 else 1 for k, n in zip(kernel.shape[2:], parts[0].kernel, strict=True)]
    return [blocks(kernel[at(*(slice(None, None, s) for s in steps))], parts[0].group)]
