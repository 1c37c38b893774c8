"""Which layer of one model is which of another: by name where names mean something, else by structure and place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from convcost.ci.diffing.alignment import Budget, Key, Pair, aligned, gaps, increasing
from convcost.record import Layer

COUNTER = re.compile(r"(?:.*[_/.:]|n)?\d{1,18}", re.DOTALL)
"""Names such as Conv_12, n7 and 345: an exporter numbers them, and one new layer shifts all that follow."""


class Matched(msgspec.Struct, frozen=True):
    """Places in both sequences that belong together; `moved` are those out of order."""

    pairs: list[Pair]
    moved: frozenset[Pair]


def matched(old: Sequence[Layer], new: Sequence[Layer], *, numbered: bool = False) -> Matched:
    """Pairs of layers, sorted by the first. The same pairs, mirrored, the other way round.

    Names come first, unless they are mere numbers; then equal layers in their order; then layers that are alike, in
    what lies between; last, equal layers elsewhere. `numbered`: all names are mere numbers, as in a shape string.
    """
    if swapped(old, new):
        mirrored = matched(new, old, numbered=numbered)
        pairs = sorted((i, j) for j, i in mirrored.pairs)
        return Matched(pairs, frozenset((i, j) for j, i in mirrored.moved))
    work = Work(old, new)
    pairs = [] if numbered else named(old, new)
    for method in (work.by(structure), work.by(likeness), work.kin, work.by(lambda layer: layer.op)):
        pairs = work.between(pairs, method)
    pairs = sorted(pairs + work.elsewhere(pairs))
    return Matched(pairs, frozenset(pairs) - frozenset(increasing(pairs)))


Method = Callable[[Sequence[int], Sequence[int]], list[Pair]]
"""Pairs among some places of the one side and some of the other, in order."""


class Work:
    """The two models while they are matched."""

    def __init__(self, old: Sequence[Layer], new: Sequence[Layer], budget: Budget | None = None) -> None:
        self.old = old
        self.new = new
        self.budget = budget or Budget()

    def by(self, key: Callable[[Layer], Key]) -> Method:
        """Pairs of equal keys."""
        ours, theirs = list(map(key, self.old)), list(map(key, self.new))

        def method(left: Sequence[int], right: Sequence[int]) -> list[Pair]:
            found = aligned([ours[x] for x in left], [theirs[y] for y in right], self.budget)
            return [(left[x], right[y]) for x, y in found]

        return method

    def between(self, pairs: list[Pair], method: Method) -> list[Pair]:
        """`pairs`, and those that a method finds in what lies between them."""
        ours, theirs = {i for i, _ in pairs}, {j for _, j in pairs}
        out = list(pairs)
        for i, j, k, l in gaps(increasing(sorted(pairs)), len(self.old), len(self.new)):
            left = [x for x in range(i, j) if x not in ours]
            right = [y for y in range(k, l) if y not in theirs]
            if left and right:
                out += method(left, right)
        return out

    def kin(self, left: Sequence[int], right: Sequence[int]) -> list[Pair]:
        """Layers of one sort; those of one name first, unless that leaves more of them alone."""
        part = Work([self.old[x] for x in left], [self.new[y] for y in right], self.budget)
        places = range(len(left)), range(len(right))
        plain, names = part.by(kindred)(*places), part.by(titled)(*places)
        hinted = part.between(names, part.by(kindred)) if names else []
        best = hinted if len(hinted) >= len(plain) else plain
        return [(left[x], right[y]) for x, y in best]

    def elsewhere(self, pairs: list[Pair]) -> list[Pair]:
        """What is left on both sides and equal: it stands elsewhere."""
        ours, theirs = {i for i, _ in pairs}, {j for _, j in pairs}
        free: dict[Key, list[int]] = {}
        for j in range(len(self.new) - 1, -1, -1):
            if j not in theirs:
                free.setdefault(structure(self.new[j]), []).append(j)
        left = [(i, structure(layer)) for i, layer in enumerate(self.old) if i not in ours]
        return [(i, free[key].pop()) for i, key in left if free.get(key)]


def swapped(old: Sequence[Layer], new: Sequence[Layer]) -> bool:
    """Whether the other direction is the one to work in: both directions of a comparison do the same work."""
    ours, theirs = [(len(layers), [layer.name for layer in layers]) for layers in (old, new)]
    if ours != theirs:
        return theirs < ours
    return list(map(repr, map(structure, new))) < list(map(repr, map(structure, old)))


def named(old: Sequence[Layer], new: Sequence[Layer]) -> list[Pair]:
    """Layers of the same name, where names are more than numbers."""
    place = dict(zip(distinct(new), range(len(new)), strict=True))
    same = [(i, place[name]) for i, name in enumerate(distinct(old)) if name in place]
    return [(i, j) for i, j in same if not COUNTER.fullmatch(old[i].name)]


def distinct(layers: Iterable[Layer]) -> list[tuple[str, int]]:
    """Names, and which one of that name each is."""
    seen: dict[str, int] = {}
    out = []
    for layer in layers:
        seen[layer.name] = seen.get(layer.name, -1) + 1
        out.append((layer.name, seen[layer.name]))
    return out


def structure(layer: Layer) -> Key:
    """All that a layer is, but for its name and place."""
    return (*likeness(layer), str(layer.inputs), str(layer.outputs), layer.dtype, layer.cost.macs, layer.cost.flops)


def likeness(layer: Layer) -> tuple[Key, ...]:
    """What stays when only the input of a model gets another size."""
    return (layer.op, layer.domain, layer.kind, repr(sorted(layer.attributes.items())), layer.cost.params)


def titled(layer: Layer) -> Key:
    """Names, also where they are numbers."""
    return layer.name, layer.op


def kindred(layer: Layer) -> Key:
    """The same sort of layer."""
    return layer.op, layer.kind
