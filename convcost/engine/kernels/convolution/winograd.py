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
from functools import lru_cache
from itertools import pairwise
from math import prod, sqrt

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.workspace import Array, Box, Workspace, boxes, scratch_size

POINTS = {4: (0.0, 1.0, -1.0), 6: (0.0, 1.0, -1.0, sqrt(2), -sqrt(2))}
ROOT = np.float32(sqrt(2))
"""The finite interpolation points of each α."""


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
    return "one channel a group" if g.cg * prod(g.strides) == 1 else None


def filter_matrix(a: Axis) -> npt.NDArray[np.float64]:
    """G: (α, r), the values of a filter of r taps at the points, divided by the Lagrange factors."""
    if a.alpha == 1:
        return np.ones((1, 1))
    points = POINTS[a.alpha]
    rows = [[p**t / prod(p - q for q in points if q != p) for t in range(a.r)] for p in points]
    return np.array([*rows, [0.0] * (a.r - 1) + [1.0]])


def prepare(w: Array, g: Geometry, *, alpha: int) -> Array:
    """Weights (M, C/g, kh, kw) as (αw·αh, g, s²·C/g, M/g)."""
    both = axes(g, alpha)
    assert both is not None
    (h, v), (kh, kw) = both, g.kernel
    full = np.zeros((g.m, g.cg, h.r * h.s, v.r * v.s), np.float64)
    full[:, :, :kh, :kw] = w
    parts = full.reshape(g.group, g.mg, g.cg, h.r, h.s, v.r, v.s)
    u = np.einsum("ia,jb,gmcasbt->jigstcm", filter_matrix(h), filter_matrix(v), parts, optimize=True)
    out: Array = np.ascontiguousarray(u.reshape(h.alpha * v.alpha, g.group, h.s * v.s * g.cg, g.mg).astype(w.dtype))
    return out


