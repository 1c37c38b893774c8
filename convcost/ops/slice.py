"""Operators that cut out or pad a block of a tensor. Nothing is counted."""

from __future__ import annotations

from typing import Any

from convcost.errors import Unknown
from convcost.ir import Dim, Expr, Tensor, Value, ceildiv, maximum
from convcost.ops.base import CARRY_FIRST, Attrs, Call, axis_of, integers, numbers, require, show, typed
from convcost.ops.folding import numeric, positions, strides_of, taken
from convcost.ops.move import moving
from convcost.ops.shape import distinct

TO_THE_END = 2**31 - 1
"""Slice bounds from here on mean the end of the axis; exporters use the largest int32 or int64."""

MODES = ("constant", "reflect", "edge", "wrap")


class SliceAttrs(Attrs, frozen=True):
    """Bounds as attributes (below operator set 10); later they are inputs."""

    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None
    axes: tuple[int, ...] | None = None


class PadAttrs(Attrs, frozen=True):
    """`pads` as an attribute (below operator set 11): all that go before, then all that go after."""

    mode: str = "constant"
    pads: tuple[int, ...] | None = None


class CenterCropPadAttrs(Attrs, frozen=True):
    """Axes that the target sizes are for; all where it is None."""

    axes: tuple[int, ...] | None = None


def bounds(call: Call) -> tuple[tuple[Dim, ...], tuple[Dim, ...], tuple[int, ...], tuple[int, ...]]:
    """(starts, ends, axes, steps) from inputs or attributes, axes counted from the front."""
    a, rank = call.attrs, call.x(0).rank
    starts: tuple[Dim, ...] = a.starts or ()
    ends: tuple[Dim, ...] = a.ends or ()
    if a.starts is None:
        starts, ends = integers(call.x(1), "starts"), integers(call.x(2), "ends")
    n = len(starts)
    axes = numbers(call.x(3), "axes") if call.has(3) else a.axes or tuple(range(n))
    steps = numbers(call.x(4), "steps") if call.has(4) else (1,) * n
    require(
        len(ends) == len(axes) == len(steps) == n,
        f"mismatch: {n} starts, {len(ends)} ends, {len(axes)} axes and {len(steps)} steps",
    )
    require(all(steps), "a step is zero")
    distinct(axes, rank)
    return starts, ends, tuple(axis_of(axis, rank) for axis in axes), steps


def slice_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, d, …), starts, ends, axes, steps -> y: (…, ⌈(end - start) / step⌉, …), bounds clamped to d.

    With symbols, a bound that is a symbol counts as inside the axis, and an axis as long enough for a fixed start.
    """
    x = call.x(0)
    out = list(x.dims)
    for start, end, axis, step in zip(*bounds(call), strict=True):
        out[axis] = slice_size(out[axis], start, end, step)
    return (typed(x, tuple(out)),)


def slice_size(d: Dim, start: Dim, end: Dim, step: int) -> Dim:
    """Number of elements from `start` to `end` in steps, on an axis of size d."""
    if isinstance(d, int) and isinstance(start, int) and isinstance(end, int):
        begin, stop, by = slice(start, end, step).indices(d)
        return max((stop - begin + by - (1 if by > 0 else -1)) // by, 0)
    if step < 0:
        if (
            isinstance(start, int)
            and isinstance(end, int)
            and end < -TO_THE_END
            and (start == -1 or start >= TO_THE_END)
        ):
            return ceildiv(d, -step)
        raise Unknown("a slice backwards along a symbolic axis is not followed")
    first, last = bound(start, d, is_end=False), bound(end, d, is_end=True)
    n = last - first
    return ceildiv(max(n, 0) if isinstance(n, int) else n, step)


def bound(v: Dim, d: Dim, *, is_end: bool) -> Dim:
    """A slice bound counted from the front and clamped, as far as that is known."""
    if isinstance(v, Expr):
        try:
            return d + v if v < 0 else v
        except Unknown:
            return v
    if v < 0:
        return 0 if v <= -TO_THE_END else d + v
    if v >= TO_THE_END or v == d:
        return d
    if isinstance(d, int):
        return min(v, d)
    return d + v - maximum(d, v) if is_end else v


def fold_slice(call: Call) -> tuple[Value | None, ...]:
    """The elements of the slice."""
    x = call.x(0)
    dims = numeric(x.dims)
    ranges = [range(d) for d in dims]
    starts, ends, axes, steps = bounds(call)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if isinstance(start, Expr) or isinstance(end, Expr):
            raise Unknown("a slice with symbolic bounds is not followed")
        ranges[axis] = range(*slice(start, end, step).indices(dims[axis]))
    strides = strides_of(dims)
    walk = positions(tuple(len(r) for r in ranges))
    return (taken(x.content, (sum(r[i] * s for r, i, s in zip(ranges, at, strides, strict=True)) for at in walk)),)


def slice_attrs(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """The bounds are attributes below operator set 10."""
    return {k: raw[k] for k in ("starts", "ends", "axes") if k in raw} if version < 10 else {}


def pad_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (d0, …), pads: (2r) -> y: (pb0 + d0 + pe0, …)."""
    x, a = call.x(0), call.attrs
    require(a.mode in MODES, f"mode '{a.mode[:40]}' is a value other than {', '.join(MODES)}")
    pads = integers(call.x(1), "pads") if call.has(1) else a.pads
    require(pads is not None, "pads are missing")
    axes = numbers(call.x(3), "axes") if call.has(3) else tuple(range(x.rank))
    distinct(axes, x.rank)
    n = len(axes)
    require(len(pads) == 2 * n, f"pads has {len(pads)} values for {n} axes of the shape {show(x.dims)}: mismatch")
    out = list(x.dims)
    for i, axis in enumerate(axes):
        d = out[axis] + pads[i] + pads[i + n]
        require(not isinstance(d, int) or d >= 0, f"pads give axis {axis} the negative size {d}")
        out[axis] = d
    return (typed(x, tuple(out)),)


def pad_attrs(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """`pads` is an attribute below operator set 11, called `paddings` in the first."""
    if version < 2 and "paddings" in raw:
        raw["pads"] = raw.pop("paddings")
    if version >= 11:
        raw.pop("pads", None)
    return raw


def center_crop_pad_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, shape: (k) -> y: x with these sizes on `axes`."""
    x, wanted = call.x(0), integers(call.x(1), "the shape")
    axes = tuple(range(x.rank)) if call.attrs.axes is None else call.attrs.axes
    distinct(axes, x.rank)
    require(len(wanted) == len(axes), f"the shape has {len(wanted)} values for {len(axes)} axes: mismatch")
    out = list(x.dims)
    for d, axis in zip(wanted, axes, strict=True):
        require(not isinstance(d, int) or d >= 0, f"the shape has the negative size {d}")
        out[axis_of(axis, x.rank)] = d
    return (typed(x, tuple(out)),)


OPS = (
    moving("Slice", SliceAttrs, slice_shape, (1, 5), carry=CARRY_FIRST, fold=fold_slice, upgrade=slice_attrs),
    moving("Pad", PadAttrs, pad_shape, (1, 4), carry=CARRY_FIRST, upgrade=pad_attrs),
    moving("CenterCropPad", CenterCropPadAttrs, center_crop_pad_shape, (2, 2), carry=CARRY_FIRST),
)
