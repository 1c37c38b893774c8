"""The clock that measurements read: a seam, so that tests can hand out the time."""

from __future__ import annotations

import time

from convcost.engine.profile import Clock

__all__ = ["Clock", "monotonic", "overhead_ns"]


def monotonic() -> int:
    """Nanoseconds of the system's finest steady clock."""
    return time.perf_counter_ns()


def overhead_ns(clock: Clock = monotonic, reads: int = 200) -> int:
    """What one interval measures when nothing happens in it: the smallest of `reads` tries."""
    return min(-(clock() - clock()) for _ in range(reads))
