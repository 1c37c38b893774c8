"""What can make times worth less, how it is noticed, and what to try."""

from __future__ import annotations

import enum
import os
from collections.abc import Sequence

import msgspec

from convcost.timing.stats import drift, summarize

SLOW_FIRST = 1.5
OUTLIERS = 0.1
DRIFT = 0.1
SPREAD = 0.1
RESOLUTION_NS = 5_000
BUSY = 0.5


class Warning(enum.Enum):  # noqa: A001 - the field's word; the built-in is not used here
    """A code, what was seen, and what to try."""

    OUTLIERS = ("T101", "some runs are far from the median", "close other programs and run again, or raise --runs")
    SLOW_FIRST = ("T102", "the first run was much slower than the rest", "raise --warmup")
    DRIFT = ("T103", "times grow from run to run", "let the machine cool down, or fix its clock frequency")
    SPREAD = (
        "T104",
        "times vary by more than 10 %",
        "close other programs, set --threads to the free cores, raise --runs",
    )
    BUSY = ("T105", "the machine is busy with other work", "wait until it is idle")
    SHORT = ("T106", "a run is too short for the clock", "measure a larger input or batch")
    INTERRUPTED = ("T107", "the measurement was interrupted", "the times stand for the runs that were done")

    def __init__(self, code: str, what: str, advice: str) -> None:
        self.code = code
        self.what = what
        self.advice = advice


class Advice(msgspec.Struct, frozen=True):
    """One warning with the number that raised it."""

    warning: Warning
    detail: str


def advise(
    times: Sequence[int], warmup: Sequence[int] = (), *, load: float | None = None, interrupted: bool = False
) -> list[Advice]:
    """The warnings that these whole-run times (nanoseconds) deserve. `load`: other programs' share of the cores."""
    out: list[Advice] = []
    seen = summarize(times)
    if interrupted:
        out.append(Advice(Warning.INTERRUPTED, f"{seen.runs} runs"))
    if seen.outliers > OUTLIERS * seen.runs:
        out.append(Advice(Warning.OUTLIERS, f"{seen.outliers} of {seen.runs} runs"))
    first = warmup[0] if warmup else times[0]
    if seen.runs > 2 and not warmup and first > SLOW_FIRST * seen.median_ns:
        out.append(Advice(Warning.SLOW_FIRST, f"{first / max(seen.median_ns, 1):.1f} × the median"))
    growth = drift(times)
    if growth > DRIFT:
        out.append(Advice(Warning.DRIFT, f"{growth:.0%}"))
    if seen.mad_ns > SPREAD * seen.median_ns:
        out.append(Advice(Warning.SPREAD, f"MAD {seen.mad_ns / max(seen.median_ns, 1):.0%} of the median"))
    if load is not None and load > BUSY:
        out.append(Advice(Warning.BUSY, f"load {load:.1f} for each core before the measurement"))
    if seen.median_ns < RESOLUTION_NS:
        out.append(Advice(Warning.SHORT, f"{seen.median_ns} ns"))
    return out


def machine_load() -> float | None:
    """Runnable programs for each core over the last minute; None where the system does not say."""
    try:
        return os.getloadavg()[0] / (os.cpu_count() or 1)
    except (AttributeError, OSError):
        return None
