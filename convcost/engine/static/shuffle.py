"""Channel shuffles: a reshape to groups, a transposition of the groups with their channels, and a reshape back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from convcost.engine.kernels.conv import geometry
from convcost.engine.kernels.convolution import pointwise
from convcost.engine.plan import Step
from convcost.engine.static.units import Reader, Unit


class Shuffle(NamedTuple):
    """The array that is shuffled, into how many groups, the numbers of the three steps, and what they make."""

    source: str
    groups: int
    steps: tuple[int, int, int]
    result: str


def find_shuffles(steps: list[Step], read: Reader) -> dict[int, Shuffle]:
    """The shuffles of a plan by their first step. Source: X. Zhang et al., "ShuffleNet", arXiv:1707.01083."""
    readers = {step.inputs[0]: i for i, step in enumerate(steps) if step.inputs}
    found: dict[int, Shuffle] = {}
    for i, step in enumerate(steps):
        j = readers.get(step.outputs[0], -1) if step.outputs else -1
        k = readers.get(steps[j].outputs[0], -1) if j >= 0 and steps[j].outputs else -1
        if k < 0 or step.inputs[0] < 0:
            continue
        groups = shuffled_groups(step, steps[j], steps[k], read)
        if groups:
            found[i] = Shuffle(read.names[step.inputs[0]], groups, (i, j, k), read.names[steps[k].outputs[0]])
    return found


def shuffled_groups(first: Step, middle: Step, last: Step, read: Reader) -> int:
    """How many groups three steps shuffle; 0 where they do something else."""
    if [s.node.op for s in (first, middle, last)] != ["Reshape", "Transpose", "Reshape"]:
        return 0
    if any(s.node.domain for s in (first, middle, last)):
        return 0
    x, parts, y = (read.shape(read.names[s]) for s in (first.inputs[0], first.outputs[0], last.outputs[0]))
    if x is None or parts is None or x != y or len(x) < 3 or len(parts) != len(x) + 1:
        return 0
    perm = (0, 2, 1, *range(3, len(parts)))
    inner = [read.names[s.outputs[0]] for s in (first, middle)]
    if tuple(middle.node.attrs.perm or ()) != perm or any(read.uses.get(n) != 1 for n in inner):
        return 0
    fits = parts[0] == x[0] and parts[3:] == x[2:] and parts[1] * parts[2] == x[1]
    return parts[1] if fits else 0


def pointwise_maker(unit: Unit, shuffle: Shuffle, read: Reader) -> bool:
    """Whether a unit is a grouped 1x1 convolution that can write its channels in shuffled order."""
    if unit.kind != "conv" or unit.step.node.op == "ConvTranspose" or unit.addend or unit.shuffled:
        return False
    shape, a = read.shape(unit.inputs[0]), unit.attrs
    if read.uses.get(shuffle.source) != 1 or shape is None or a.group != shuffle.groups:
        return False
    return pointwise.applies(geometry(shape, unit.weight.shape, a)) is None


def depthwise_reader(steps: list[Step], shuffle: Shuffle, read: Reader) -> bool:
    """Whether a depthwise convolution alone reads what is shuffled: its outputs can be shuffled in place of its inputs.

    It brings its outputs to another layout anyway, and products that need not write in shuffled order are faster.
    """
    found = [s for s in steps if any(i >= 0 and read.names[i] == shuffle.result for i in s.inputs)]
    if len(found) != 1 or read.uses.get(shuffle.result) != 1 or found[0].node.op != "Conv" or found[0].node.domain:
        return False
    step, x = found[0], read.shape(shuffle.result)
    names = [read.names[i] for i in step.inputs if i >= 0]
    w = read.shape(names[1]) if len(names) > 1 and names[0] == shuffle.result else None
    if x is None or w is None or not 1 < shuffle.groups < x[1] or any(n not in read.constants for n in names[1:]):
        return False
    a = step.node.attrs
    strided = a.strides and a.strides[-1] > 1 and a.dilations and a.dilations[-1] > 1
    single = a.group == x[1] == w[0] and w[1] == 1 and np.prod(w[2:]) > 1
    return bool(single and not strided and read.compiled(shuffle.source, *names))
