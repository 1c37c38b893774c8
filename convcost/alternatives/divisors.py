"""Which numbers of groups a pair of channel counts allows, and which of them a short list shows."""

from __future__ import annotations

from math import gcd, isqrt

SHOWN = 4
TRIED = 10_000


def groups(*channels: int) -> list[int]:
    """Numbers above 1 that divide all the channel counts, ascending; above 10⁸ those with a factor below 10⁴."""
    n = gcd(*channels)
    small = [d for d in range(1, min(isqrt(n), TRIED) + 1) if n % d == 0]
    return sorted({*small, *(n // d for d in small)} - {1})


def few(found: list[int]) -> set[int]:
    """At most four of them: powers of two where there are any, else the smallest."""
    powers = [g for g in found if g & (g - 1) == 0]
    return set((powers or found)[:SHOWN])
