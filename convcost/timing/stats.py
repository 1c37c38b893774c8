"""Statistics of repeated times.

The median and the median absolute deviation (MAD) are not moved by a few slow runs (F. R. Hampel, "The influence curve
and its role in robust estimation", J. Amer. Statist. Assoc. 69, 1974). Outliers are told by the modified z-score
0.6745 · (t - median) / MAD beyond 3.5 (B. Iglewicz, D. Hoaglin, "How to detect and handle outliers", 1993). The
interval of a ratio of medians comes from a seeded bootstrap (B. Efron, Ann. Statist. 7, 1979).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import median

import msgspec

NORMAL_QUARTILE = 0.6745
"""The MAD of a normal distribution, in standard deviations."""

FAR = 3.5
"""Modified z-scores beyond this are outliers."""


class Summary(msgspec.Struct, frozen=True):
    """Repeated times of one thing, in nanoseconds."""

    runs: int
    median_ns: int
    mad_ns: int
    min_ns: int
    max_ns: int
    outliers: int


class Interval(msgspec.Struct, frozen=True):
    """An estimate and the bounds that hold it in 95 % of resamplings."""

    value: float
    low: float
    high: float


def summarize(times: Sequence[int]) -> Summary:
    """The summary of at least one time."""
    middle = median(times)
    mad = median(abs(t - middle) for t in times)
    return Summary(
        runs=len(times),
        median_ns=round(middle),
        mad_ns=round(mad),
        min_ns=min(times),
        max_ns=max(times),
        outliers=len(outliers(times)),
    )


def outliers(times: Sequence[int]) -> list[int]:
    """The positions of times that are far from the median. None where half of the times are equal."""
    middle = median(times)
    mad = median(abs(t - middle) for t in times)
    if mad == 0:
        return []
    return [i for i, t in enumerate(times) if NORMAL_QUARTILE * abs(t - middle) / mad > FAR]


def ratio(first: Sequence[int], second: Sequence[int], *, resamples: int = 1000, seed: int = 0) -> Interval:
    """median(first) / median(second) with its 95 % bootstrap interval; the same for the same times."""
    draw = random.Random(seed)  # noqa: S311 - statistics, not secrets
    found = sorted(
        median(draw.choices(first, k=len(first))) / max(median(draw.choices(second, k=len(second))), 1)
        for _ in range(resamples)
    )
    cut = resamples * 25 // 1000
    return Interval(median(first) / max(median(second), 1), found[cut], found[-cut - 1])


def drift(times: Sequence[int]) -> float:
    """How much slower the last third of the runs is than the first: 0.1 is 10 %. 0 for fewer than 6 runs."""
    third = len(times) // 3
    if third < 2:
        return 0.0
    early, late = median(times[:third]), median(times[-third:])
    return late / early - 1 if early else 0.0
