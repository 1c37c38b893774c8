"""Operators that move, cut, join or describe data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convcost.engine.kernels import Binder, Bound, Kernel, Options, Simple
from convcost.engine.values import Array, Value
from convcost.ir import Node


def identity(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """X."""
    return [inputs[0]]


def dropout(_: Any, inputs: list[Value], n_outputs: int) -> list[Value]:
    """x, and a mask that keeps everything: inference."""
    x = inputs[0]
    return [x] if n_outputs == 1 else [x, np.ones(x.shape, np.bool_)]


def reshape(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """X in another shape; 0 copies a dimension unless `allowzero`, -1 takes what is left."""
    x = inputs[0]
    wanted = inputs[1].tolist() if len(inputs) > 1 and inputs[1] is not None else list(attrs.shape)
    if not attrs.allowzero:
        wanted = [x.shape[i] if d == 0 else d for i, d in enumerate(wanted)]
    if -1 in wanted and 0 in wanted:
        rest = math.prod(d for d in wanted if d != -1)
        wanted[wanted.index(-1)] = x.size // rest if rest else 0
    return [x.reshape(wanted)]


def flatten(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """X as a matrix, split before `axis`."""
    x = inputs[0]
    axis = attrs.axis + x.ndim if attrs.axis < 0 else attrs.axis
    return [x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))]


def transpose(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """X with its axes permuted, copied into order."""
    return [inputs[0].transpose(attrs.perm or None).copy()]


def axes_of(attrs: Any, inputs: list[Value], slot: int = 1) -> tuple[int, ...] | None:
    """Axes from an input, or from an attribute of old operator sets; None where neither is there."""
    if len(inputs) > slot and inputs[slot] is not None:
        return tuple(int(a) for a in inputs[slot].ravel())
    given = getattr(attrs, "axes", None)
    return None if given is None else tuple(given)


def squeeze(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """X without axes of size 1."""
    axes = axes_of(attrs, inputs)
    return [np.squeeze(inputs[0], axis=axes or None) if axes != () else inputs[0]]


def unsqueeze(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """X with new axes of size 1."""
    return [np.expand_dims(inputs[0], axes_of(attrs, inputs) or ())]


def concat(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """The inputs joined along `axis`."""
    return [np.concatenate(inputs, axis=attrs.axis)]


def shape(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """The dimensions of x, from `start` to `end`."""
    return [np.array(inputs[0].shape, np.int64)[getattr(attrs, "start", 0) or 0 : getattr(attrs, "end", None)]]


def size(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """The number of elements."""
    return [np.array(inputs[0].size, np.int64)]


def gather(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """Slices of x along `axis`; negative indices count from the end."""
    x, indices = inputs
    return [np.asarray(np.take(x, indices, axis=attrs.axis))]


def gather_elements(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """Elements of x at indices along `axis`."""
    x, indices = inputs
    limit = x.shape[attrs.axis]
    return [np.take_along_axis(x, np.where(indices < 0, indices + limit, indices), attrs.axis)]


def slice_(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """x[start:end:step] on the given axes."""
    x = inputs[0]
    axes: Any
    steps: Any
    if len(inputs) > 1:
        starts, ends = inputs[1].tolist(), inputs[2].tolist()
        axes = axes_of(attrs, inputs, 3)
        steps = inputs[4].tolist() if len(inputs) > 4 and inputs[4] is not None else [1] * len(starts)
    else:
        starts, ends, axes, steps = list(attrs.starts), list(attrs.ends), tuple(attrs.axes or ()) or None, None
        steps = [1] * len(starts)
    cut: list[slice] = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes or range(len(starts)), steps, strict=True):
        cut[axis] = bounds(start, end, step, x.shape[axis])
    return [x[tuple(cut)]]


def bounds(start: int, end: int, step: int, n: int) -> slice:
    """A Python slice with ONNX's meaning of start and end."""
    start = start + n if start < 0 else start
    end = end + n if end < 0 else end
    if step > 0:
        return slice(min(max(start, 0), n), min(max(end, 0), n), step)
    start, end = min(max(start, -1), n - 1), min(max(end, -1), n - 1)
    return slice(start, None if end < 0 else end, step) if start >= 0 else slice(0, 0)


def split(attrs: Any, inputs: list[Value], n_outputs: int) -> list[Value]:
    """X cut along `axis` into the given sizes, or into equal parts, the last smaller."""
    x, axis = inputs[0], attrs.axis
    given = inputs[1] if len(inputs) > 1 else getattr(attrs, "split", None)
    if given is not None and len(given):
        sizes = [int(s) for s in given]
    else:
        part = -(-x.shape[axis] // n_outputs)
        sizes = [part] * n_outputs
    return list(np.split(x, np.cumsum(sizes)[:-1], axis=axis))


def expand(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """X broadcast against a shape."""
    x = inputs[0]
    return [np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(inputs[1].tolist())))]


