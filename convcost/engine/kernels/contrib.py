"""Operators of com.microsoft that join what ONNX has apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.kernels import Binder, Bound, Kernel, Options, Simple
from convcost.engine.kernels.activation import blocked, erf, gelu_part, sigmoid
from convcost.engine.kernels.matmul import product
from convcost.engine.values import Array, Value
from convcost.ir import Node


def activate(y: Any, name: str, params: tuple[float, ...] = ()) -> Array:
    """An activation function by its name and parameters."""
    a = params[0] if params else None
    b = params[1] if len(params) > 1 else None
    if name == "Relu":
        return np.asarray(np.maximum(y, 0))
    if name == "Tanh":
        return np.asarray(np.tanh(y))
    if name == "Sigmoid":
        return sigmoid(y)
    if name == "LeakyRelu":
        return np.asarray(np.where(y >= 0, y, y * np.float32(0.01 if a is None else a)))
    if name == "Clip":
        return np.asarray(np.clip(y, a, b))
    if name == "HardSigmoid":
        return np.asarray(np.clip(y * np.float32(0.2 if a is None else a) + np.float32(0.5 if b is None else b), 0, 1))
    if name:
        raise ValueError(f"the activation function {name[:40]} is not known")
    return np.asarray(y)


def fused_matmul(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """Alpha · A' B': operands transposed in their last two axes, or with the batch moved inside."""
    a = operand(inputs[0], attrs.transA, getattr(attrs, "transBatchA", 0))
    b = operand(inputs[1], attrs.transB, getattr(attrs, "transBatchB", 0))
    y = product(a, b)
    if attrs.alpha != 1:
        y = y * y.dtype.type(attrs.alpha)
    return [activate(y, attrs.activation)]


def operand(x: Array, transpose: int, batch: int) -> Array:
    """X as the product reads it."""
    if batch and x.ndim > 2:
        x = np.moveaxis(x, 0, -2)
    return x.swapaxes(-1, -2) if transpose and x.ndim > 1 else x


def fused_gemm(attrs: Any, inputs: list[Value], n_outputs: int) -> list[Value]:
    """Gemm and an activation function."""
    from convcost.engine.kernels.matmul import gemm  # noqa: PLC0415 - one of the rare ones

    return [activate(gemm(attrs, inputs, n_outputs)[0], attrs.activation)]


def bias_gelu(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """Gelu(x + b)."""
    x = inputs[0] + inputs[1] if len(inputs) > 1 else inputs[0]
    if x.dtype == np.float32:
        return [blocked(gelu_part, x)]
    half = x.dtype.type(0.5)
    return [half * x * (1 + erf(x * x.dtype.type(np.sqrt(0.5))))]


def fast_gelu(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """The tanh approximation of Gelu(x + b)."""
    x = inputs[0] + inputs[1] if len(inputs) > 1 and inputs[1] is not None else inputs[0]
    one = x.dtype.type
    return [one(0.5) * x * (1 + np.tanh(x * (one(0.7978845608) + one(0.035677408136) * x * x)))]


def quick_gelu(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """X · sigmoid(alpha x)."""
    x = inputs[0]
    return [x * sigmoid(x * x.dtype.type(getattr(attrs, "alpha", 1.702)))]


def skip_layer_norm(node: Node, _: list[Value], __: Options) -> Bound:
    """LayerNormalization of x + skip + bias: x, skip, gamma, beta, bias -> y, mean, 1/std, the sum."""
    epsilon = float(dict(node.raw).get("epsilon", 1e-12))

    def run(_: Any, inputs: list[Value], n_outputs: int) -> list[Value]:
        rest: list[Any] = [*inputs[3:], *[None] * (5 - len(inputs))]
        beta, bias = rest
        total = inputs[0] + inputs[1]
        if bias is not None:
            total = total + bias
        mean = total.mean(axis=-1, keepdims=True)
        centred = total - mean
        inverse = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + total.dtype.type(epsilon))
        y = centred * inverse * inputs[2]
        return [y if beta is None else y + beta, mean, inverse, total][:n_outputs]

    return Simple("two passes", run, node.attrs, len(node.outputs))


MS = "com.microsoft"

KERNELS: dict[tuple[str, str, str], Kernel] = {
    (MS, "FusedMatMul", "gemm"): fused_matmul,
    (MS, "TransposeMatMul", "gemm"): fused_matmul,
    (MS, "FusedMatMulActivation", "gemm"): fused_matmul,
    (MS, "FusedGemm", "gemm"): fused_gemm,
    (MS, "Gelu", "ufunc"): bias_gelu,
    (MS, "BiasGelu", "ufunc"): bias_gelu,
    (MS, "FastGelu", "ufunc"): fast_gelu,
    (MS, "QuickGelu", "ufunc"): quick_gelu,
}

BINDERS: dict[tuple[str, str], Binder] = {
    (MS, "SkipLayerNormalization"): skip_layer_norm,
}
