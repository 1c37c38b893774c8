"""Pooling, channels first: along one axis, then along the next."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convcost.engine.kernels import Kernel
from convcost.engine.kernels.windowed import Frame, frame, padded, reach, whole, windows
from convcost.engine.values import Value
from convcost.ops.windows import window_of
from convcost.window import output_size, output_size_ceil, same_size


def pool_sizes(attrs: Any, spatial: tuple[int, ...]) -> tuple[Frame, tuple[int, ...], tuple[int, ...]]:
    """The window, the output sizes, and the padding after that lets the last window (of ceil mode) fit."""
    win = frame(window_of(attrs, spatial, attrs.kernel_shape))
    size = output_size_ceil if attrs.ceil_mode else output_size
    same = attrs.auto_pad.startswith("SAME")
    out, after = [], []
    for i, k, s, d, pb, pe in zip(
        spatial, attrs.kernel_shape, win.strides, win.dilations, win.before, win.after, strict=True
    ):
        o = whole(same_size(i, s) if same else size(i, k, s, d, pb, pe))
        out.append(o)
        after.append(max((o - 1) * s + reach(k, d) - i - pb, pe))
    return win, tuple(out), tuple(after)


def lowest(dtype: np.dtype[Any]) -> Any:
    """What loses against everything."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def max_pool(attrs: Any, inputs: list[Value], n_outputs: int) -> list[Value]:
    """MaxPool: x: (N, C, *I) -> (N, C, *O), one maximum of shifted views for each tap and axis."""
    x = inputs[0]
    win, out, after = pool_sizes(attrs, x.shape[2:])
    if n_outputs > 1:
        return _max_with_indices(attrs, x, win, out, after)
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    y = padded(wide, win.before, after, lowest(x.dtype))
    for axis in range(len(out)):  # whole lines first: what is left for the columns is less
        y = _along(y, axis + 2, attrs.kernel_shape[axis], win.strides[axis], win.dilations[axis], out[axis])
    return [np.ascontiguousarray(y.astype(x.dtype, copy=False))]


def _along(x: Any, axis: int, k: int, s: int, d: int, o: int) -> Any:
    """The maximum of a window along one axis."""
    lead = (slice(None),) * axis
    parts = [x[(*lead, slice(t * d, t * d + s * (o - 1) + 1, s))] for t in range(k)]
    if len(parts) == 1:
        return parts[0]
    y = np.maximum(parts[0], parts[1])
    for part in parts[2:]:
        np.maximum(y, part, out=y)
    return y


def _max_with_indices(attrs: Any, x: Any, win: Frame, out: tuple[int, ...], after: tuple[int, ...]) -> list[Value]:
    """The maxima and their flat indices into x, row-major (or column-major within an image)."""
    rank = len(out)
    view = windows(padded(x, win.before, after, lowest(x.dtype)), win, out)
    moved = view.reshape(*x.shape[:2], math.prod(attrs.kernel_shape), *out)
    which = moved.argmax(axis=2)
    y = np.take_along_axis(moved, which[:, :, None], axis=2)[:, :, 0]
    taps = np.unravel_index(which, tuple(attrs.kernel_shape))
    order: Any = "F" if attrs.storage_order else "C"
    places = []
    for axis in range(rank):
        start = np.arange(out[axis]) * win.strides[axis] - win.before[axis]
        start = start.reshape((-1,) + (1,) * (rank - 1 - axis))
        places.append(np.clip(taps[axis] * win.dilations[axis] + start, 0, x.shape[2 + axis] - 1))
    flat = np.ravel_multi_index(places, x.shape[2:], order=order)
    images = np.arange(math.prod(x.shape[:2])).reshape(*x.shape[:2], *(1,) * rank)
    return [y, (flat + images * math.prod(x.shape[2:])).astype(np.int64)]


def average_pool(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """AveragePool: padding counts only with `count_include_pad`, what ceil mode adds never does."""
    x = inputs[0]
    win, out, after = pool_sizes(attrs, x.shape[2:])
    total = _summed(padded(x, win.before, after), win, out)
    if attrs.count_include_pad:
        ones = padded(np.ones((1, 1, *x.shape[2:]), x.dtype), win.before, win.after, 1)
        rest = tuple(a - pe for a, pe in zip(after, win.after, strict=True))
        ones = padded(ones, (0,) * len(out), rest)
    else:
        ones = padded(np.ones((1, 1, *x.shape[2:]), x.dtype), win.before, after)
    return [total / _summed(ones, win, out)]


def _summed(x: Any, win: Frame, out: tuple[int, ...]) -> Any:
    """The sums over windows, one axis at a time."""
    y = x
    for axis in range(len(out) - 1, -1, -1):
        lead = (slice(None),) * (axis + 2)
        s, d, o = win.strides[axis], win.dilations[axis], out[axis]
        parts = [y[(*lead, slice(t * d, t * d + s * (o - 1) + 1, s))] for t in range(win.kernel[axis])]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        y = total
    return y


def global_average_pool(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """x: (N, C, *I) -> (N, C, 1, …)."""
    x = inputs[0]
    return [x.mean(axis=tuple(range(2, x.ndim)), keepdims=True, dtype=x.dtype)]


def global_max_pool(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """x: (N, C, *I) -> (N, C, 1, …)."""
    x = inputs[0]
    return [x.max(axis=tuple(range(2, x.ndim)), keepdims=True)]


KERNELS: dict[tuple[str, str, str], Kernel] = {
    ("", "MaxPool", "separable"): max_pool,
    ("", "AveragePool", "separable"): average_pool,
    ("", "GlobalAveragePool", "reduce"): global_average_pool,
    ("", "GlobalMaxPool", "reduce"): global_max_pool,
}
