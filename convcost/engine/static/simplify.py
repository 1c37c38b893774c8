"""Units made cheaper by what their neighbours can do for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.kernels.convolution.epilogue import relu
from convcost.engine.kernels.pooling import pool_sizes
from convcost.engine.static.units import Reader, Unit

LARGEST = 1e30
"""Quotients over this are not trusted."""


def simplify(units: list[Unit], read: Reader) -> None:
    """Change units in place; the results stay the same but for rounding."""
    made = {name: unit for unit in units for name in unit.outputs if name}
    for unit in units:
        if unit.kind == "concat" and unit.act is None:
            gather(unit, made, read)
    for unit in units:
        source = made.get(unit.inputs[0]) if unit.inputs else None
        if source is None or read.uses.get(unit.inputs[0]) != 1:
            continue
        if unit.kind == "pool" and unit.step.node.op == "MaxPool":
            delay(source, unit, read)
        elif unit.kind == "conv" and source.kind == "affine":
            absorb(source, unit)
        elif unit.kind == "conv" and source.kind == "conv" and not source.dealt and source.addend is None:
            lower(source, unit)
            hand_on(source, unit)


def gather(concat: Unit, made: dict[str, Unit], read: Reader) -> None:
    """Relu of the whole instead of its parts, whose rows are short where they are made in place."""
    sources = [made.get(name) for name in concat.reads]
    if not all(source is not None and rectified(source, made) for source in sources):
        return
    for name, source in zip(concat.reads, sources, strict=True):
        if source is not None and source.act is relu and read.uses.get(name) == 1:
            source.act, concat.act = None, relu


def rectified(unit: Unit, made: dict[str, Unit]) -> bool:
    """Whether the output has no negative values: relu changes nothing."""
    if unit.act is relu:
        return True
    source = made.get(unit.inputs[0]) if unit.kind == "pool" else None
    return source is not None and rectified(source, made)


def delay(source: Unit, pool: Unit, read: Reader) -> None:
    """Max over a window of relu(x) is relu of the maximum: the activation runs on the smaller array."""
    if source.act is not relu or source.kind not in ("conv", "affine", "add", "concat"):
        return
    shape = read.shape(pool.inputs[0])
    assert shape is not None
    win, out, _ = pool_sizes(pool.attrs, shape[2:])
    for n, o, k, s, d, before in zip(shape[2:], out, win.kernel, win.strides, win.dilations, win.before, strict=True):
        if d > 1 or before >= k or (o - 1) * s - before >= n:
            return  # a window wholly in the border has the lowest value, which is not relu of anything
    source.act, pool.act = None, relu


def absorb(source: Unit, conv: Unit) -> None:
    """Let a 1x1 convolution take over most of relu(s x + t).

    For s > 0 it is s (max(x, -t/s) + t/s): the products take the factor, the bias takes what is added, and one maximum
    is left of three operations. A border of zeros would not be zero any more.
    """
    w: Any = conv.weight
    if source.act is not relu or not single(conv) or not (source.scale > 0).all():
        return
    scale, shift = source.scale.astype(np.float64), source.shift.astype(np.float64)
    ratio = shift / scale
    if np.abs(ratio).max() > LARGEST:
        return
    groups = conv.attrs.group
    columns = (-1, w.shape[1], *(1,) * (w.ndim - 2))
    by_group = conv.kernel().astype(np.float64).reshape(groups, -1, *w.shape[1:])
    added = (by_group * shift.reshape(groups, *columns)).reshape(w.shape[0], -1).sum(axis=1)
    conv.taken = scale
    conv.bias = (added if conv.bias is None else conv.bias + added).astype(np.float32)
    source.floor = (-ratio).astype(np.float32)
    source.act = None


def single(conv: Unit) -> bool:
    """Whether every output of a convolution reads one place of its input, and none reads a border."""
    if conv.step.node.op != "Conv" or any(d != 1 for d in conv.weight.shape[2:]):
        return False
    return not any(conv.attrs.pads or ()) and conv.attrs.auto_pad in ("NOTSET", "VALID")


def hand_on(source: Unit, conv: Unit) -> None:
    """Let a 1x1 convolution add the bias of the convolution before it, as far as it passes through its weights."""
    if source.act is not None or source.bias is None or not single(conv):
        return
    w: Any = conv.kernel().astype(np.float64)
    parts = w.reshape(conv.attrs.group, -1, w.shape[1]) @ source.bias.astype(np.float64).reshape(-1, w.shape[1], 1)
    conv.bias = (parts.reshape(-1) + (0 if conv.bias is None else conv.bias)).astype(np.float32)
    source.bias = None


def lower(source: Unit, conv: Unit) -> None:
    """Let a depthwise convolution take over relu(x + b) while it copies its input.

    It is max(x, -b) + b: what is added goes to the bias of each channel times the sum of its weights, and a border of
    zeros becomes one of -b. Two passes over the input are left out.
    """
    w: Any = conv.weight
    channels = source.weight.shape[0]
    if source.act is not relu or conv.step.node.op != "Conv" or source.step.node.op == "ConvTranspose":
        return
    if not conv.attrs.group == channels == w.shape[0] or channels == 1 or w.shape[1] != 1 or single(conv):
        return
    if (conv.attrs.strides or (1,))[-1] > 1:
        return  # columns are copied one by one: short runs, in which a maximum is slow
    bias: Any = np.zeros(channels, np.float32) if source.bias is None else source.bias
    if np.abs(bias).max() > LARGEST:
        return
    conv.floor, source.bias, source.act = -bias, None, None
    if conv.shuffled:
        bias = bias.reshape(conv.shuffled, -1).T.reshape(-1)
    added = conv.kernel().astype(np.float64).reshape(channels, -1).sum(axis=1) * bias
    conv.bias = (added + (0 if conv.bias is None else conv.bias)).astype(np.float32)
