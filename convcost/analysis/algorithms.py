"""What a convolution would cost under other algorithms: im2col, Winograd, tiled and whole-image FFT.

All counts are exact integers; multiplications of the element-wise stage and FLOPs of the transforms are kept apart,
since transforms are shared by channels and, for the filter, by all images.
"""

from __future__ import annotations

from convcost.analysis import winograd
from convcost.ir import Tensor, ceildiv, known, product
from convcost.ops.base import Call
from convcost.ops.conv import ConvAttrs
from convcost.ops.windows import window_of
from convcost.record import AlgorithmCost

WINOGRAD_TILES = (2, 4, 6)
FFT_TILES = (8, 16, 32, 64, 128, 256)
BUTTERFLY = 5
"""A radix-2 complex FFT of n points takes 5 n log2 n FLOPs: n/2 butterflies of 4 multiplications and 6 additions."""


class Geometry:
    """A convolution in numbers: x (n, c, *i), w (m, cg, *k) → y (n, m, *o)."""

    def __init__(self, x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], attrs: ConvAttrs) -> None:
        self.n, self.c, self.i = x[0], x[1], x[2:]
        self.m, self.cg, self.k = w[0], w[1], w[2:]
        self.o = y[2:]
        window = window_of(attrs, x[2:], w[2:])
        self.strides, self.dilations = window.strides, window.dilations
        self.padded = tuple(
            i + known(b, "padding") + known(e, "padding")
            for i, b, e in zip(self.i, window.before, window.after, strict=True)
        )
        self.direct = self.n * self.m * prod(self.o) * self.cg * prod(self.k)


def prod(values: tuple[int, ...]) -> int:
    """Π values."""
    out = product(values)
    assert isinstance(out, int)
    return out


def algorithms(call: Call) -> list[AlgorithmCost]:
    """The algorithms for one Conv, direct first; those that do not apply say why. Empty where sizes are not numbers."""
    if not isinstance(call.attrs, ConvAttrs):
        return []
    x, w, y = sizes(call.inputs[0]), sizes(call.inputs[1]), sizes(call.outputs[0])
    return of_geometry(x, w, y, call.attrs) if x and w and y else []


def of_geometry(x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], attrs: ConvAttrs) -> list[AlgorithmCost]:
    """The algorithms for x (N, C, *I), w (M, C/g, *K) → y (N, M, *O), direct first."""
    g = Geometry(x, w, y, attrs)
    out = [AlgorithmCost(name="direct", multiplications=g.direct), im2col(g)]
    out += [winograd_cost(g, m) for m in WINOGRAD_TILES]
    return [*out, fft_tiled(g), fft_whole(g)]


def sizes(t: Tensor | None) -> tuple[int, ...]:
    """The shape where it is known, without symbols and zeros, else ()."""
    shape = t.shape if t is not None and t.shape is not None else ()
    found = tuple(d for d in shape if isinstance(d, int) and d > 0)
    return found if len(found) == len(shape) else ()


def im2col(g: Geometry) -> AlgorithmCost:
    """One matrix product over unrolled windows: the direct multiplications, N·ΠO × C·ΠK elements of buffer.

    A 1×1 kernel with stride 1 reads the input as the matrix: no buffer.
    """
    plain = all(k == 1 for k in g.k) and all(s == 1 for s in g.strides) and g.padded == g.i
    buffer = 0 if plain else g.n * prod(g.o) * g.c * prod(g.k)
    return AlgorithmCost(name="im2col", multiplications=g.direct, buffer_elements=buffer)


def unfit(g: Geometry) -> str | None:
    """Why neither Winograd nor FFT fits."""
    if any(s != 1 for s in g.strides):
        return "it needs stride 1"
    if any(d != 1 for d, k in zip(g.dilations, g.k, strict=True) if k > 1):
        return "it needs dilation 1"
    if all(k == 1 for k in g.k):
        return "a 1×1 kernel has nothing to save"
    return None


