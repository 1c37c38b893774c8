"""The numbers of one convolution: everything but the arrays."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from convcost.errors import ShapeError
from convcost.ops.conv import ConvAttrs, ConvTransposeAttrs, transposed_window
from convcost.ops.windows import window_of
from convcost.window import effective_kernel, output_size, same_size, transposed_size


@dataclass(frozen=True, slots=True)
class Geometry:
    """A convolution of `batch` inputs of `c` channels to `m` channels, with one entry a spatial axis elsewhere.

    `shuffled` is 0, or into how many groups the output channels are dealt: the first of each group, then the second of
    each. The groups are those of a pointwise layer; a depthwise one lets its outputs follow in the shuffled order.
    `floored` says that inputs and border are raised to `Epilogue.floor` while they are copied.
    `before` and `after` are the zeros around the input of a convolution, or what a transposed one crops from its
    output; either may be negative. At least two spatial axes: `geometry` gives one-dimensional layers a leading 1.
    """

    batch: int
    c: int
    m: int
    group: int
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    spatial: tuple[int, ...]
    out: tuple[int, ...]
    transposed: bool = False
    shuffled: int = 0
    floored: bool = False

    @property
    def rank(self) -> int:
        return len(self.kernel)

    @property
    def cg(self) -> int:
        """Input channels of a group."""
        return self.c // self.group

    @property
    def mg(self) -> int:
        """Output channels of a group."""
        return self.m // self.group

    @property
    def taps(self) -> int:
        return prod(self.kernel)

    @property
    def positions(self) -> int:
        """Output positions of all images."""
        return self.batch * prod(self.out)

    @property
    def macs(self) -> int:
        """Nominal multiply-accumulates."""
        places = self.batch * prod(self.spatial) if self.transposed else self.positions
        return places * self.m * self.cg * self.taps

    @property
    def padded(self) -> bool:
        return any(self.before) or any(self.after)

    @property
    def dense(self) -> bool:
        """Neither strides nor dilations."""
        spread = [d for d, k in zip(self.dilations, self.kernel, strict=True) if k > 1]
        return max((*self.strides, *spread)) == 1

    def x_shape(self, layout: str) -> tuple[int, ...]:
        return arranged(self.batch, self.c, self.spatial, layout)

    def y_shape(self, layout: str) -> tuple[int, ...]:
        return arranged(self.batch, self.m, self.out, layout)


def arranged(n: int, c: int, spatial: tuple[int, ...], layout: str) -> tuple[int, ...]:
    """The dimensions of an array in a layout: `nchw` is channels first, `nhwc` channels last, at any rank."""
    return (n, c, *spatial) if layout == "nchw" else (n, *spatial, c)


def geometry(x: tuple[int, ...], w: tuple[int, ...], attrs: ConvAttrs) -> Geometry:
    """The geometry of Conv or, for `ConvTransposeAttrs`, of ConvTranspose.

    x: (N, C, *I); w: (M, C/g, *K), or (C, M/g, *K) for a transposed convolution. Raises ShapeError.
    """
    spatial, kernel = x[2:], w[2:]
    transposed = isinstance(attrs, ConvTransposeAttrs)
    if len(x) < 3 or len(w) != len(x) or min(kernel) < 1:
        raise ShapeError(f"a weight of {w} does not fit an input of {x}")
    if (transposed and (w[0] != x[1] or x[1] % attrs.group)) or (
        not transposed and (w[1] * attrs.group != x[1] or w[0] % attrs.group)
    ):
        raise ShapeError(f"a weight of {w} with group {attrs.group} does not fit an input of {x}")
    out: list[int] = []
    strides: list[int] = []
    if isinstance(attrs, ConvTransposeAttrs):
        win, extra = transposed_window(attrs, spatial, kernel)
    else:
        win, extra = window_of(attrs, spatial, kernel), (0,) * len(kernel)
    for i, k, s, d, pb, pe, op in zip(
        spatial, kernel, win.strides, win.dilations, win.before, win.after, extra, strict=True
    ):
        if transposed:
            o = transposed_size(i, k, s, d, pb, pe, op)
        else:
            o = same_size(i, s) if attrs.auto_pad.startswith("SAME") else output_size(i, k, s, d, pb, pe)
        if not isinstance(o, int) or o < 1:
            raise ShapeError(f"a kernel of {kernel} does not fit an input of {spatial}")
        out.append(o)
        strides.append(s if transposed or o > 1 else min(s, max(i + pb + pe, 1)))  # a huge one is never stepped
    one = (1,) if len(kernel) == 1 else ()
    zero = (0,) if len(kernel) == 1 else ()
    return Geometry(
        batch=x[0],
        c=x[1],
        m=w[1] * attrs.group if transposed else w[0],
        group=attrs.group,
        kernel=one + kernel,
        strides=one + tuple(strides),
        dilations=one + win.dilations,
        before=zero + ints(win.before),
        after=zero + ints(win.after),
        spatial=one + spatial,
        out=(*one, *out),
        transposed=transposed,
    )


def ints(values: tuple[object, ...]) -> tuple[int, ...]:
    """The values, which must be known numbers."""
    return tuple(v for v in values if isinstance(v, int))


def extent(k: int, d: int) -> int:
    """The effective kernel, as a plain integer."""
    e = effective_kernel(k, d)
    assert isinstance(e, int)
    return e
