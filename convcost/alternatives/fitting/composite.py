"""The one kernel that a chain of convolutions is, away from borders: what a fit is measured by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import msgspec
import numpy as np

from convcost.alternatives.fitting.dense import Array, at, dense
from convcost.alternatives.layer import ConvLayer


class Composite(msgspec.Struct, frozen=True):
    """M × C × extents: output q reads x[stride·q + origin + tap] along each axis."""

    kernel: Array
    origin: tuple[int, ...]
    stride: tuple[int, ...]


def composite(parts: Sequence[ConvLayer], kernels: Sequence[Array]) -> Composite:
    """The chain as one kernel; `kernels` as ONNX stores them."""
    rank = len(parts[0].kernel)
    whole: Array | None = None
    extents, origin, stride = (1,) * rank, (0,) * rank, (1,) * rank
    for part, kernel in zip(parts, kernels, strict=True):
        steps = tuple(s * d for s, d in zip(stride, part.dilations, strict=True))
        larger = tuple(e + s * (k - 1) for e, s, k in zip(extents, steps, part.kernel, strict=True))
        out = np.zeros((part.m, parts[0].c, *larger))
        for tap in product(*map(range, part.kernel)):
            place = tuple(slice(s * t, s * t + e) for s, t, e in zip(steps, tap, extents, strict=True))
            weights = kernel[at(*tap)]
            inside = out[at(*place)]
            inside += (
                mixed(weights, whole, part) if whole is not None else dense(weights, part.group).reshape(inside.shape)
            )
        whole, extents = out, larger
        origin = tuple(o - s * b for o, s, b in zip(origin, stride, part.before, strict=True))
        stride = tuple(s * t for s, t in zip(stride, part.strides, strict=True))
    assert whole is not None
    return Composite(whole, origin, stride)


def borders_differ(parts: Sequence[ConvLayer]) -> bool:
    """Whether a step pads what an earlier one has made of several elements along the same axis.

    There it reads zeros, where one kernel for the whole chain would read what lies inside the border.
    """
    for axis in range(len(parts[0].kernel)):
        several = False
        for part in parts:
            if several and (part.before[axis] or part.after[axis]):
                return True
            several = several or part.kernel[axis] > 1
    return False


def mixed(weights: Array, whole: Array, part: ConvLayer) -> Array:
    """M × C/g weights of one tap times the kernel so far, group by group."""
    g = part.group
    flat = whole.reshape(g, part.c // g, -1)
    out: Array = (weights.reshape(g, part.m // g, part.c // g) @ flat).reshape(part.m, *whole.shape[1:])
    return out


def error(layer: ConvLayer, kernel: Array, parts: Sequence[ConvLayer], kernels: Sequence[Array]) -> float:
    """‖form - layer‖ / ‖layer‖, Frobenius, over every tap that either has; `kernel` is dense."""
    alone = msgspec.structs.replace(layer, group=1)
    theirs, ours = composite([alone], [kernel]), composite(parts, kernels)
    if theirs.stride != ours.stride:
        raise ValueError("the form has another stride")
    low = tuple(map(min, theirs.origin, ours.origin))
    high = tuple(
        max(a + s, b + t)
        for a, s, b, t in zip(theirs.origin, theirs.kernel.shape[2:], ours.origin, ours.kernel.shape[2:], strict=True)
    )
    shape = (*theirs.kernel.shape[:2], *(h - lo for h, lo in zip(high, low, strict=True)))
    missed = np.zeros(shape)
    for one, sign in ((theirs, -1.0), (ours, 1.0)):
        place = tuple(slice(o - lo, o - lo + e) for o, lo, e in zip(one.origin, low, one.kernel.shape[2:], strict=True))
        missed[at(*place)] += sign * one.kernel
    size = float(np.linalg.norm(kernel))
    return float(np.linalg.norm(missed)) / size if size else float(np.linalg.norm(missed))