@lru_cache(maxsize=4096)
def blocks(g: Geometry, alpha: int, tile: int, itemsize: int, threads: int) -> tuple[Box, ...]:
    """Boxes of (image, tile row, tile column) whose transformed inputs and outputs take about `tile` bytes."""
    both = axes(g, alpha)
    assert both is not None
    h, v = both
    grid = (g.batch, -(-g.out[0] // h.m), -(-g.out[1] // v.m))
    one = h.alpha * v.alpha * (g.c * h.s * v.s + g.m) * itemsize
    return tuple(boxes(grid, max(1, tile // one), threads))


def shapes(g: Geometry, h: Axis, v: Axis, box: Box) -> tuple[tuple[int, ...], ...]:
    """Shapes of the slab, its transform along the rows, both transforms, and of the products with their inverses."""
    n, ty, tx = (b - a for a, b in box)
    c = g.c * h.s * v.s
    slab = (n, (ty + h.tail) * h.m, v.m, tx + v.tail, c)
    half = (h.alpha, n, ty, v.m, tx + v.tail, c)
    return (
        slab,
        half,
        (v.alpha, h.alpha, n, ty, tx, c),
        (v.alpha, h.alpha, n, ty, tx, g.m),
        (v.m, h.alpha, n, ty, tx, g.m),
        (h.m, v.m, n, ty, tx, g.m),
    )


def regions(g: Geometry, h: Axis, v: Axis, box: Box) -> tuple[int, int]:
    """Elements of the two regions of scratch: slab and half transform, later the products; transforms, later inverses."""
    slab, half, v_in, y_out, z, out = (prod(s) for s in shapes(g, h, v, box))
    first = slab + half + half // max(1, h.alpha)
    return max(first, y_out), max(v_in + v_in // v.alpha, z + out + max(z // v.m, out // h.m))


def scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int, *, alpha: int) -> int:
    """Bytes of scratch a thread."""
    both = axes(g, alpha)
    assert both is not None
    sizes = [regions(g, *both, b) for b in blocks(g, alpha, tile, np.dtype(dtype).itemsize, threads)]
    return max(scratch_size(dtype, (a,), (b,)) for a, b in sizes)


def run(
    x: Array, u: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, alpha: int, first: bool
) -> None:
    """x: (N, H, W, C), or (N, C, H, W) with `first`, to y: (N, H', W', M)."""
    both = axes(g, alpha)
    assert both is not None
    h, v = both
    source = x.transpose(0, 2, 3, 1) if first else x
    rest = Epilogue(addend=end.addend, activation=end.activation)
    flat = y.reshape(g.positions, g.m)

    def work(share: Sequence[Box], slot: int) -> None:
        for box in share:
            one, two = ws.take(slot, x.dtype, *((n,) for n in regions(g, h, v, box)))
            transformed = forward(source, g, h, v, box, one, two)
            products = multiply(transformed, u, g, one)
            if end.bias is not None:
                tiles = products[min(1, v.alpha - 1), min(1, h.alpha - 1)]
                np.add(tiles, end.bias, out=tiles)
            backward(products, g, h, v, box, two, y)
            if not rest.idle:
                finish(rest, flat, g, h, v, box)

    ws.share(blocks(g, alpha, tile, x.itemsize, ws.threads), work)


def carve(region: Array, *wanted: tuple[int, ...]) -> list[Array]:
    """Arrays of these shapes, one after the other in a region."""
    cuts = [0]
    for shape in wanted:
        cuts.append(cuts[-1] + prod(shape))
    return [region[a:b].reshape(s) for (a, b), s in zip(pairwise(cuts), wanted, strict=True)]


def forward(x: Array, g: Geometry, h: Axis, v: Axis, box: Box, one: Array, two: Array) -> Array:
    """The transforms of a block of input tiles: (αw, αh, n, ty, tx, s²·C) in region two."""
    slab_shape, half_shape, in_shape, *_ = shapes(g, h, v, box)
    slab, half, spare = carve(one, slab_shape, half_shape, half_shape[1:])
    fill(x, g, h, v, box, slab)
    ty, tx = half_shape[2], in_shape[4]
    rows = slab.reshape(slab_shape[0], -1, h.m, *slab_shape[2:])
    interpolate([rows[:, i // h.m : i // h.m + ty, i % h.m] for i in range(h.alpha)], list(half), spare)
    transformed, spare = carve(two, in_shape, in_shape[1:])
    interpolate([half[:, :, :, j % v.m, j // v.m : j // v.m + tx] for j in range(v.alpha)], list(transformed), spare)
    return transformed


def fill(x: Array, g: Geometry, h: Axis, v: Axis, box: Box, slab: Array) -> None:
    """Copy the padded input of a block to (n, rows, m, tx, sh·sw·C), column t·m + p at [p, t], strides in channels."""
    (n0, n1), (y0, _), (x0, _) = box
    top, left = y0 * h.m * h.s - g.before[0], x0 * v.m * v.s - g.before[1]
    height, width = slab.shape[1], slab.shape[2] * slab.shape[3]
    if top < 0 or left < 0 or top + height * h.s > g.spatial[0] or left + width * v.s > g.spatial[1]:
        slab.fill(0)
    target = slab.reshape(*slab.shape[:4], h.s, v.s, g.c)
    for p in range(v.m):
        for j in range(v.s):
            step = v.m * v.s
            a, b, cols = strided(left + p * v.s + j, step, slab.shape[3], g.spatial[1])
            if b <= a:
                continue
            for i in range(h.s):
                c, d, rows = strided(top + i, h.s, height, g.spatial[0])
                if d > c:
                    target[:, c:d, p, a:b, i, j] = x[n0:n1, rows, cols]


def strided(start: int, step: int, count: int, size: int) -> tuple[int, int, slice]:
    """Which of `count` places start, start + step … lie in [0, size): the first, the one after, and their slice."""
    a = max(0, -(start // step))
    b = min(count, -((start - size) // step))
    return a, max(a, b), slice(start + a * step, max(start + (b - 1) * step + 1, 0), step)


def multiply(transformed: Array, u: Array, g: Geometry, one: Array) -> Array:
    """The products of each of the α² components: (αw, αh, n, ty, tx, M) in region one."""
    shape = (*transformed.shape[:-1], g.m)
    (products,) = carve(one, shape)
    count, tiles = u.shape[0], prod(shape[2:5])
    if g.group == 1:
        np.matmul(transformed.reshape(count, tiles, -1), u[:, 0], out=products.reshape(count, tiles, g.m))
    else:
        phases = transformed.shape[-1] // g.c
        parts = transformed.reshape(count, tiles, phases, g.group, g.cg)
        left = parts.transpose(0, 3, 1, 2, 4).reshape(count, g.group, tiles, phases * g.cg)
        np.matmul(left, u, out=products.reshape(count, tiles, g.group, g.mg).transpose(0, 2, 1, 3))
    return products


def backward(products: Array, g: Geometry, h: Axis, v: Axis, box: Box, two: Array, y: Array) -> None:
    """The inverse transforms of a block, to y."""
    *_, z_shape, out_shape = shapes(g, h, v, box)
    z, w = carve(two, z_shape, out_shape)
    rest = two[z.size + w.size :]
    evaluate(list(products), list(z), *carve(rest, z_shape[1:]))
    columns = [z[:, i] for i in range(h.alpha)]
    (n0, n1), (y0, y1), (x0, x1) = box
    whole = y1 * h.m <= g.out[0] and x1 * v.m <= g.out[1]
    if whole:
        st = y.strides
        targets = [
            as_strided(
                y[n0:, y0 * h.m + i :, x0 * v.m :],
                out_shape[1:],
                (st[2], st[0], st[1] * h.m, st[2] * v.m, st[3]),
            )
            for i in range(h.m)
        ]
        evaluate(columns, targets, w[0])
        return
    evaluate(columns, list(w), *carve(rest, out_shape[1:]))
    tiles = w.transpose(2, 3, 0, 4, 1, 5)
    bottom, right = min(y1 * h.m, g.out[0]) - y0 * h.m, min(x1 * v.m, g.out[1]) - x0 * v.m
    for i in range(h.m):
        for j in range(v.m):
            part = y[n0:n1, y0 * h.m + i : y0 * h.m + bottom : h.m, x0 * v.m + j : x0 * v.m + right : v.m]
            part[...] = tiles[:, : part.shape[1], i, : part.shape[2], j]


def interpolate(d: Sequence[Array], out: Sequence[Array], t: Array) -> None:
    """out[i] = the value of the polynomial of coefficients d at point i (Bᵀd); t is scratch of the shape of out[0]."""
    if len(d) == 1:
        np.copyto(out[0], d[0])
    elif len(d) == 4:
        np.subtract(d[2], d[0], out=out[0])
        np.add(d[2], d[1], out=out[1])
        np.subtract(d[2], d[1], out=out[2])
        np.subtract(d[3], d[1], out=out[3])
    else:
        even, odd = out[3], out[4]
        np.subtract(d[4], d[2], out=even)
        np.subtract(d[3], d[1], out=odd)
        np.subtract(d[0], d[2], out=out[0])
        np.add(out[0], out[0], out=out[0])
        np.add(out[0], even, out=out[0])
        np.subtract(d[5], d[3], out=out[5])
        np.subtract(out[5], odd, out=out[5])
        np.subtract(out[5], odd, out=out[5])
        np.subtract(even, d[2], out=out[1])
        np.subtract(odd, d[1], out=t)
        np.subtract(out[1], t, out=out[2])
        np.add(out[1], t, out=out[1])
        np.multiply(odd, ROOT, out=t)
        np.subtract(even, t, out=out[4])
        np.add(even, t, out=out[3])


def evaluate(p: Sequence[Array], out: Sequence[Array], t: Array) -> None:
    """out = Aᵀp: the len(out) outputs of a tile from its α products; t is scratch of the shape of out[0]."""
    m = len(out)
    if len(p) == 1:
        np.copyto(out[0], p[0])
    elif len(p) == 4:
        np.add(p[0], p[1], out=out[0])
        np.add(out[0], p[2], out=out[0])
        np.subtract(p[1], p[2], out=out[1])
        if m == 3:
            np.add(p[1], p[2], out=out[2])
        np.add(out[m - 1], p[3], out=out[m - 1])
    else:
        sums(p, out, t, m)
        np.add(out[m - 1], p[5], out=out[m - 1])


def sums(p: Sequence[Array], out: Sequence[Array], t: Array, m: int) -> None:
    """The parts of `evaluate` at the finite points 0, ±1, ±√2: out[j] = Σ point^j · p."""
    if m >= 3:
        np.add(p[3], p[4], out=t)
        np.add(p[1], p[2], out=out[2])
        np.add(out[2], t, out=out[2])
        np.add(p[0], out[2], out=out[0])
        np.add(out[2], t, out=out[2])
        if m == 5:
            np.add(t, t, out=t)
            np.add(out[2], t, out=out[4])
    else:
        np.add(p[0], p[1], out=out[0])
        np.add(out[0], p[2], out=out[0])
        np.add(out[0], p[3], out=out[0])
        np.add(out[0], p[4], out=out[0])
    np.subtract(p[3], p[4], out=t)
    np.multiply(t, ROOT, out=t)
    np.subtract(p[1], p[2], out=out[1])
    np.add(out[1], t, out=out[1])
    if m >= 4:
        np.add(out[1], t, out=out[3])


def finish(end: Epilogue, flat: Array, g: Geometry, h: Axis, v: Axis, box: Box) -> None:
    """Apply the rest of the epilogue to the outputs of a block, by whole lines where it has them."""
    (n0, n1), (y0, y1), (x0, x1) = box
    height, width = g.out
    bottom, left, right = min(y1 * h.m, height), x0 * v.m, min(x1 * v.m, width)
    for n in range(n0, n1):
        if right - left == width:
            end.last(flat, (n * height + y0 * h.m) * width, (n * height + bottom) * width)
            continue
        for line in range(y0 * h.m, bottom):
            end.last(flat, (n * height + line) * width + left, (n * height + line) * width + right)
