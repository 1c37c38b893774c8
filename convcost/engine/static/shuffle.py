"""Channel shuffles: a reshape to groups, a transposition of the groups with their channels, and a reshape back."""

from __future__ import annotations

from typing import NamedTuple

from convcost.engine.plan import Step
from convcost.engine.static.units import Reader


class Shuffle(NamedTuple):
    """The array that is shuffled, into how many groups, and the numbers of the three steps."""

    source: str
    groups: int
    steps: tuple[int, int, int]


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
            found[i] = Shuffle(read.names[step.inputs[0]], groups, (i, j, k))
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
