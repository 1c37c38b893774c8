"""Units made cheaper by what their neighbours can do for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.kernels.convolution.epilogue import relu
from convcost.engine.static.floors import LARGEST, filled, hand_on, join, lower, single
from convcost.engine.static.units import Reader, Unit


def simplify(units: list[Unit], read: Reader) -> None:
    """Change units in place; the results stay the same but for rounding."""
    made = {name: unit for unit in units for name in unit.outputs if name}
    for unit in units:
        if unit.kind == "concat" and unit.act is None:
            gather(unit, made, read)
    readers: dict[str, list[Unit]] = {}
    for unit in units:
        for name in unit.reads:
            readers.setdefault(name, []).append(unit)
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
    for unit in units:
        if unit.kind == "concat":
            join(unit, made, readers, read)


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
    if filled(pool, read):  # a window wholly in the border has the lowest value, which is not relu of anything
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
