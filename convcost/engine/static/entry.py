"""What a program knows of an array's place and of a unit that is ready to run."""

from __future__ import annotations

from convcost.engine.static.units import Unit
from convcost.engine.values import Array


class Place:
    """Where a name's content lies: a block for each layout that it is held in."""

    __slots__ = ("blocks", "uses")

    def __init__(self, uses: int) -> None:
        self.blocks: dict[str, int] = {}
        self.uses = uses


class Entry:
    """One unit, ready to run: `loads` bring inputs into place, the stages of these numbers compute.

    Or the step of a usual kernel.
    """

    __slots__ = ("algorithm", "arrays", "loads", "stages", "unit")

    def __init__(self, unit: Unit, algorithm: str) -> None:
        self.unit = unit
        self.algorithm = algorithm
        self.stages: list[int] = []
        self.loads: list[tuple[Array, str, bool]] = []
        self.arrays: dict[str, Array] = {}
