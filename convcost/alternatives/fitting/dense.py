"""Kernels as ONNX stores them, and as the dense array that the fits work on."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def at(*place: int | slice) -> Any:
    """The index of these places along the spatial axes, for all channels."""
    return (slice(None), slice(None), *place)


def dense(kernel: Array, group: int) -> Array:
    """M × C × K from M × C/g × K: zeros where an output channel does not read an input channel."""
    m, part = kernel.shape[:2]
    out = np.zeros((group, m // group, group, part, *kernel.shape[2:]))
    for g in range(group):
        out[g, :, g] = kernel.reshape(group, m // group, *kernel.shape[1:])[g]
    return out.reshape(m, group * part, *kernel.shape[2:])


def blocks(kernel: Array, group: int) -> Array:
    """M × C/g × K: what `group` groups keep of a dense kernel. No kernel in groups is nearer to it."""
    m, c = kernel.shape[:2]
    parts = kernel.reshape(group, m // group, group, c // group, *kernel.shape[2:])
    return np.stack([parts[g, :, g] for g in range(group)]).reshape(m, c // group, *kernel.shape[2:])


def grouped(kernel: Array, group: int) -> Array:
    """The blocks with the groups apart: g × M/g × C/g × K."""
    return blocks(kernel, group).reshape(group, kernel.shape[0] // group, -1, *kernel.shape[2:])
