"""Resize and Upsample: along each axis by itself, as a gather of one, two or four neighbours with weights."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from convcost.engine.kernels import Binder, Bound, Options, Simple
from convcost.engine.values import Array, Value
from convcost.ir import Node


class Axis(NamedTuple):
    """How one axis is resized: sizes, scale, and the part of the input that is mapped to the output."""

    n: int
    out: int
    scale: float
    start: float
    end: float


def positions(attrs: Any, a: Axis) -> Any:
    """Where each output element lies on the input axis."""
    x = np.arange(a.out, dtype=np.float64)
    mode = attrs.coordinate_transformation_mode
    resized = a.scale * a.n
    if mode == "align_corners":
        return x * (a.n - 1) / (resized - 1) if resized != 1 else np.zeros(a.out)
    if mode == "asymmetric":
        return x / a.scale
    if mode == "tf_crop_and_resize":
        if a.out == 1:
            return np.array([(a.end - a.start) * (a.n - 1) / 2])
        return a.start * (a.n - 1) + x * (a.end - a.start) * (a.n - 1) / (resized - 1)
    if mode == "pytorch_half_pixel" and a.out == 1:
        return np.array([-0.5])
    if mode == "tf_half_pixel_for_nn":
        return (x + 0.5) / a.scale
    shift = a.n / 2 * (1 - a.out / resized) if mode == "half_pixel_symmetric" else 0.0
    return shift + (x + 0.5) / a.scale - 0.5


def taps(attrs: Any, where: Any, n: int) -> tuple[Any, Any]:
    """(indices, weights), each (outputs, taps): which elements an output mixes."""
    if attrs.mode == "nearest":
        rounders: dict[str, Any] = {
            "round_prefer_floor": lambda v: np.ceil(v - 0.5),
            "round_prefer_ceil": lambda v: np.floor(v + 0.5),
            "floor": np.floor,
            "ceil": np.ceil,
        }
        index = rounders[attrs.nearest_mode](where)[:, None]
        weight = np.ones_like(index)
    else:
        low = np.floor(where)
        t = where - low
        if attrs.mode == "linear":
            index = np.stack([low, low + 1], axis=1)
            weight = np.stack([1 - t, t], axis=1)
        else:
            index = low[:, None] + np.arange(-1, 3)
            weight = np.stack([cubic(1 + t, attrs), cubic(t, attrs), cubic(1 - t, attrs), cubic(2 - t, attrs)], axis=1)
    if attrs.exclude_outside:
        weight = np.where((index < 0) | (index >= n), 0, weight)
        weight = weight / weight.sum(axis=1, keepdims=True)
    return np.clip(index, 0, n - 1).astype(np.int64), weight


def cubic(d: Any, attrs: Any) -> Any:
    """The cubic convolution kernel at distance d (R. Keys, IEEE Trans. ASSP 29, 1981)."""
    a = attrs.cubic_coeff_a
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((d - 5) * d + 8) * d * a - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def resized_axis(x: Any, axis: int, attrs: Any, a: Axis) -> Any:
    """X resized along one axis."""
    where = positions(attrs, a)
    index, weight = taps(attrs, where, a.n)
    shape = (1,) * axis + (-1,) + (1,) * (x.ndim - 1 - axis)
    if attrs.mode == "nearest":
        y = np.take(x, index[:, 0], axis=axis)
    else:
        kind = x.dtype
        y = sum(
            np.take(x, index[:, j], axis=axis) * weight[:, j].astype(kind).reshape(shape) for j in range(index.shape[1])
        )
    if attrs.coordinate_transformation_mode == "tf_crop_and_resize":
        outside = ((where < 0) | (where > a.n - 1)).reshape(shape)
        y = np.where(outside, x.dtype.type(attrs.extrapolation_value), y)
    return y


def axes_of(attrs: Any, inputs: list[Value]) -> list[tuple[int, Axis]]:
    """The axes that change, with their scales."""
    x = inputs[0]
    axes = [a % x.ndim for a in attrs.axes] or list(range(x.ndim))
    sizes = inputs[3] if len(inputs) > 3 and inputs[3] is not None and inputs[3].size else None
    roi = inputs[1] if attrs.scales_input == 2 and len(inputs) > 1 and inputs[1] is not None else None
    out = []
    if sizes is not None:
        wanted = [int(s) for s in sizes]
        scales = [w / x.shape[a] for w, a in zip(wanted, axes, strict=True)]
        if attrs.keep_aspect_ratio_policy != "stretch":
            scale = min(scales) if attrs.keep_aspect_ratio_policy == "not_larger" else max(scales)
            scales = [scale] * len(axes)
            wanted = [math.floor(scale * x.shape[a] + 0.5) for a in axes]
    else:
        given = attrs.scales or inputs[attrs.scales_input]
        scales = [float(s) for s in given]
        wanted = [math.floor(x.shape[a] * s) for s, a in zip(scales, axes, strict=True)]
    for i, a in enumerate(axes):
        start, end = (float(roi[i]), float(roi[i + len(axes)])) if roi is not None and roi.size else (0.0, 1.0)
        if wanted[i] != x.shape[a] or scales[i] != 1 or (start, end) != (0.0, 1.0):
            out.append((a, Axis(x.shape[a], wanted[i], scales[i], start, end)))
    return out


def resize(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """Every axis in turn, the one that shrinks most first."""
    x: Array = inputs[0]
    y: Any = x
    for axis, a in sorted(axes_of(attrs, inputs), key=lambda found: found[1].out / max(found[1].n, 1)):
        y = resized_axis(y, axis, attrs, a)
    return [np.asarray(y).astype(x.dtype, copy=False)]


def bind(node: Node, _: list[Value], __: Options) -> Bound | None:
    """Resize without antialiasing; that is the reference's."""
    if node.attrs.antialias or node.attrs.mode not in ("nearest", "linear", "cubic"):
        return None
    return Simple("separable", resize, node.attrs, 1)


BINDERS: dict[tuple[str, str], Binder] = {("", "Resize"): bind, ("", "Upsample"): bind}
KERNELS: dict[tuple[str, str, str], Any] = {}
