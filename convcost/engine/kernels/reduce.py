"""Reductions along axes, positions of extremes, running sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from convcost.engine.kernels import Kernel
from convcost.engine.values import Array, Value

Reduction = Callable[[Any, tuple[int, ...]], Any]


def reduction(f: Reduction) -> Kernel:
    """Y = f(x, axes), with ones in place of the reduced axes or without them."""

    def run(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
        x = inputs[0]
        given = inputs[1] if len(inputs) > 1 else None
        axes = tuple(attrs.axes) or (() if given is None else tuple(int(a) for a in given))
        if not axes:
            if attrs.noop_with_empty_axes:
                return [_unreduced(f, x)]
            axes = tuple(range(x.ndim))
        wide = x.astype(np.float32) if x.dtype == np.float16 else x
        y = np.asarray(f(wide, axes)).astype(x.dtype, copy=False)
        if attrs.keepdims:
            return [y]
        return [np.squeeze(y, axis=axes)]

    return run


def _unreduced(f: Reduction, x: Array) -> Array:
    """Every element as a set of its own."""
    return np.asarray(f(x[..., None], (-1,))[..., 0]).astype(x.dtype, copy=False)


def mean(x: Any, axes: tuple[int, ...]) -> Any:
    """Σ x / m, truncated for integers."""
    if x.dtype.kind in "iu":
        return np.trunc(x.mean(axis=axes, keepdims=True))
    return x.mean(axis=axes, keepdims=True)


def log_sum_exp(x: Any, axes: tuple[int, ...]) -> Any:
    """Log Σ exp(x), without overflow."""
    top = x.max(axis=axes, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    return np.log(np.exp(x - top).sum(axis=axes, keepdims=True)) + top


def extreme(x: Any, axes: tuple[int, ...], *, largest: bool) -> Any:
    """The largest or smallest; of nothing, the limit of the type."""
    if x.dtype == np.bool_:
        return x.any(axis=axes, keepdims=True) if largest else x.all(axis=axes, keepdims=True)
    if x.size:
        return x.max(axis=axes, keepdims=True) if largest else x.min(axis=axes, keepdims=True)
    if x.dtype.kind == "f":
        limit: Any = -np.inf if largest else np.inf
    else:
        limit = np.iinfo(x.dtype).min if largest else np.iinfo(x.dtype).max
    return x.max(axis=axes, keepdims=True, initial=limit) if largest else x.min(axis=axes, keepdims=True, initial=limit)


REDUCTIONS: dict[str, Reduction] = {
    "ReduceSum": lambda x, axes: x.sum(axis=axes, keepdims=True, dtype=x.dtype),
    "ReduceMean": mean,
    "ReduceMax": lambda x, axes: extreme(x, axes, largest=True),
    "ReduceMin": lambda x, axes: extreme(x, axes, largest=False),
    "ReduceProd": lambda x, axes: x.prod(axis=axes, keepdims=True, dtype=x.dtype),
    "ReduceL1": lambda x, axes: np.abs(x).sum(axis=axes, keepdims=True, dtype=x.dtype),
    "ReduceL2": lambda x, axes: np.sqrt((x * x).sum(axis=axes, keepdims=True, dtype=x.dtype)),
    "ReduceSumSquare": lambda x, axes: (x * x).sum(axis=axes, keepdims=True, dtype=x.dtype),
    "ReduceLogSum": lambda x, axes: np.log(x.sum(axis=axes, keepdims=True)),
    "ReduceLogSumExp": log_sum_exp,
}


def position(f: Callable[..., Any]) -> Kernel:
    """The index of the first (or last) extreme along `axis`."""

    def run(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
        x, axis = inputs[0], attrs.axis
        last = attrs.select_last_index
        y = np.asarray(x.shape[axis] - 1 - f(np.flip(x, axis), axis=axis) if last else f(x, axis=axis), np.int64)
        return [np.expand_dims(y, axis) if attrs.keepdims else y]

    return run


def cum_sum(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """Running sums along an axis, from either end, with or without the element itself."""
    x, axis = inputs[0], int(np.asarray(inputs[1]).reshape(()))
    work = np.flip(x, axis) if attrs.reverse else x
    y = np.cumsum(work, axis=axis, dtype=x.dtype)
    if attrs.exclusive:
        y = np.roll(y, 1, axis)
        y[(slice(None),) * (axis % x.ndim) + (0,)] = 0
    return [np.flip(y, axis).copy() if attrs.reverse else y]


KERNELS: dict[tuple[str, str, str], Kernel] = {
    **{("", op, "reduce"): reduction(f) for op, f in REDUCTIONS.items()},
    ("", "ArgMax", "reduce"): position(np.argmax),
    ("", "ArgMin", "reduce"): position(np.argmin),
    ("", "CumSum", "reduce"): cum_sum,
}
