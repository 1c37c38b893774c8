"""Two sequences side by side: which places belong together, in order. Bounded work, however little they share."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

Pair = tuple[int, int]
Key = Hashable

STEPS = 3_000_000
"""Steps of the exact method over all gaps together; what is left then is aligned by the k-th occurrence of each key."""


class Budget:
    """Steps that are left."""

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = steps


def aligned(a: Sequence[Key], b: Sequence[Key], budget: Budget | None = None) -> list[Pair]:
    """Places of equal keys, increasing in both: keys that are unique on both sides first, then the gaps between them.

    A longest common subsequence in each gap that the budget allows. The method is patience diff with Myers' O(ND)
    algorithm (Algorithmica 1, 1986) in the gaps.
    """
    budget = budget or Budget()
    out: list[Pair] = []
    for i, j, k, l in gaps(unique_pairs(a, b), len(a), len(b)):
        out += [(i + x, k + y) for x, y in trimmed(a[i:j], b[k:l], budget)]
        if j < len(a) and l < len(b):
            out.append((j, l))
    return out


def gaps(anchors: Sequence[Pair], n: int, m: int) -> Iterator[tuple[int, int, int, int]]:
    """(start, end) on both sides of what lies before each anchor, and after the last."""
    i = k = 0
    for j, l in (*anchors, (n, m)):
        yield i, j, k, l
        i, k = j + 1, l + 1


def unique_pairs(a: Sequence[Key], b: Sequence[Key]) -> list[Pair]:
    """Keys that stand once in each sequence, the longest run of them that keeps the order."""
    ours, theirs = Counter(a), Counter(b)
    place = {key: j for j, key in enumerate(b) if theirs[key] == 1}
    return increasing([(i, place[key]) for i, key in enumerate(a) if ours[key] == 1 and key in place])


def increasing(pairs: Sequence[Pair]) -> list[Pair]:
    """The longest part of `pairs`, whose first members increase, in which the second ones increase too."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for n, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        before.append(last[at - 1] if at else -1)
        if at == len(tails):
            tails.append(j)
            last.append(n)
        else:
            tails[at], last[at] = j, n
    out: list[Pair] = []
    n = last[-1] if last else -1
    while n >= 0:
        out.append(pairs[n])
        n = before[n]
    return out[::-1]


def trimmed(a: Sequence[Key], b: Sequence[Key], budget: Budget) -> list[Pair]:
    """The common beginning, the common end, and the middle."""
    start, end = 0, 0
    least = min(len(a), len(b))
    while start < least and a[start] == b[start]:
        start += 1
    while end < least - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle = myers(a[start : len(a) - end], b[start : len(b) - end], budget)
    return [
        *((i, i) for i in range(start)),
        *((start + i, start + j) for i, j in middle),
        *((len(a) - i, len(b) - i) for i in range(end, 0, -1)),
    ]


def myers(a: Sequence[Key], b: Sequence[Key], budget: Budget) -> list[Pair]:
    """A longest common subsequence by the fewest deletions and insertions."""
    if not a or not b or not set(a) & set(b):
        return []
    reach = {1: 0}
    trace: list[list[int]] = []
    for d in range(len(a) + len(b) + 1):
        budget.steps -= d + 1
        if budget.steps < 0:
            return by_occurrence(a, b)
        trace.append([reach.get(k, -1) for k in range(-d - 1, d + 2, 2)])
        for k in range(-d, d + 1, 2):
            down = k == -d or (k != d and reach[k - 1] < reach[k + 1])
            start = x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            budget.steps -= x - start
            reach[k] = x
            if x >= len(a) and x - k >= len(b):
                return walked(trace, len(a), len(b))
    return []


def walked(trace: Sequence[list[int]], x: int, y: int) -> list[Pair]:
    """The pairs on the way back.

    `trace[d]` has the furthest places before edit d, on the diagonals -d-1, -d+1, … d+1.
    """
    out: list[Pair] = []
    for d in range(len(trace) - 1, 0, -1):
        k = x - y
        left, right = trace[d][(k + d) // 2], trace[d][(k + d) // 2 + 1]
        down = k == -d or (k != d and left < right)
        before = right if down else left
        start = before if down else before + 1
        while x > start:
            x, y = x - 1, y - 1
            out.append((x, y))
        x, y = before, before - (k + 1 if down else k - 1)
    while x > 0:
        x, y = x - 1, y - 1
        out.append((x, y))
    return out[::-1]


def by_occurrence(a: Sequence[Key], b: Sequence[Key]) -> list[Pair]:
    """The k-th of each key with the k-th, as far as that keeps the order."""
    seen: Counter[Key] = Counter()
    place: dict[tuple[Key, int], int] = {}
    for j, key in enumerate(b):
        place[key, seen[key]] = j
        seen[key] += 1
    seen.clear()
    pairs = []
    for i, key in enumerate(a):
        if (key, seen[key]) in place:
            pairs.append((i, place[key, seen[key]]))
        seen[key] += 1
    return increasing(pairs)
