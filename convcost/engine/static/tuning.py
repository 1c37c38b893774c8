"""Settings of a compiled program."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from convcost.engine.kernels.conv import Geometry, Workspace

SHARED = 4_000_000
"""Products of a convolution below which handing a share to another thread costs more than it saves."""


class Tuning:
    """How a program is made."""

    __slots__ = ("exact", "executor", "forms", "fuse", "lean", "threads", "tune")

    def __init__(
        self, *, fuse: bool, tune: bool, exact: bool, threads: int, executor: ThreadPoolExecutor | None
    ) -> None:
        self.fuse = fuse
        self.tune = tune
        self.exact = exact
        self.threads = threads
        self.executor = executor
        self.lean = False
        self.forms = 1 << 62

    def workspace(self, convolutions: Collection[Geometry]) -> Workspace:
        """Scratch and threads for a program with these convolutions: one thread where all of them are small."""
        if convolutions and all(g.macs < SHARED for g in convolutions):
            return Workspace()
        return Workspace(self.threads, self.executor)