def winograd_cost(g: Geometry, m: int) -> AlgorithmCost:
    """F(m, k) along each axis whose kernel is larger than 1, ragged tiles in full.

    Multiplications: N · tiles · Π(m+k-1) · C/g · M. Transform FLOPs: data for every tile and input channel, filter for
    every kernel (done once), inverse for every tile and output channel.
    Source: arXiv:1509.09308, section 4: μ(F(m×n, r×s)) = (m+r-1)(n+s-1).
    """
    name = f"winograd F({m})"
    reason = unfit(g)
    active = tuple(k > 1 for k in g.k)
    r = max(g.k)
    t = m + r - 1
    if reason is None and t > winograd.MOST_INPUTS:
        reason = f"a kernel of {r} is too large"
    if reason is None and any(k not in (1, r) for k in g.k):
        reason = "it needs kernels of one size along all axes"
    if reason is not None:
        return AlgorithmCost(name=name, multiplications=None, skipped=reason)
    tiles = g.n
    for o, is_active in zip(g.o, active, strict=True):
        many = ceildiv(o, m) if is_active else o
        assert isinstance(many, int)
        tiles *= many
    large = tuple(t if a else 1 for a in active)
    cost = winograd.transforms(m, r)
    kernels = g.m * g.cg
    return AlgorithmCost(
        name=name,
        multiplications=tiles * prod(large) * g.cg * g.m,
        data_transform_flops=tiles * g.c * winograd.nested(cost.data, large, t, active),
        filter_transform_flops=kernels * winograd.nested(cost.filter, g.k, t, active),
        inverse_transform_flops=tiles * g.m * winograd.nested(cost.inverse, large, m, active),
    )


def tiled(g: Geometry, t: int) -> tuple[int, int]:
    """(multiplications, tiles) with real FFTs of t × t: a tile gives t-k+1 outputs along each axis.

    4 multiplications for each complex product, t^(d-1)·(t/2+1) of them for a tile and pair of channels.
    Source: arXiv:1509.09308, table 1.
    """
    tiles = g.n
    for o, k in zip(g.o, g.k, strict=True):
        tiles *= -(-o // (t - k + 1))
    return 4 * tiles * power(t, len(g.k) - 1) * (t // 2 + 1) * g.cg * g.m, tiles


def fft_tiled(g: Geometry) -> AlgorithmCost:
    """Tiles by real FFT, the power of two with the fewest multiplications."""
    reason = unfit(g)
    fits = [t for t in FFT_TILES if all(t >= k for k in g.k)]
    if reason is not None or not fits:
        return AlgorithmCost(name="fft tiled", multiplications=None, skipped=reason or "the kernel is too large")
    multiplications, tiles, t = min((*tiled(g, t), t) for t in fits)
    one = transform_flops(t, len(g.k))
    return AlgorithmCost(
        name=f"fft tiled t={t}",
        multiplications=multiplications,
        data_transform_flops=tiles * g.c * one,
        filter_transform_flops=g.m * g.cg * one,
        inverse_transform_flops=tiles * g.m * one,
    )


def fft_whole(g: Geometry) -> AlgorithmCost:
    """One FFT of the whole padded image, its sides raised to a common power of two n.

    Multiplications: 4 S f f' n² (S images, f input and f' output channels); transforms 2 C n² log n (S f + f f' + S f')
    with C = 5. Source: M. Mathieu, M. Henaff, Y. LeCun, "Fast Training of Convolutional Networks through FFTs",
    arXiv:1312.5851, section 2.2. Buffer: its frequency maps, n(n+1) reals each.
    """
    reason = unfit(g)
    if reason is not None:
        return AlgorithmCost(name="fft whole", multiplications=None, skipped=reason)
    n = 1 << (max(g.padded) - 1).bit_length()
    d = len(g.k)
    one = transform_flops(n, d)
    maps = g.n * g.c + g.m * g.cg + g.n * g.m
    return AlgorithmCost(
        name=f"fft whole n={n}",
        multiplications=4 * g.n * g.cg * g.m * power(n, d),
        data_transform_flops=g.n * g.c * one,
        filter_transform_flops=g.m * g.cg * one,
        inverse_transform_flops=g.n * g.m * one,
        buffer_elements=maps * power(n, d - 1) * (n + 1),
    )


def transform_flops(n: int, d: int) -> int:
    """FLOPs of a d-dimensional radix-2 FFT of n points a side: d · n^(d-1) lines of 5 n log2 n."""
    return d * power(n, d) * BUTTERFLY * (n.bit_length() - 1)


def power(n: int, d: int) -> int:
    """The d-th power of n."""
    return prod((n,) * d)
