"""Settings of a compiled program."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


class Tuning:
    """How a program is made."""

    __slots__ = ("exact", "executor", "fuse", "threads", "tune")

    def __init__(
        self, *, fuse: bool, tune: bool, exact: bool, threads: int, executor: ThreadPoolExecutor | None
    ) -> None:
        self.fuse = fuse
        self.tune = tune
        self.exact = exact
        self.threads = threads
        self.executor = executor
