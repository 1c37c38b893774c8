"""Activation functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from convcost.engine.kernels import Kernel
from convcost.engine.values import Array, Value

ERF = (1.12837927, 1.02769062e-1, -1.91843137e-4, -6.19775209e-4, 8.76341893e-5, -5.66802558e-6, 1.41829743e-7)
"""atanh(erf(x)) / x as a polynomial in x², up to |x| = 4, beyond which erf is 1 in single precision.

Fitted by least squares, weighted so that the relative error of erf is about even: 1e-7 before rounding.
"""
_ERF = tuple(np.float32(c) for c in ERF)
_GELU = tuple(np.float32(c * math.sqrt(0.5) * 0.5**k) for k, c in enumerate(ERF))
"""The same for erf(x / √2)."""
BLOCK = 16 * 1024
"""Elements that long chains of operations work on at a time, so that they stay in cache."""


def blocked(f: Callable[[Any, Any], None], x: Array) -> Array:
    """Y of the shape of x, where f(part of x, part of y) fills y part by part."""
    source = np.ascontiguousarray(x).reshape(-1)
    out = np.empty_like(source)
    for start in range(0, source.size, BLOCK):
        f(source[start : start + BLOCK], out[start : start + BLOCK])
    return out.reshape(x.shape)


def erf_part(x: Any, y: Any) -> None:
    """Y = erf(x) in single precision."""
    _tanh_of_series(x, y, _ERF, np.float32(16))


def _tanh_of_series(x: Any, y: Any, series: tuple[Any, ...], most: Any) -> None:
    """Y = tanh(x p(min(x², most))) for the polynomial p."""
    z = x * x
    np.minimum(z, most, out=z)
    np.multiply(z, series[-1], out=y)
    for c in series[-2:0:-1]:
        np.add(y, c, out=y)
        np.multiply(y, z, out=y)
    np.add(y, series[0], out=y)
    np.multiply(y, x, out=y)
    np.tanh(y, out=y)


def erf(x: Array) -> Array:
    """The error function, to 2e-7 in float32 and to the last bits in float64."""
    if x.dtype == np.float64:
        return np.array([math.erf(v) for v in x.ravel().tolist()], np.float64).reshape(x.shape)
    if x.dtype != np.float32:
        return erf(x.astype(np.float32)).astype(x.dtype)
    return blocked(erf_part, x)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), through tanh, which cannot overflow."""
    y = np.asarray(np.multiply(x, x.dtype.type(0.5)))
    np.tanh(y, out=y)
    y *= x.dtype.type(0.5)
    y += x.dtype.type(0.5)
    return y


def of(f: Callable[[Any, Any], Any]) -> Kernel:
    """Y = f(x, attrs), of the type of x. float16 is computed in float32."""

    def run(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
        x = inputs[0]
        wide = x.astype(np.float32) if x.dtype == np.float16 else x
        return [np.asarray(f(wide, attrs)).astype(x.dtype, copy=False)]

    return run


def relu(x: Any, _: Any = None) -> Any:
    """max(x, 0)."""
    return np.maximum(x, np.array(0, x.dtype))


def leaky_relu(x: Any, a: Any) -> Any:
    """x, or alpha x below zero."""
    slope = np.array(a.alpha, x.dtype)
    return np.maximum(x, x * slope) if a.alpha <= 1 else np.where(x >= 0, x, x * slope)


def exponential(x: Any, scale: float) -> Any:
    """Scale · (exp(x) - 1) below zero, 0 above."""
    return np.array(scale, x.dtype) * np.expm1(np.minimum(x, np.array(0, x.dtype)))


def elu(x: Any, a: Any) -> Any:
    """x, or alpha (exp(x) - 1) below zero."""
    return relu(x) + exponential(x, a.alpha)


def selu(x: Any, a: Any) -> Any:
    """Scaled Elu."""
    return np.array(a.gamma, x.dtype) * (relu(x) + exponential(x, a.alpha))


def hard_sigmoid(x: Any, a: Any) -> Any:
    """max(0, min(1, alpha x + beta))."""
    y = x * np.array(a.alpha, x.dtype) + np.array(a.beta, x.dtype)
    return np.clip(y, np.array(0, x.dtype), np.array(1, x.dtype))


def hard_swish(x: Any, _: Any) -> Any:
    """X · max(0, min(1, x / 6 + 1/2))."""
    y = x * np.array(1 / 6, x.dtype) + np.array(0.5, x.dtype)
    return x * np.clip(y, np.array(0, x.dtype), np.array(1, x.dtype))


def softplus(x: Any, _: Any) -> Any:
    """log(1 + exp(x)), without overflow."""
    return np.logaddexp(x, np.array(0, x.dtype))


def gelu(x: Any, a: Any) -> Any:
    """x/2 · (1 + erf(x / √2)), or its tanh approximation."""
    half, one = np.array(0.5, x.dtype), np.array(1, x.dtype)
    if a.approximate == "tanh":
        cubed = x * x * x
        inner = np.array(math.sqrt(2 / math.pi), x.dtype) * (x + np.array(0.044715, x.dtype) * cubed)
        return half * x * (one + np.tanh(inner))
    if x.dtype == np.float32:
        return blocked(gelu_part, x)
    return half * x * (one + erf(x * np.array(math.sqrt(0.5), x.dtype)))


def gelu_part(x: Any, y: Any) -> None:
    """Y = x/2 · (1 + erf(x / √2)) in single precision."""
    _tanh_of_series(x, y, _GELU, np.float32(32))
    y += 1
    y *= x
    y *= 0.5


def prelu(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """x, or slope · x below zero. Old models give the slope by channel, without the axes behind it."""
    x, slope = inputs
    if slope.ndim == 1 and x.ndim > 2 and slope.size == x.shape[1] and slope.size != x.shape[-1]:
        slope = slope.reshape(slope.shape + (1,) * (x.ndim - 2))
    kind = x.dtype
    if kind == np.float16:
        x, slope = x.astype(np.float32), slope.astype(np.float32)
    below = np.minimum(x, x.dtype.type(0))
    y = np.maximum(x, x.dtype.type(0))
    if slope.size == 1 or np.broadcast_shapes(slope.shape, x.shape) == x.shape:
        below *= slope
        y += below
    else:
        y = y + slope * below
    return [y.astype(kind, copy=False)]


KERNELS: dict[tuple[str, str, str], Kernel] = {
    ("", "Relu", "ufunc"): lambda _, inputs, __: [np.asarray(relu(inputs[0]))],
    ("", "PRelu", "ufunc"): prelu,
    **{
        ("", op, "ufunc"): of(f)
        for op, f in {
            "LeakyRelu": leaky_relu,
            "Sigmoid": lambda x, _: sigmoid(x),
            "Tanh": lambda x, _: np.tanh(x),
            "Erf": lambda x, _: erf(x),
            "Elu": elu,
            "Selu": selu,
            "HardSigmoid": hard_sigmoid,
            "HardSwish": hard_swish,
            "Softplus": softplus,
            "Gelu": gelu,
        }.items()
    },
}
