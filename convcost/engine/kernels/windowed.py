"""Convolutions in their plainest form: channels first, every rank, stride, dilation, padding and group."""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convcost.engine.kernels import Binder, Bound, Kernel, Options, Simple, checkpoint, prepared
from convcost.engine.values import Array, Value
from convcost.ir import Node
from convcost.ops.windows import window_of
from convcost.window import output_size, same_size

TILE = 1 << 20
"""Elements of an im2col tile: about what stays in the cache of a core."""


class Frame(NamedTuple):
    """A window in numbers, one entry a spatial axis."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]


def frame(win: Any) -> Frame:
    """The window of a shape rule, in numbers."""
    return Frame(
        tuple(map(int, win.kernel)),
        win.strides,
        win.dilations,
        tuple(map(int, win.before)),
        tuple(map(int, win.after)),
    )


def whole(d: Any) -> int:
    """A size that is known to be a number."""
    return int(d)


def reach(k: int, d: int) -> int:
    """The effective kernel in numbers."""
    return d * (k - 1) + 1


def padded(x: Any, before: tuple[int, ...], after: tuple[int, ...], fill: Any = 0) -> Any:
    """x: (N, C, *I) with `before` and `after` elements of `fill` around each spatial axis; negative ones are cut."""
    if not any(before) and not any(after):
        return x
    size = tuple(i + b + a for i, b, a in zip(x.shape[2:], before, after, strict=True))
    out = np.full((*x.shape[:2], *size), fill, x.dtype)
    to = tuple(slice(max(b, 0), max(b, 0) + i + min(b, 0) + min(a, 0)) for i, b, a in _axes(x, before, after))
    of = tuple(slice(max(-b, 0), i - max(-a, 0)) for i, b, a in _axes(x, before, after))
    out[(slice(None), slice(None), *to)] = x[(slice(None), slice(None), *of)]
    return out


def _axes(x: Any, before: tuple[int, ...], after: tuple[int, ...]) -> list[tuple[int, int, int]]:
    return list(zip(x.shape[2:], before, after, strict=True))


def windows(x: Array, win: Frame, out: tuple[int, ...]) -> Any:
    """A view (N, C, *K, *O) of the padded x: (N, C, *I)."""
    steps = x.strides[2:]
    view: Array = as_strided(
        x,
        (*x.shape[:2], *win.kernel, *out),
        (
            *x.strides[:2],
            *(s * d for s, d in zip(steps, win.dilations, strict=True)),
            *(s * t for s, t in zip(steps, win.strides, strict=True)),
        ),
        writeable=False,
    )
    return view


def numeric_window(attrs: Any, spatial: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[Frame, tuple[int, ...]]:
    """The window of a convolution and the sizes of its output."""
    win = frame(window_of(attrs, spatial, kernel))
    same = attrs.auto_pad.startswith("SAME")
    out = tuple(
        whole(same_size(i, s) if same else output_size(i, k, s, d, pb, pe))
        for i, k, s, d, pb, pe in zip(spatial, kernel, win.strides, win.dilations, win.before, win.after, strict=True)
    )
    return win, out


def conv(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """Conv by im2col: x: (N, C, *I), w: (M, C/g, *K) -> (N, M, *O), one product for each image, group and tile."""
    x, w = inputs[0], inputs[1]
    win, out = numeric_window(attrs, x.shape[2:], w.shape[2:])
    y = im2col(padded(x, win.before, win.after), w, win, out, attrs.group)
    if len(inputs) > 2 and inputs[2] is not None:
        y += inputs[2].reshape(-1, *(1,) * len(out))
    return [y]


def fused_conv(attrs: Any, inputs: list[Value], n_outputs: int) -> list[Value]:
    """FusedConv: f(conv(x, w) + b + z)."""
    from convcost.engine.kernels.contrib import activate  # noqa: PLC0415 - onnxruntime's own operators only

    y = conv(attrs, inputs[:3], n_outputs)[0]
    if len(inputs) > 3 and inputs[3] is not None:
        y += inputs[3]
    return [activate(y, attrs.activation, attrs.activation_params)]


def integer_sums(attrs: Any, x: Array, zx: Any, w: Array, zw: Any) -> Any:
    """The convolution of integers minus their zero points, exact in float32 or float64, as int32."""
    taps = math.prod(w.shape[1:])
    wide = np.float32 if taps << 16 <= 1 << 24 else np.float64
    a = x.astype(np.int32) - (0 if zx is None else zx.astype(np.int32).reshape(()))
    z = np.int32(0) if zw is None else zw.astype(np.int32).reshape((-1,) + (1,) * (w.ndim - 1))
    y = conv(attrs, [a.astype(wide), (w.astype(np.int32) - z).astype(wide)], 1)[0]
    return np.asarray(y).astype(np.int32)


def conv_integer(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """ConvInteger: x, w, x zero, w zero."""
    zx, zw = (*inputs[2:], None, None)[:2]
    return [integer_sums(attrs, inputs[0], zx, inputs[1], zw)]


def qlinear_conv(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """QLinearConv: x, x scale, x zero, w, w scale, w zero, y scale, y zero, b."""
    from convcost.engine.kernels.quantized import requantized  # noqa: PLC0415 - quantised models only

    x, sx, zx, w, sw, zw, sy, zy = inputs[:8]
    sums = integer_sums(attrs, x, zx, w, zw)
    tail = (1,) * (x.ndim - 2)
    if len(inputs) > 8 and inputs[8] is not None:
        sums += inputs[8].reshape(-1, *tail)
    scale = sx * sw / sy
    return [requantized(sums, scale.reshape(-1, *tail) if scale.size > 1 else scale.reshape(()), zy)]


def im2col(x: Any, w: Any, win: Frame, out: tuple[int, ...], group: int) -> Any:
    """The convolution of the padded x: (N, C, *I) by w: (M, C/g, *K) -> (N, M, *O)."""
    n, m, cg = x.shape[0], w.shape[0], w.shape[1]
    wide = np.float32 if x.dtype == np.float16 else x.dtype
    matrix = w.reshape(group, m // group, -1).astype(wide, copy=False)
    y: Any = np.empty((n, group, m // group, *out), x.dtype)
    if not y.size:
        return y.reshape(n, m, *out)
    view = windows(x, win, out)
    view = view.reshape(n, group, cg, *view.shape[2:]) if group > 1 else view[:, None]
    taps = math.prod(w.shape[1:])
    lead = (slice(None),) * (1 + len(win.kernel))
    for image, g, part in product(range(n), range(group), tiles(taps, out)):
        checkpoint()
        cols = view[(image, g, *lead, *part)]
        size = cols.shape[len(lead) :]
        y[(image, g, slice(None), *part)] = (matrix[g] @ cols.reshape(taps, -1).astype(wide, copy=False)).reshape(
            -1, *size
        )
    return y.reshape(n, m, *out)


def tiles(taps: int, out: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """Parts of the output whose columns fit a tile: rows, or parts of one row where a row is too large."""
    rows = max(1, TILE // max(taps * math.prod(out[1:]), 1))
    bands = [slice(i, i + rows) for i in range(0, out[0], rows)]
    if rows > 1 or len(out) == 1:
        return [(band,) for band in bands]
    width = max(1, TILE // max(taps * math.prod(out[2:]), 1))
    return [(band, slice(i, i + width)) for band in bands for i in range(0, out[1], width)]


def conv_transpose(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """ConvTranspose by one product and col2im: x: (N, C, *I), w: (C, M/g, *K) -> (N, M, *O)."""
    from convcost.ops.conv import transposed_window  # noqa: PLC0415 - rare

    x, w = inputs[0], inputs[1]
    spatial, kernel, g = x.shape[2:], w.shape[2:], attrs.group
    found, extra = transposed_window(attrs, spatial, kernel)
    win = frame(found)
    n, c, mg = x.shape[0], x.shape[1], w.shape[1]
    wide = np.float32 if x.dtype == np.float16 else x.dtype
    matrix = w.reshape(g, c // g, -1).transpose(0, 2, 1).astype(wide, copy=False)
    cols = matrix @ x.reshape(n, g, c // g, -1).astype(wide, copy=False)
    cols = cols.reshape(n, g * mg, *kernel, *spatial)
    full = tuple(
        s * (i - 1) + reach(k, d) + max(e - pe, 0)
        for i, k, s, d, e, pe in zip(spatial, kernel, win.strides, win.dilations, extra, win.after, strict=True)
    )
    whole = np.zeros((n, g * mg, *full), wide)
    for tap in product(*(range(k) for k in kernel)):
        place = tuple(
            slice(t * d, t * d + s * (i - 1) + 1, s)
            for t, d, s, i in zip(tap, win.dilations, win.strides, spatial, strict=True)
        )
        whole[(slice(None), slice(None), *place)] += cols[(slice(None), slice(None), *tap)]
    sizes = [
        s * (i - 1) + e + reach(k, d) - pb - pe
        for i, k, s, d, e, pb, pe in zip(
            spatial, kernel, win.strides, win.dilations, extra, win.before, win.after, strict=True
        )
    ]
    ends = tuple(pb + o - f for pb, o, f in zip(win.before, sizes, full, strict=True))
    y = padded(whole, tuple(-pb for pb in win.before), ends).astype(x.dtype, copy=False)
    if len(inputs) > 2 and inputs[2] is not None:
        y = y + inputs[2].reshape(-1, *(1,) * len(full))
    return [np.ascontiguousarray(y)]


def bind_conv(node: Node, constants: list[Value], options: Options) -> Bound:
    """Conv or ConvTranspose with a choice of algorithms."""
    return prepared.Convolution(node, constants, options, conv if node.op == "Conv" else conv_transpose)


def bind_fused(node: Node, constants: list[Value], options: Options) -> Bound:
    """FusedConv."""
    from convcost.engine.kernels.contrib import activate  # noqa: PLC0415 - onnxruntime's own operators only

    def end(y: Any, inputs: list[Value]) -> Any:
        if len(inputs) > 3 and inputs[3] is not None:
            y += inputs[3]
        return activate(y, node.attrs.activation, node.attrs.activation_params)

    return prepared.Convolution(node, constants, options, fused_conv, end)


def bind_integers(node: Node, constants: list[Value], options: Options) -> Bound:
    """QLinearConv or ConvInteger."""
    scaled = node.op == "QLinearConv"
    plain = qlinear_conv if scaled else conv_integer
    found = prepared.integers(node, constants, options, plain, scaled=scaled)
    return found or Simple("im2col", plain, node.attrs, len(node.outputs))


BINDERS: dict[tuple[str, str], Binder] = {
    ("", "Conv"): bind_conv,
    ("", "ConvTranspose"): bind_conv,
    ("com.microsoft", "FusedConv"): bind_fused,
    ("", "QLinearConv"): bind_integers,
    ("", "ConvInteger"): bind_integers,
}

KERNELS: dict[tuple[str, str, str], Kernel] = {
    ("", "Conv", "im2col"): conv,
    ("com.microsoft", "FusedConv", "im2col"): fused_conv,
    ("", "ConvInteger", "im2col"): conv_integer,
    ("", "QLinearConv", "im2col"): qlinear_conv,
    ("", "ConvTranspose", "gemm+col2im"): conv_transpose,
}
