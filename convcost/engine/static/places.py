"""Where every array of a program lies: blocks by lifetime, other layouts, parts of a larger array."""

from __future__ import annotations

from math import prod

import numpy as np

from convcost.engine.static.buffers import Arena
from convcost.engine.static.entry import Place
from convcost.engine.static.inplace import Spot, spots
from convcost.engine.static.layout import FIRST, LAST, PLAIN, Layouts
from convcost.engine.static.units import Reader, Unit
from convcost.engine.values import Array

NONE = -1
"""The block of a constant: it is an array of its own."""


class Places:
    """The memory of a program. `lay_out` decides it; `arena.allocate` makes it; `array` gives parts of it.

    By unit: `loads` are the values to be copied in before it (name, block, layout), `moves` the arrays to be brought
    to another layout (name, from, to), `spots` the blocks of its inputs and of its output, `drops` the names that end.
    """

    def __init__(self, units: list[Unit], read: Reader, layouts: Layouts, outputs: list[str], *, fuse: bool) -> None:
        self.units = units
        self.read = read
        self.layouts = layouts
        self.outputs = outputs
        self.arena = Arena()
        self.places: dict[str, Place] = {}
        self.held: dict[str, str] = {}
        self.loads: dict[int, list[tuple[str, int, str]]] = {}
        self.moves: dict[int, list[tuple[str, int, int]]] = {}
        self.spots: dict[int, tuple[dict[str, int], dict[str, int]]] = {}
        self.uses: dict[str, int] = {}
        self.drops: dict[int, list[str]] = {}
        self.inside: dict[str, Spot] = spots(units, read, layouts) if fuse else {}
        self.homes: dict[str, int] = {}
        self.lay_out()

    def nbytes(self, name: str) -> int:
        """Bytes of a name's array."""
        return 4 * prod(self.read.shape(name) or ())

    def lay_out(self) -> None:
        """Walk the units in order and give every array a block for as long as it is needed."""
        uses = self.uses
        for unit in self.units:
            for name in unit.reads:
                uses[name] = uses.get(name, 0) + 1
        for name in self.outputs:
            uses[name] = uses.get(name, 0) + 1
        for name, spot in self.inside.items():
            uses[spot.whole] = uses.get(spot.whole, 0) + uses[name]
        for i, unit in enumerate(self.units):
            self.loads[i], self.moves[i] = [], []
            sources = {} if unit.kind == "generic" else {n: self.bring(i, n, self.wanted(unit, n)) for n in unit.reads}
            if unit.kind == "generic":
                held = [n for n in unit.reads if n in self.places and self.places[n].blocks]
                self.spots[i] = ({n: self.bring(i, n, FIRST) for n in held}, {})
            else:
                self.spots[i] = (sources, self.targets(unit, sources))
            self.drops[i] = [name for name in unit.reads if self.release(name)]

    def wanted(self, unit: Unit, name: str) -> str:
        """The layout in which a unit reads a name."""
        if unit.kind in PLAIN:
            return FIRST
        if unit.kind == "conv":
            return self.layouts.layout(name)
        return self.layouts.layout(unit.outputs[0])

    def bring(self, i: int, name: str, layout: str) -> int:
        """The block that holds `name` in `layout`; it is loaded or transposed before unit i where it must be."""
        place = self.places.setdefault(name, Place(self.uses[name]))
        if name in self.read.constants and self.units[i].kind == "concat":
            return NONE
        if layout not in place.blocks:
            block = self.arena.take(self.nbytes(name))
            if place.blocks:
                self.moves[i].append((name, next(iter(place.blocks.values())), block))
                self.held[f"{name}\0{block}"] = layout
            else:
                self.loads[i].append((name, block, layout))
            place.blocks[layout] = block
        return place.blocks[layout]

    def targets(self, unit: Unit, sources: dict[str, int]) -> dict[str, int]:
        """Blocks for the outputs; what dies here is written over where the unit works element by element."""
        name = unit.outputs[0]
        layout = FIRST if unit.kind in PLAIN else self.layouts.layout(name)
        place = self.places.setdefault(name, Place(self.uses.get(name, 0)))
        if name in self.inside:
            whole = self.inside[name].whole
            self.homes[name] = place.blocks[layout] = self.block(whole, layout)
            return {name: place.blocks[layout]}
        reusable = unit.kind in ("act", "affine", "add", "alias") or (unit.kind == "lrn")
        for source, block in sources.items():
            own = self.places[source]
            if reusable and source not in self.inside and own.uses == unit.reads.count(source) and len(own.blocks) == 1:
                own.blocks.clear()
                place.blocks[layout] = block
                return {name: block}
        block = self.block(name, layout)
        if place.uses == 0:
            self.arena.give(block)
        return {name: block}

    def block(self, name: str, layout: str) -> int:
        """The block of a name that is about to be made, or of which parts are there already."""
        place = self.places.setdefault(name, Place(self.uses.get(name, 0)))
        if layout not in place.blocks:
            place.blocks[layout] = self.arena.take(self.nbytes(name))
        return place.blocks[layout]

    def release(self, name: str) -> bool:
        """One reader less; the last one gives the blocks back. Whether it was the last."""
        place = self.places.setdefault(name, Place(self.uses[name]))
        place.uses -= 1
        if name in self.inside:
            self.release(self.inside[name].whole)
        if place.uses:
            return False
        for block in place.blocks.values():
            if self.homes.get(name) != block:
                self.arena.give(block)
        place.blocks = {}
        return name not in self.read.constants

    def array(self, name: str, block: int, layout: str) -> Array:
        """A block, or its part that belongs to a name, as an array."""
        if block == NONE:
            value = self.read.constants[name]
            return np.ascontiguousarray(np.moveaxis(value, 1, -1) if layout == LAST else value)
        shape = self.read.shape(name) or ()
        if self.homes.get(name) == block:
            spot = self.inside[name]
            here = slice(spot.start, spot.start + shape[1])
            whole = self.array(spot.whole, block, layout)
            return whole[..., here] if layout == LAST else whole[:, here]
        if layout == LAST and len(shape) > 2:
            shape = (shape[0], *shape[2:], shape[1])
        return self.arena.array(block, shape)
