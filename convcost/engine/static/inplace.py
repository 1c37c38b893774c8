"""Concatenations without copies: what is concatenated is made in its place of the whole."""

from __future__ import annotations

from typing import NamedTuple

from convcost.engine.static.layout import LAST, Layouts
from convcost.engine.static.units import Reader, Unit

KINDS = ("conv", "affine", "pool", "concat")
"""Units that read and write rows which do not follow one another."""
ROWS = ("pointwise", "im2col", "winograd-f4", "winograd-f2")
"""So do these algorithms of convolution."""


class Spot(NamedTuple):
    """A range of the channels of the array `whole`, from channel `start`."""

    whole: str
    start: int


def spots(units: list[Unit], read: Reader, layouts: Layouts) -> dict[str, Spot]:
    """Where each name that can be made in place lies. A concatenation of concatenations has one whole."""
    makers = {name: unit for unit in units for name in unit.outputs if name}
    readers: dict[str, list[Unit]] = {}
    for unit in units:
        for name in unit.reads:
            readers.setdefault(name, []).append(unit)
    found: dict[str, Spot] = {}
    for unit in reversed(units):
        if unit.kind != "concat":
            continue
        whole, at = found.get(unit.outputs[0], Spot(unit.outputs[0], 0))
        for name in unit.reads:
            shape = read.shape(name) or (0, 0)
            free = name not in found and name in makers and (layouts.layout(name) == LAST or shape[0] == 1)
            if free and can(makers[name], layouts) and all(can(u, layouts) for u in readers[name]):
                found[name] = Spot(whole, at)
            at += shape[1]
    return found


def can(unit: Unit, layouts: Layouts) -> bool:
    """Whether a unit works on a part of the channels of a larger array."""
    if unit.kind == "conv":
        trial = layouts.trial(unit)
        return trial is not None and trial.algorithm.name in ROWS
    return unit.kind in KINDS and unit.step.node.op != "GlobalAveragePool"
