"""Relu after a bias as one maximum: relu(x + b) is max(x, -b) + b, and what is added passes through what follows.

A 1x1 convolution takes b into its own bias, a depthwise one too when its border is -b, and a maximum over windows
leaves it as it is. So one pass over an array takes the place of two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.kernels.convolution.epilogue import relu
from convcost.engine.kernels.pooling import pool_sizes
from convcost.engine.static.units import Reader, Unit
from convcost.engine.values import Array

LARGEST = 1e30
"""Biases and quotients over this are not trusted."""


def single(conv: Unit) -> bool:
    """Whether every output of a convolution reads one place of its input, and none reads a border."""
    if conv.step.node.op != "Conv" or any(d != 1 for d in conv.weight.shape[2:]):
        return False
    return not any(conv.attrs.pads or ()) and conv.attrs.auto_pad in ("NOTSET", "VALID")


def filled(pool: Unit, read: Reader) -> bool:
    """Whether every window of a pooling reads some of its input, so that no output comes from the border alone."""
    shape = read.shape(pool.inputs[0])
    assert shape is not None
    win, out, _ = pool_sizes(pool.attrs, shape[2:])
    values = zip(shape[2:], out, win.kernel, win.strides, win.dilations, win.before, strict=True)
    return all(d == 1 and before < k and (o - 1) * s - before < n for n, o, k, s, d, before in values)


def added(conv: Unit, bias: Array) -> None:
    """Put what a 1x1 convolution makes of a constant by input channel into its bias."""
    w: Any = conv.kernel().astype(np.float64)
    parts = w.reshape(conv.attrs.group, -1, w.shape[1]) @ bias.astype(np.float64).reshape(-1, w.shape[1], 1)
    conv.bias = (parts.reshape(-1) + (0 if conv.bias is None else conv.bias)).astype(np.float32)


def hand_on(source: Unit, conv: Unit) -> None:
    """Let a 1x1 convolution add the bias of the convolution before it, as far as it passes through its weights."""
    if source.act is None and source.bias is not None and single(conv):
        added(conv, source.bias)
        source.bias = None


def lower(source: Unit, conv: Unit) -> None:
    """Let a depthwise convolution take over relu(x + b) while it copies its input.

    What is added goes to the bias of each channel times the sum of its weights. Two passes over the input are left out.
    """
    w: Any = conv.weight
    channels = source.weight.shape[0]
    if source.act is not relu or conv.step.node.op != "Conv" or source.step.node.op == "ConvTranspose":
        return
    if not conv.attrs.group == channels == w.shape[0] or channels == 1 or w.shape[1] != 1 or single(conv):
        return
    if (conv.attrs.strides or (1,))[-1] > 1 or conv.floor is not None:
        return  # with a stride columns are copied one by one: short runs, in which a maximum is slow
    bias: Any = np.zeros(channels, np.float32) if source.bias is None else source.bias
    if np.abs(bias).max() > LARGEST:
        return
    conv.floor, source.bias, source.act = -bias, None, None
    if conv.shuffled:
        bias = bias.reshape(conv.shuffled, -1).T.reshape(-1)
    more = conv.kernel().astype(np.float64).reshape(channels, -1).sum(axis=1) * bias
    conv.bias = (more + (0 if conv.bias is None else conv.bias)).astype(np.float32)


def join(concat: Unit, made: dict[str, Unit], readers: dict[str, list[Unit]], read: Reader) -> None:
    """Biases and relu of what is concatenated as one pass over the whole, whose rows are long.

    After a maximum over windows, where that alone reads the whole. What is added passes to the 1x1 convolutions that
    read the result, if nothing else does.
    """
    parts = [made.get(name) for name in concat.reads]
    ends = readers.get(concat.outputs[0], [])
    last = concat
    if concat.act is None and len(ends) == 1 and ends[0].kind == "pool" and ends[0].act is relu:
        last = ends[0]
    if last.act is not relu or (last is not concat and read.uses.get(concat.outputs[0]) != 1):
        return
    values = []
    for name, part in zip(concat.reads, parts, strict=True):
        values.append(np.zeros((read.shape(name) or (0, 0))[1], np.float32))
        if part is not None and part.kind == "conv" and read.uses.get(name) == 1 and part.bias is not None:
            if part.act is not None or part.addend or part.dealt:
                return
            values[-1] = part.bias
    bias: Any = np.concatenate(values)
    if not bias.any() or np.abs(bias).max() > LARGEST:
        return
    for name, part in zip(concat.reads, parts, strict=True):
        if part is not None and part.kind == "conv" and read.uses.get(name) == 1:
            part.bias = None
    last.act, last.floor, last.bias = None, -bias, bias
    takers = absorbers(last.outputs[0], readers, read)
    if takers:
        for conv in takers:
            added(conv, bias)
        last.bias = None


def absorbers(name: str, readers: dict[str, list[Unit]], read: Reader) -> list[Unit]:
    """The 1x1 convolutions that a constant by channel ends in, where it is all there is to it; else none."""
    found: list[Unit] = []
    ends = readers.get(name, [])
    if len(ends) != read.uses.get(name):
        return []
    for unit in ends:
        if unit.kind == "conv" and single(unit) and unit.addend != name:
            found.append(unit)
        elif unit.kind == "pool" and unit.step.node.op == "MaxPool" and unit.act is None and filled(unit, read):
            more = absorbers(unit.outputs[0], readers, read)
            if not more:
                return []
            found += more
        else:
            return []
    return found
