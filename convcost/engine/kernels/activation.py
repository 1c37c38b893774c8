"""Activation functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from convcost.engine.kernels import Kernel
from convcost.engine.values import Array, Value

ERF_LIMIT = 4.0
"""Beyond this, erf is 1 in float32."""


def _erf_series(degree: int) -> Any:
    """Chebyshev coefficients of erf(x) / x in t = 2(x / 4)² - 1, from the function itself."""

    def target(t: Any) -> Any:
        x = ERF_LIMIT * np.sqrt(np.maximum((t + 1) / 2, 1e-16))
        return np.array([math.erf(v) / v for v in x])

    return np.polynomial.chebyshev.chebinterpolate(target, degree)


_SERIES: list[Any] = []


def erf(x: Array) -> Array:
    """The error function, to 1e-7 in float32 and to the last bits in float64."""
    if x.dtype == np.float64:
        return np.array([math.erf(v) for v in x.ravel().tolist()], np.float64).reshape(x.shape)
    if not _SERIES:
        _SERIES.append(np.polynomial.chebyshev.cheb2poly(_erf_series(22)))
    wide = np.clip(x.astype(np.float64), -ERF_LIMIT, ERF_LIMIT)
    t = wide * wide
    t *= 2 / ERF_LIMIT**2
    t -= 1
    out = np.full_like(t, _SERIES[0][-1])
    for c in _SERIES[0][-2::-1]:
        out *= t
        out += c
    out *= wide
    return out.astype(x.dtype)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), through tanh, which cannot overflow."""
    half = np.array(0.5, x.dtype)
    y = np.tanh(x * half)
    y *= half
    y += half
    return np.asarray(y)


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
    return half * x * (one + erf(x * np.array(math.sqrt(0.5), x.dtype)))


def prelu(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """x, or slope · x below zero. Old models give the slope by channel, without the axes behind it."""
    x, slope = inputs
    if slope.ndim == 1 and x.ndim > 2 and slope.size == x.shape[1] and slope.size != x.shape[-1]:
        slope = slope.reshape(slope.shape + (1,) * (x.ndim - 2))
    zero = np.array(0, x.dtype)
    return [np.maximum(x, zero) + slope * np.minimum(x, zero)]


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
