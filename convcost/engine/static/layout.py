"""Channels first or channels last, for every array of a program.

Arrays that flow through operators which do not care (activations, additions, pooling …) form groups of one layout.
Starting from channels last, groups are flipped one at a time while that makes the sum of the convolutions' and the
transpositions' times smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from convcost.engine.kernels.convolution.choose import Choice, Trial
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.static.units import Reader, Unit

FIRST, LAST = "nchw", "nhwc"
PLAIN = ("alias", "gemm", "transpose")
"""Units that read and write arrays in the order of the graph."""
AGNOSTIC = ("affine", "act", "add", "concat", "lrn", "pool")
BESIDE = 64
"""A group with more neighbours than this is not flipped together with them."""
BYTES_PER_SECOND = 2e9
"""What a transposition moves, where nothing was measured."""

POOLED = {FIRST: 1.5e-9, LAST: 0.5e-9}
"""Seconds an element of a pooling's input, about: rows of columns that are not neighbours are slow."""


class Layouts:
    """The layout of every name; names of fewer than three dimensions have channels first."""

    def __init__(self, units: list[Unit], read: Reader, choices: dict[int, Choice]) -> None:
        self.read = read
        self.choices = choices
        self.units = units
        self.group: dict[str, str] = {}
        for unit in units:
            if unit.kind in AGNOSTIC:
                for name in unit.reads:
                    if name not in read.constants:  # loaded in either layout
                        self.join(unit.outputs[0], name)
            elif unit.kind == "conv" and unit.addend:
                self.join(unit.outputs[0], unit.addend)
        self.of: dict[str, str] = {}
        self.touching: dict[str, list[Unit]] = {}
        for unit in units:
            for g in {self.find(n) for n in (*unit.reads, *unit.outputs) if n}:
                self.touching.setdefault(g, []).append(unit)
                self.of[g] = LAST

    def find(self, name: str) -> str:
        """The representative of a name's group."""
        root = name
        while self.group.get(root, root) != root:
            root = self.group[root]
        while name != root:
            self.group[name], name = root, self.group[name]
        return root

    def join(self, a: str, b: str) -> None:
        """Put two names into one group."""
        self.group[self.find(b)] = self.find(a)

    def layout(self, name: str) -> str:
        """The layout of a name."""
        shape = self.read.shape(name)
        if shape is None or len(shape) < 3 or name in self.read.constants:
            return FIRST
        return self.of.get(self.find(name), FIRST)

    def transposition(self, name: str) -> float:
        """Seconds to bring an array to the other layout."""
        shape = self.read.shape(name) or ()
        size = 4
        for d in shape:
            size *= d
        if len(shape) < 3 or size == 4 * shape[0] * shape[1] or shape[1] == 1:
            return 0.0
        return 2 * size / BYTES_PER_SECOND

    def cost(self, unit: Unit) -> float:
        """Seconds of what depends on the layouts around a unit."""
        if unit.kind == "conv":
            trial = self.trial(unit)
            return 1e9 if trial is None else trial.seconds or 0.0
        if unit.kind == "pool":
            size = prod(self.read.shape(unit.inputs[0]) or ())
            return size * POOLED[self.layout(unit.outputs[0])]
        if unit.kind in AGNOSTIC:
            return 0.0
        return sum(self.transposition(n) for n in (*unit.reads, *unit.outputs) if n and self.layout(n) == LAST)

    def trial(self, unit: Unit) -> Trial | None:
        """The best algorithm between the layouts of a convolution's input and output."""
        return self.choices[id(unit)].for_layout(self.layout(unit.inputs[0]), self.layout(unit.outputs[0]))

    def save(self, geometries: dict[int, Geometry], allowed: int) -> None:
        """Take candidates with smaller weights, where that costs the least time a byte, until all fit in `allowed`."""
        convs = [u for u in self.units if u.kind == "conv"]
        trials = {id(u): self.trial(u) for u in convs}
        forms = {k: t.weight_bytes(geometries[k]) for k, t in trials.items() if t is not None}
        swaps = []
        for unit in convs:
            now, g = trials[id(unit)], geometries[id(unit)]
            if now is None:
                continue
            same = [t for t in self.choices[id(unit)].trials if t.layouts == now.layouts]
            for t in same:
                saved = forms[id(unit)] - t.weight_bytes(g)
                if saved > 0:
                    swaps.append((((t.seconds or 0.0) - (now.seconds or 0.0)) / saved, id(unit), t))
        for _, key, t in sorted(swaps, key=lambda s: s[0]):
            if sum(forms.values()) <= allowed:
                return
            size = t.weight_bytes(geometries[key])
            if size < forms[key]:
                forms[key] = size
                self.choices[key] = self.choices[key].preferring(t)

    def settle(self, inputs: Callable[[str], bool]) -> None:
        """Flip groups while the sum of costs falls. `inputs` tells the names that are fed, channels first."""
        self.begin()
        for _ in range(4):
            alone = [g for g in self.of if self.flip(g, inputs)]
            if not alone and not [g for g in self.of if self.turn(g, inputs)]:
                return

    def flip(self, g: str, inputs: Callable[[str], bool]) -> bool:
        """Flip a group if that makes the sum of costs smaller; whether it did."""
        before = self.around([g], inputs)
        self.of[g] = FIRST if self.of[g] == LAST else LAST
        if self.around([g], inputs) < before * 0.999 - 1e-9:
            return True
        self.of[g] = FIRST if self.of[g] == LAST else LAST
        return False

    def turn(self, g: str, inputs: Callable[[str], bool]) -> bool:
        """Flip a group and then those beside it that gain by following, if all of it is a gain; whether it was.

        The layers of a residual block lose by each flip alone, and gain by all of them.
        """
        beside = list({self.find(n): 0 for u in self.touching[g] for n in (*u.reads, *u.outputs) if n})
        if len(beside) > BESIDE:
            return False
        all_ = list({self.find(n): 0 for h in beside for u in self.touching[h] for n in (*u.reads, *u.outputs) if n})
        kept, before = dict(self.of), self.around(all_, inputs)
        self.of[g] = FIRST if self.of[g] == LAST else LAST
        for h in beside:
            if h != g:
                self.flip(h, inputs)
        if self.around(all_, inputs) < before * 0.999 - 1e-9:
            return True
        self.of = kept
        return False

    def begin(self) -> None:
        """Where no algorithm joins the layouts of a convolution, those of its best one: from there one flip helps."""
        for unit in self.units:
            if unit.kind == "conv" and self.trial(unit) is None:
                best = self.choices[id(unit)].best
                for name, layout in zip((unit.inputs[0], unit.outputs[0]), best.layouts, strict=True):
                    self.of[self.find(name)] = layout

    def around(self, groups: list[str], inputs: Callable[[str], bool]) -> float:
        """The cost of everything that touches some groups."""
        units = {id(u): u for g in groups for u in self.touching.get(g, ())}.values()
        fed = {n for u in units for n in u.reads if inputs(n) and self.find(n) in groups}
        return sum(self.transposition(n) for n in fed if self.layout(n) == LAST) + sum(self.cost(u) for u in units)
