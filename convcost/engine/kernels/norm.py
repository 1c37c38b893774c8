"""Normalisations and softmax."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convcost.engine.kernels import Binder, Bound, Kernel, Options, Simple
from convcost.engine.values import Array, Value
from convcost.ir import Node


def batch_normalization(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """(x - mean) · scale / √(var + epsilon) + bias, by channel: one multiplication and one addition an element."""
    x, scale, bias, mean, var = inputs[:5]
    wide = np.dtype(np.float32) if x.dtype == np.float16 else x.dtype
    factor = scale.astype(wide) / np.sqrt(var.astype(wide) + wide.type(attrs.epsilon))
    shift = bias.astype(wide) - mean.astype(wide) * factor
    shape = (-1,) + (1,) * (x.ndim - 2) if x.ndim > 1 else (-1,)
    y = x * factor.reshape(shape)
    y += shift.reshape(shape)
    return [y.astype(x.dtype, copy=False)]


def lrn(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """X / (bias + alpha / size · Σ x²)^beta over `size` neighbouring channels."""
    x, size = inputs[0], attrs.size
    c = x.shape[1]
    squares = x * x
    sums = np.empty_like(squares)
    below, above = (size - 1) // 2, size - 1 - (size - 1) // 2
    sums[:] = squares
    for offset in range(1, above + 1):
        if offset < c:
            sums[:, : c - offset] += squares[:, offset:]
    for offset in range(1, below + 1):
        if offset < c:
            sums[:, offset:] += squares[:, : c - offset]
    sums *= x.dtype.type(attrs.alpha / size)
    sums += x.dtype.type(attrs.bias)
    if attrs.beta == 0.75:
        np.sqrt(sums, out=sums)
        sums *= np.sqrt(sums)
        return [x / sums]
    return [x * np.power(sums, x.dtype.type(-attrs.beta))]


def instance_normalization(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """Each image and channel to mean 0 and variance 1, then scaled and shifted by channel."""
    x, scale, bias = inputs
    axes = tuple(range(2, x.ndim))
    shape = (-1,) + (1,) * (x.ndim - 2)
    centred = x - x.mean(axis=axes, keepdims=True)
    var = (centred * centred).mean(axis=axes, keepdims=True)
    return [centred / np.sqrt(var + x.dtype.type(attrs.epsilon)) * scale.reshape(shape) + bias.reshape(shape)]


def layer_normalization(attrs: Any, inputs: list[Value], n_outputs: int) -> list[Value]:
    """The axes from `axis` on to mean 0 and variance 1, then scaled and shifted element by element."""
    x, scale = inputs[0], inputs[1]
    bias = inputs[2] if len(inputs) > 2 else None
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    start = attrs.axis + x.ndim if attrs.axis < 0 else attrs.axis
    axes = tuple(range(start, x.ndim))
    mean = wide.mean(axis=axes, keepdims=True)
    centred = wide - mean
    inverse = 1 / np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + wide.dtype.type(attrs.epsilon))
    y = (centred * inverse).astype(x.dtype, copy=False) * scale
    if bias is not None:
        y = y + bias
    return [y, mean, inverse][:n_outputs]


def as_matrix(x: Array, axis: int) -> Array:
    """X as a matrix, split before `axis`: what Softmax normalised over below operator set 13."""
    start = axis + x.ndim if axis < 0 else axis
    if start == x.ndim - 1 == 1:
        return x
    return x.reshape(math.prod(x.shape[:start]), math.prod(x.shape[start:]))


def softmax(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """exp(x) / Σ exp(x) along `axis`, or over all axes from it on."""
    x = inputs[0]
    if not x.size:
        return [x]
    work, axis = (as_matrix(x, attrs.axis), 1) if attrs.flatten else (x, attrs.axis)
    y = lowered(work, axis)
    np.exp(y, y)
    np.divide(y, np.add.reduce(y, axis=axis, keepdims=True), y)
    return [y if y.ndim == x.ndim else y.reshape(x.shape)]


def log_softmax(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """X - log Σ exp(x) along `axis`, or over all axes from it on."""
    x = inputs[0]
    if not x.size:
        return [x]
    work, axis = (as_matrix(x, attrs.axis), 1) if attrs.flatten else (x, attrs.axis)
    y = lowered(work, axis)
    np.subtract(y, np.log(np.add.reduce(np.exp(y), axis=axis, keepdims=True)), y)
    return [y.reshape(x.shape)]


def lowered(x: Array, axis: int) -> Array:
    """X - max(x) along an axis.

    The ufuncs' own reductions: the methods of arrays are functions of Python around them, which after a large layer,
    out of cache, take longer than the numbers.
    """
    return np.asarray(np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True)))


def bind_batch_normalization(node: Node, _: list[Value], __: Options) -> Bound | None:
    """Inference; training, and statistics by position, are the reference's."""
    if node.attrs.training_mode or not node.attrs.spatial or sum(map(bool, node.outputs)) > 1:
        return None
    return Simple("scale+shift", batch_normalization, node.attrs, len(node.outputs))


KERNELS: dict[tuple[str, str, str], Kernel] = {
    ("", "LRN", "shifted sums"): lrn,
    ("", "InstanceNormalization", "two passes"): instance_normalization,
    ("", "LayerNormalization", "two passes"): layer_normalization,
    ("", "Softmax", "ufunc"): softmax,
    ("", "LogSoftmax", "ufunc"): log_softmax,
}

BINDERS: dict[tuple[str, str], Binder] = {("", "BatchNormalization"): bind_batch_normalization}
