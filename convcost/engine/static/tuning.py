"""Settings of a compiled program."""

from __future__ import annotations

from collections.abc import Collection

from convcost.engine.kernels.conv import Geometry, Workspace
from convcost.engine.static.team import forks

SHARED, SHARED_BY_THREADS = 400_000, 4_000_000
"""Products of a convolution below which handing over a share costs more than it saves: 2 µs, or 100 to a thread."""


class Tuning:
    """How a program is made."""

    __slots__ = ("exact", "forms", "fuse", "lean", "threads", "tune")

    def __init__(self, *, fuse: bool, tune: bool, exact: bool, threads: int) -> None:
        self.fuse = fuse
        self.tune = tune
        self.exact = exact
        self.threads = threads
        self.lean = False
        self.forms = 1 << 62

    def workspace(self, convolutions: Collection[Geometry]) -> Workspace:
        """Scratch and threads for a program with these convolutions: one thread where all of them are small."""
        if convolutions and all(g.macs < (SHARED if forks() else SHARED_BY_THREADS) for g in convolutions):
            return Workspace()
        return Workspace(self.threads)
