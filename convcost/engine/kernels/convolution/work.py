"""Rough work of each algorithm, to leave out hopeless candidates and to choose without trials.

The unit is the time of one multiply-accumulate in a fast matrix product (about 0.0125 ns); an element that is copied or
added in cache costs about as much as 10 of them, one that einsum multiplies and adds 12.
"""

from __future__ import annotations

from math import log2, prod

from convcost.engine.kernels.convolution.fft import lengths_of
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.winograd import both_axes

MOVE = 10.0
EINSUM = 12.0
TRANSPOSE = 100.0
STREAM = 32.0
"""A weight read from memory."""
NARROW = 16
"""Channels that fill a vector; shorter products are no faster."""


def move(run: int) -> float:
    """A copied element, in runs of so many consecutive ones."""
    return MOVE * (1 + 32 / run)


def product_work(g: Geometry) -> float:
    """The products, slower where a group has few channels: vectors stay partly empty."""
    narrow = max(1.0, NARROW / g.mg) * max(1.0, NARROW / (g.cg * g.taps))
    return g.macs * narrow + STREAM * g.taps * g.cg * g.m


def pointwise(g: Geometry) -> float:
    """One product on the input itself."""
    return product_work(g)


def im2col(g: Geometry) -> float:
    """One product, and a copy of every window."""
    run = g.cg if g.group > 1 else g.c * g.kernel[-1]
    return product_work(g) + move(run) * g.positions * g.taps * g.c


def depthwise(g: Geometry, *, moves: int) -> float:
    """One multiply-add a tap, and the transposition of the input or output or both."""
    return EINSUM * g.macs + moves * TRANSPOSE * g.positions * g.c


def winograd(g: Geometry, *, alpha: int) -> float:
    """α² products a tile and channel pair, the transforms as products, and a copy on the way in and out."""
    h, v = both_axes(g, alpha)
    tiles = g.batch * -(-g.out[0] // h.m) * -(-g.out[1] // v.m)
    c, points, outputs = g.c * h.s * v.s, h.alpha * v.alpha, h.m * v.m
    narrow = (1 + NARROW / (c // g.group)) * max(1.0, NARROW / g.mg)
    sums = points * c * g.mg * narrow
    each = max(points, NARROW)
    transforms = points * c * (each + move(c)) + outputs * g.m * (each + move(g.m))
    return tiles * (sums + transforms) + STREAM * points * c * g.mg


def transposed(g: Geometry) -> float:
    """The products, their gathering, and the interleaving of the outputs."""
    return product_work(g) + MOVE * (g.batch * prod(g.spatial) * g.c * g.taps + g.positions * g.m)


def col2im(g: Geometry) -> float:
    """The products, and an addition of each of their outputs."""
    return product_work(g) + 2 * MOVE * g.batch * prod(g.spatial) * g.m * g.taps


def fft(g: Geometry) -> float:
    """Transforms of every channel, and complex products of every pair."""
    size = prod(lengths_of(g))
    transforms = 4.0 * size * log2(max(2, size)) * MOVE / 4
    return g.batch * ((g.c + g.m) * transforms + 4.0 * size * g.c * g.mg)
