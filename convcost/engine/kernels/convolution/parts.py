"""Shares of a convolution by output channels.

Shares by position each read all weights, which a small map with many channels does not repay: its products have few
rows, too. Shares by channel each read the whole input and their own weights.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy.typing as npt

from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.table import FIRST, Algorithm
from convcost.engine.kernels.convolution.workspace import Array

ABLE = ("pointwise", "im2col", "winograd-f4", "winograd-f2")
"""Algorithms that write some channels of a wider array."""
LANES = 16
"""Single precision numbers in a vector: shares begin at multiples of it."""
WORTH = 4
"""Shares by channel are tried where this many times the weights are more than the input or the output."""


def divides(a: Algorithm, g: Geometry, threads: int) -> bool:
    """Whether the output channels can be shared among so many threads."""
    plain = g.group == 1 and not g.transposed and not g.shuffled and not g.floored
    return threads > 1 and plain and a.name in ABLE and g.m >= 2 * LANES * threads and weight(g) * WORTH >= maps(g)


def heavy(g: Geometry) -> bool:
    """Whether there are more weights than inputs or outputs."""
    return weight(g) >= maps(g)


def weight_bytes(a: Algorithm, g: Geometry, count: int) -> int:
    """Bytes of the prepared weights of all shares."""
    return sum(a.weight_bytes(part_of(g, part)) for part in ranges(g, count))


def scratch(a: Algorithm, g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int, count: int) -> int:
    """Bytes of scratch a thread; where `count` of them share the channels, each works on its own."""
    if count == 1:
        return a.scratch(g, tile, dtype, threads)
    return max(a.scratch(part_of(g, part), tile, dtype, 1) for part in ranges(g, count))


def weight(g: Geometry) -> int:
    """Numbers of the kernel."""
    return g.m * g.cg * g.taps


def maps(g: Geometry) -> int:
    """Numbers of the input or output."""
    return g.positions * max(g.c, g.m)


def ranges(g: Geometry, count: int) -> list[tuple[int, int]]:
    """The output channels of each of `count` shares."""
    if count == 1:
        return [(0, g.m)]
    blocks = -(-g.m // LANES)
    cuts = [min(g.m, blocks * i // count * LANES) for i in range(count)] + [g.m]
    return list(pairwise(cuts))


def part_of(g: Geometry, part: tuple[int, int]) -> Geometry:
    """The geometry of some output channels."""
    return g if part == (0, g.m) else replace(g, m=part[1] - part[0])


def channels(y: Array, part: tuple[int, int], layout: str) -> Array:
    """Some channels of an array, a view."""
    return y[:, slice(*part)] if layout == FIRST else y[..., slice(*part)]
