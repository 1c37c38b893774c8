"""Alignment against the table that defines a longest common subsequence."""

from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from convcost.ci.diffing.alignment import Budget, Pair, aligned, increasing, myers

SEQUENCES = st.lists(st.integers(0, 4), max_size=14)


def longest(a: list[int], b: list[int]) -> int:
    """The length of a longest common subsequence, by the textbook's table."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def is_alignment(pairs: list[Pair], a: list[int], b: list[int]) -> bool:
    """Equal keys, in order on both sides."""
    in_order = all(x[0] < y[0] and x[1] < y[1] for x, y in pairwise(pairs))
    return in_order and all(a[i] == b[j] for i, j in pairs)


@given(SEQUENCES, SEQUENCES)
def test_myers_finds_a_longest_common_subsequence(a: list[int], b: list[int]) -> None:
    pairs = myers(a, b, Budget())
    assert is_alignment(pairs, a, b)
    assert len(pairs) == longest(a, b)


@given(SEQUENCES, SEQUENCES, st.integers(0, 20))
def test_any_budget_yields_an_alignment(a: list[int], b: list[int], steps: int) -> None:
    assert is_alignment(aligned(a, b, Budget(steps)), a, b)


@given(st.permutations(range(9)))
def test_increasing_keeps_as_many_as_can_be(order: list[int]) -> None:
    """The longest increasing subsequence is the longest common one with the sorted sequence."""
    kept = increasing(list(enumerate(order)))
    assert is_alignment([(j, j) for _, j in kept], list(range(9)), list(range(9)))
    assert len(kept) == longest(order, sorted(order))


def test_the_worst_case_is_bounded() -> None:
    """20,000 places of few keys and nothing alike in order: quadratic work would take minutes."""
    a = [i * i % 7 for i in range(20_000)]
    b = [i * i % 11 % 7 for i in range(20_000)]
    start = time.perf_counter()
    assert is_alignment(aligned(a, b), a, b)
    assert time.perf_counter() - start < 20