def tile(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """X repeated along each axis."""
    return [np.tile(inputs[0], inputs[1].tolist())]


def range_(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """start, start + delta, … below limit."""
    start, limit, delta = (v.reshape(()) for v in inputs)
    n = max(math.ceil((limit.item() - start.item()) / delta.item()), 0)
    return [(start + np.arange(n) * delta).astype(start.dtype, copy=False)]


def pad(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """X with elements added (or, for negative numbers, cut) around it."""
    x = inputs[0]
    from_inputs = len(inputs) > 1 and inputs[1] is not None
    pads = [int(p) for p in (inputs[1].ravel() if from_inputs else attrs.pads)]
    fill = inputs[2].reshape(-1)[0] if len(inputs) > 2 and inputs[2] is not None and inputs[2].size else x.dtype.type(0)
    axes = axes_of(attrs, inputs, 3)
    places = list(axes) if axes is not None else list(range(x.ndim))
    half = len(pads) // 2
    widths = [(0, 0)] * x.ndim
    for place, before, after in zip(places, pads[:half], pads[half:], strict=True):
        widths[place] = (before, after)
    cut = tuple(slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(x.shape, widths, strict=True))
    grown = [(max(b, 0), max(a, 0)) for b, a in widths]
    return [_padded(x[cut], grown, attrs.mode, fill)]


def _padded(x: Array, widths: list[tuple[int, int]], mode: str, fill: Any) -> Array:
    if mode == "constant":
        return np.pad(x, widths, constant_values=fill)
    return np.pad(x, widths, mode={"reflect": "reflect", "edge": "edge", "wrap": "wrap"}[mode])  # type: ignore[call-overload, no-any-return]


def depth_to_space(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """x: (N, C, H, W) -> (N, C/b², bH, bW)."""
    x, b = inputs[0], attrs.blocksize
    n, c, h, w = x.shape
    if attrs.mode == "CRD":
        y = x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    else:
        y = x.reshape(n, b, b, c // b**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    return [y.reshape(n, c // b**2, h * b, w * b)]


def space_to_depth(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """x: (N, C, H, W) -> (N, C·b², H/b, W/b)."""
    x, b = inputs[0], attrs.blocksize
    n, c, h, w = x.shape
    order = (0, 1, 3, 5, 2, 4) if attrs.mode == "CRD" else (0, 3, 5, 1, 2, 4)
    y = x.reshape(n, c, h // b, b, w // b, b).transpose(order)
    return [y.reshape(n, c * b * b, h // b, w // b)]


def bind_pad(node: Node, _: list[Value], __: Options) -> Bound:
    """Pad; below operator set 11 what fills is an attribute."""
    value = dict(node.raw).get("value")
    if value is None:
        return Simple("copy", pad, node.attrs, 1)

    def run(attrs: Any, inputs: list[Value], n_outputs: int) -> list[Value]:
        return pad(attrs, [inputs[0], None, np.array(value, inputs[0].dtype)], n_outputs)

    return Simple("copy", run, node.attrs, 1)


def bind_dropout(node: Node, constants: list[Value], _: Options) -> Bound | None:
    """Dropout for inference; with a training input that is not a constant false it is the reference's."""
    if len(node.inputs) > 2 and node.inputs[2] and (constants[2] is None or bool(constants[2])):
        return None
    if node.attrs.train and node.since_version >= 7:
        return None
    return Simple("view", dropout, node.attrs, len(node.outputs))


BINDERS: dict[tuple[str, str], Binder] = {("", "Pad"): bind_pad, ("", "Dropout"): bind_dropout}

KERNELS: dict[tuple[str, str, str], Kernel] = {
    ("", "Identity", "view"): identity,
    ("", "Reshape", "view"): reshape,
    ("", "Flatten", "view"): flatten,
    ("", "Squeeze", "view"): squeeze,
    ("", "Unsqueeze", "view"): unsqueeze,
    ("", "Slice", "view"): slice_,
    ("", "Split", "view"): split,
    ("", "Expand", "view"): expand,
    ("", "Shape", "view"): shape,
    ("", "Size", "view"): size,
    ("", "Transpose", "copy"): transpose,
    ("", "Concat", "copy"): concat,
    ("", "Gather", "copy"): gather,
    ("", "GatherElements", "copy"): gather_elements,
    ("", "Tile", "copy"): tile,
    ("", "Range", "copy"): range_,
    ("", "DepthToSpace", "copy"): depth_to_space,
    ("", "SpaceToDepth", "copy"): space_to_depth,
}
