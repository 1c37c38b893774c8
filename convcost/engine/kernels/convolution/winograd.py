"""Winograd's minimal filtering F(m, r) along one or two axes, for kernels of 2 to 5 taps, strided ones too.

A tile of α = m + r - 1 inputs gives m outputs with α products instead of m·r: F(4×4, 3×3) needs a quarter of the
multiplications, F(2×2, 3×3) 4/9. The sums over channels become α² matrix products on a whole block of tiles.

The interpolation points are 0, ±1, ∞ for α = 4 and 0, ±1, ±√2, ∞ for α = 6. With ±√2 the transforms need one
multiplication by a constant and 14 additions a vector of six (11 operations for the inverse), instead of 17 with ±2.
A stride s is turned into s² times the channels and a kernel of ceil(k / s) taps.

The error is that of a sum of α terms scaled by the transforms, relative to the largest output in float32: about 2e-6
for α = 4 and 1e-5 for α = 6. It is larger than that of a direct sum (3e-7), so neither is `exact`.
Sources: A. Lavin, S. Gray, "Fast algorithms for convolutional neural networks", arXiv:1509.09308; for other points
than ±2: B. Barabasz et al., "Error analysis and improving the accuracy of Winograd convolution", arXiv:1803.10986.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from convcost.engine.kernels.convolution import gemm
from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.slab import copy_channels, strided
from convcost.engine.kernels.convolution.transforms import evaluate, filter_matrix, interpolate
from convcost.engine.kernels.convolution.workspace import Array, Box, Program, Workspace, boxes, lengths, scratch_size


@dataclass(frozen=True, slots=True)
class Axis:
    """One spatial axis: α products give m outputs of r taps, after the stride s is turned into channels."""

    alpha: int
    m: int
    r: int
    s: int

    @property
    def tail(self) -> int:
        """Groups of m columns that a tile reads beyond its own."""
        return -(-(self.alpha - self.m) // self.m)


def axis(k: int, s: int, alpha: int) -> Axis | None:
    """The transform of an axis of k taps and stride s; None where there is none. One tap needs none."""
    r = -(-k // s)
    if r == 1:
        return Axis(1, 1, 1, s)
    m = alpha + 1 - r
    return Axis(alpha, m, r, s) if m >= 2 else None


def axes(g: Geometry, alpha: int) -> tuple[Axis, Axis] | None:
    """The transforms of both axes; None where one has none."""
    h, w = (axis(k, s, alpha) for k, s in zip(g.kernel, g.strides, strict=True))
    return None if h is None or w is None else (h, w)


def both_axes(g: Geometry, alpha: int) -> tuple[Axis, Axis]:
    """The transforms of both axes of a geometry to which this applies."""
    both = axes(g, alpha)
    assert both is not None
    return both


def applies(g: Geometry, *, alpha: int) -> str | None:
    """None, or why not."""
    if g.transposed:
        return "transposed"
    if g.rank != 2:
        return "not one or two dimensions"
    if any(d > 1 and k > 1 for d, k in zip(g.dilations, g.kernel, strict=True)):
        return "dilated"
    both = axes(g, alpha)
    if both is None:
        return "the kernel is too large"
    if prod(a.r for a in both) == 1:
        return "one tap"
    if g.group > 1 and max(g.strides) > 1:
        return "strided groups"
    return "one channel a group" if g.cg * prod(g.strides) == 1 else None


def prepare(w: Array, g: Geometry, *, alpha: int) -> Array:
    """Weights (M, C/g, kh, kw) as (αw·αh, g, s²·C/g, M/g)."""
    (h, v), (kh, kw) = both_axes(g, alpha), g.kernel
    full = np.zeros((g.m, g.cg, h.r * h.s, v.r * v.s), np.float64)
    full[:, :, :kh, :kw] = w
    parts = full.reshape(g.group, g.mg, g.cg, h.r, h.s, v.r, v.s)
    u = np.einsum(
        "ia,jb,gmcasbt->jigstcm", filter_matrix(h.alpha, h.r), filter_matrix(v.alpha, v.r), parts, optimize=True
    )
    return gemm.placed(u, (h.alpha * v.alpha, g.group, h.s * v.s * g.cg, g.mg), w.dtype)


def blocks(g: Geometry, alpha: int, tile: int, itemsize: int, threads: int) -> list[Box]:
    """Boxes of (image, tile row, tile column) whose transformed inputs and outputs take about `tile` bytes."""
    h, v = both_axes(g, alpha)
    grid = (g.batch, -(-g.out[0] // h.m), -(-g.out[1] // v.m))
    one = h.alpha * v.alpha * (g.c * h.s * v.s + g.m) * itemsize
    return boxes(grid, max(1, tile // one), threads)


def shapes(g: Geometry, h: Axis, v: Axis, box: Box) -> tuple[tuple[int, ...], ...]:
    """Shapes of the slab, its transform along the rows, both transforms, the products, and their two inverses."""
    n, ty, tx = lengths(box)
    c = g.c * h.s * v.s
    return (
        (n, (ty + h.tail) * h.m, v.m, tx + v.tail, c),
        (h.alpha, n, ty, v.m, tx + v.tail, c),
        (v.alpha, h.alpha, n, ty, tx, c),
        (v.alpha, h.alpha, n, ty, tx, g.m),
        (v.m, h.alpha, n, ty, tx, g.m),
        (h.m, v.m, n, ty, tx, g.m),
    )


def regions(g: Geometry, h: Axis, v: Axis, box: Box) -> tuple[int, int]:
    """Elements of the two regions of scratch: slab and half transform, then the products; transforms, then inverses."""
    slab, half, ready, products, z, out = (prod(s) for s in shapes(g, h, v, box))
    one = max(slab + half + half // h.alpha, products)
    return one, max(ready + ready // v.alpha, z + out + max(z // v.m, out // h.m))


def scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int, *, alpha: int) -> int:
    """Bytes of scratch a thread."""
    h, v = both_axes(g, alpha)
    sizes = [regions(g, h, v, b) for b in blocks(g, alpha, tile, np.dtype(dtype).itemsize, threads)]
    return max(scratch_size(dtype, (a,), (b,)) for a, b in sizes)


def compiled(
    x: Array, u: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, alpha: int, first: bool
) -> list[Program]:
    """x: (N, H, W, C), or (N, C, H, W) with `first`, to y: (N, H', W', M)."""
    h, v = both_axes(g, alpha)
    source = x.transpose(0, 2, 3, 1) if first else x
    rest = end.unbiased()
    flat = y.reshape(g.positions, g.m)

    def share(part: Sequence[Box], slot: int) -> Program:
        program: Program = []
        for box in part:
            one, two = ws.take(slot, x.dtype, *((n,) for n in regions(g, h, v, box)))
            program += forward(source, g, h, v, box, one, two)
            program += multiply(u, g, h, v, box, one, two)
            if end.bias is not None:
                (products,) = carve(one, shapes(g, h, v, box)[3])
                ones = products[min(1, v.alpha - 1), min(1, h.alpha - 1)]
                program.append((np.add, (ones, end.bias, ones)))
            program += backward(g, h, v, box, one, two, y)
            program += finish(rest, flat, g, h, v, box)
        return program

    return ws.share(blocks(g, alpha, tile, x.itemsize, ws.threads), share)


def carve(region: Array, *wanted: tuple[int, ...]) -> list[Array]:
    """Arrays of these shapes, one after the other in a region."""
    cuts = [0]
    for shape in wanted:
        cuts.append(cuts[-1] + prod(shape))
    return [region[a:b].reshape(s) for (a, b), s in zip(pairwise(cuts), wanted, strict=True)]


def forward(x: Array, g: Geometry, h: Axis, v: Axis, box: Box, one: Array, two: Array) -> Program:
    """The transforms of a block of input tiles, to (αw, αh, n, ty, tx, s²·C) in region two."""
    slab_shape, half_shape, ready_shape, *_ = shapes(g, h, v, box)
    slab, half, spare = carve(one, slab_shape, half_shape, half_shape[1:])
    ready, other = carve(two, ready_shape, ready_shape[1:])
    ty, tx = half_shape[2], ready_shape[4]
    rows = slab.reshape(slab_shape[0], -1, h.m, *slab_shape[2:])
    return [
        *fill(x, g, h, v, box, slab),
        *interpolate([rows[:, i // h.m : i // h.m + ty, i % h.m] for i in range(h.alpha)], list(half), spare),
        *interpolate([half[:, :, :, j % v.m, j // v.m : j // v.m + tx] for j in range(v.alpha)], list(ready), other),
    ]


def fill(x: Array, g: Geometry, h: Axis, v: Axis, box: Box, slab: Array) -> Program:
    """Copy the padded input of a block to (n, rows, m, tx, sh·sw·C), column t·m + p at [p, t], strides in channels."""
    (n0, n1), (y0, _), (x0, _) = box
    top, left = y0 * h.m * h.s - g.before[0], x0 * v.m * v.s - g.before[1]
    height, width = slab.shape[1], slab.shape[2] * slab.shape[3]
    program: Program = []
    if top < 0 or left < 0 or top + height * h.s > g.spatial[0] or left + width * v.s > g.spatial[1]:
        program.append((slab.fill, (0,)))
    target = slab.reshape(*slab.shape[:4], h.s, v.s, g.c)
    for p, j, i in product(range(v.m), range(v.s), range(h.s)):
        a, b, cols = strided(left + p * v.s + j, v.m * v.s, slab.shape[3], g.spatial[1])
        c, d, rows = strided(top + i, h.s, height, g.spatial[0])
        if a < b and c < d:
            program += copy_channels(target[:, c:d, p, a:b, i, j], x[n0:n1, rows, cols])
    return program


def multiply(u: Array, g: Geometry, h: Axis, v: Axis, box: Box, one: Array, two: Array) -> Program:
    """The products of each of the α² components, to (αw, αh, n, ty, tx, M) in region one."""
    _, _, ready_shape, shape, *_ = shapes(g, h, v, box)
    (ready,), (products,) = carve(two, ready_shape), carve(one, shape)
    count, tiles = u.shape[0], prod(shape[2:5])
    rows = ready.reshape(count, tiles, g.group, -1)
    out = products.reshape(count, tiles, g.group, g.mg)
    return [step for q in range(g.group) for step in gemm.product(rows[:, :, q], u[:, q], out[:, :, q])]


def backward(g: Geometry, h: Axis, v: Axis, box: Box, one: Array, two: Array, y: Array) -> Program:
    """The inverse transforms of a block, to y, without what lies beyond its edges."""
    *_, shape, z_shape, out_shape = shapes(g, h, v, box)
    (products,), (z, w) = carve(one, shape), carve(two, z_shape, out_shape)
    spare = two[z.size + w.size :]
    program = [
        *evaluate(list(products), list(z), *carve(spare, z_shape[1:])),
        *evaluate([z[:, i] for i in range(h.alpha)], list(w), *carve(spare, out_shape[1:])),
    ]
    (n0, n1), (y0, y1), (x0, x1) = box
    tiles = w.transpose(2, 3, 0, 4, 1, 5)
    st = y.strides
    for t0, t1, rows in pieces(y0, y1, h.m, g.out[0]):
        for s0, s1, cols in pieces(x0, x1, v.m, g.out[1]):
            target = as_strided(
                y[n0:, t0 * h.m :, s0 * v.m :],
                (n1 - n0, t1 - t0, rows, s1 - s0, cols, g.m),
                (st[0], st[1] * h.m, st[1], st[2] * v.m, st[2], st[3]),
            )
            source = tiles[:, t0 - y0 : t1 - y0, :rows, s0 - x0 : s1 - x0, :cols]
            program.append((np.copyto, (target, source)))
    return program


def pieces(a: int, b: int, m: int, size: int) -> list[tuple[int, int, int]]:
    """Tiles a to b of m outputs each, as (first, last, outputs of each): whole ones, then one that the edge cuts."""
    whole = min(b, size // m)
    out = [(a, whole, m)] if whole > a else []
    return [*out, (whole, b, size - whole * m)] if whole < b else out


def finish(end: Epilogue, flat: Array, g: Geometry, h: Axis, v: Axis, box: Box) -> Program:
    """Apply the rest of the epilogue to the outputs of a block, by whole lines where it has them."""
    (n0, n1), (y0, y1), (x0, x1) = box
    height, width = g.out
    top, bottom, left, right = y0 * h.m, min(y1 * h.m, height), x0 * v.m, min(x1 * v.m, width)
    program: Program = []
    if end.idle:
        return program
    for n in range(n0, n1):
        if right - left == width:
            program += end.last(flat, (n * height + top) * width, (n * height + bottom) * width)
            continue
        for line in range(top, bottom):
            program += end.last(flat, (n * height + line) * width + left, (n * height + line) * width + right)
    return program
