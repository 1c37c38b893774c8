"""Arithmetic, comparison and logic, element by element, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from convcost.engine.kernels import Kernel
from convcost.engine.values import Array, Value


def widened(x: Any) -> Any:
    """Half precision as single precision: NumPy computes so anyway, one element after the other."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def unary(f: Callable[[Any], Any]) -> Kernel:
    """Y = f(x), of the type of x."""

    def run(_: Any, inputs: list[Value], __: int) -> list[Value]:
        x = inputs[0]
        return [np.asarray(f(widened(x))).astype(x.dtype, copy=False)]

    return run


def test(f: Callable[[Any], Any]) -> Kernel:
    """Y = f(x), a truth value."""
    return lambda _, inputs, __: [np.asarray(f(inputs[0]))]


def binary(f: Callable[[Any, Any], Any]) -> Kernel:
    """Y = f(a, b); `axis` of the old broadcasting says where b's shape begins inside a's."""

    def run(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
        a, b = inputs
        axis = getattr(attrs, "axis", None)
        if axis is not None:
            start = axis + a.ndim if axis < 0 else axis
            b = b.reshape(b.shape + (1,) * (a.ndim - start - b.ndim))
        if f in ROUNDED and a.dtype == b.dtype == np.float16:
            return [np.asarray(f(widened(a), widened(b))).astype(a.dtype)]
        return [np.asarray(f(a, b))]

    return run


def variadic(f: Callable[[Any, Any], Any]) -> Kernel:
    """Y = f(…f(f(a, b), c)…)."""

    def run(_: Any, inputs: list[Value], __: int) -> list[Value]:
        out = inputs[0]
        for x in inputs[1:]:
            out = f(out, x)
        return [np.asarray(out)]

    return run


def divide(a: Array, b: Array) -> Array:
    """A / b; integers truncate towards zero."""
    if a.dtype.kind not in "iu":
        return np.asarray(np.divide(a, b))
    q = np.floor_divide(a, b)
    if a.dtype.kind == "i":
        q = np.asarray(q) + ((q * b != a) & ((a < 0) != (b < 0)))
    return np.asarray(q).astype(a.dtype, copy=False)


def power(a: Array, b: Array) -> Array:
    """A ** b, of the type of a."""
    if a.dtype.kind == "f" and b.size == 1:
        exponent = b.reshape(-1)[0]
        shape = np.broadcast_shapes(a.shape, b.shape)
        if exponent == 2:
            return (a * a).reshape(shape)
        if exponent == 0.5:
            return np.sqrt(a).reshape(shape)
    if a.dtype.kind in "iu":
        if b.dtype.kind in "iu" and (b.size == 0 or b.min() >= 0):
            return np.asarray(np.power(a, b)).astype(a.dtype, copy=False)
        return np.asarray(np.power(a.astype(np.float64), b.astype(np.float64))).astype(a.dtype)
    return np.asarray(np.power(a, b.astype(a.dtype, copy=False))).astype(a.dtype, copy=False)


def modulo(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """The remainder with the sign of the divisor, or of the dividend for `fmod`."""
    return [np.asarray(np.fmod(*inputs) if attrs.fmod else np.mod(*inputs))]


def mean(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """The mean of the inputs."""
    out = inputs[0]
    for x in inputs[1:]:
        out = out + x
    return [np.asarray(out / np.array(len(inputs), out.dtype))]


def where(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """A where the condition holds, else b."""
    return [np.where(*inputs)]


def clip(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """min(max(x, low), high); the upper bound wins. Bounds are inputs, or attributes of old operator sets."""
    x = inputs[0]
    low = inputs[1] if len(inputs) > 1 else None
    high = inputs[2] if len(inputs) > 2 else None
    if low is None and attrs.min is not None:
        low = np.array(attrs.min, x.dtype)
    if high is None and attrs.max is not None:
        high = np.array(attrs.max, x.dtype)
    if low is not None:
        x = np.maximum(x, low.reshape(()))
    if high is not None:
        x = np.minimum(x, high.reshape(()))
    return [np.asarray(x)]


def equal(a: Array, b: Array) -> Any:
    """A = b, for strings too."""
    return np.asarray(np.equal(a, b)).astype(np.bool_, copy=False)


UNARY: dict[str, Callable[[Any], Any]] = {
    "Abs": np.abs,
    "Neg": np.negative,
    "Sign": np.sign,
    "Floor": np.floor,
    "Ceil": np.ceil,
    "Round": np.rint,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Log": np.log,
    "Sin": np.sin,
    "Cos": np.cos,
    "Reciprocal": lambda x: np.array(1, x.dtype) / x,
}

ROUNDED: set[Callable[[Any, Any], Any]] = {np.add, np.subtract, np.multiply, power}
"""Of these the result in half precision is that of single precision, rounded once."""

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": divide,
    "Pow": power,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
    "Equal": equal,
    "Less": np.less,
    "Greater": np.greater,
    "LessOrEqual": np.less_equal,
    "GreaterOrEqual": np.greater_equal,
}

VARIADIC: dict[str, Callable[[Any, Any], Any]] = {"Sum": np.add, "Max": np.maximum, "Min": np.minimum}

KERNELS: dict[tuple[str, str, str], Kernel] = {
    **{("", op, "ufunc"): unary(f) for op, f in UNARY.items()},
    **{("", op, "ufunc"): binary(f) for op, f in BINARY.items()},
    **{("", op, "ufunc"): variadic(f) for op, f in VARIADIC.items()},
    ("", "Not", "ufunc"): test(np.logical_not),
    ("", "IsNaN", "ufunc"): test(np.isnan),
    ("", "Mod", "ufunc"): modulo,
    ("", "Mean", "ufunc"): mean,
    ("", "Where", "ufunc"): where,
    ("", "Clip", "ufunc"): clip,
}
