"""Sliding-window arithmetic against windows that are really slid."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import Unknown
from convcost.ir import Shape, symbol
from convcost.window import (
    effective_kernel,
    floor_sum,
    full_size,
    output_size,
    output_size_ceil,
    same_padding,
    same_size,
    taps_inside,
    transposed_size,
)

small = st.integers(1, 12)
padding = st.integers(-3, 6)


def slid(i: int, k: int, s: int, d: int, pb: int, pe: int) -> list[list[int]]:
    """Positions that each window reads, for every window that lies inside the padded input."""
    out, start = [], -pb
    while start + d * (k - 1) <= i - 1 + pe:
        out.append([start + d * j for j in range(k)])
        start += s
    return out


@given(small, small, small, st.integers(1, 4), padding, padding)
def test_output_size_is_the_number_of_windows_that_fit(i: int, k: int, s: int, d: int, pb: int, pe: int) -> None:
    assert max(output_size(i, k, s, d, pb, pe), 0) == len(slid(i, k, s, d, pb, pe))


@given(small, small, small, st.integers(1, 4), padding, padding)
def test_taps_inside_counts_reads_of_real_elements(i: int, k: int, s: int, d: int, pb: int, pe: int) -> None:
    windows = slid(i, k, s, d, pb, pe)
    real = sum(0 <= p < i for w in windows for p in w)
    assert taps_inside(i, k, s, d, pb, pe, len(windows)) == real


@given(small, small, small, st.integers(1, 4), st.integers(0, 5), st.integers(0, 5), st.integers(0, 3))
def test_transposed_size_and_its_taps(i: int, k: int, s: int, d: int, pb: int, pe: int, op: int) -> None:
    written = [x * s + j * d - pb for x in range(i) for j in range(k)]
    o = transposed_size(i, k, s, d, pb, pe, op)
    assert o == (i - 1) * s + (k - 1) * d + 1 + op - pb - pe
    if o >= 1:
        assert taps_inside(o, k, s, d, pb, pe, i) == sum(0 <= p < o for p in written)


SMALL = list(product(range(1, 8), range(1, 5), range(1, 5), range(1, 4)))
"""(i, k, s, d)."""


def test_same_padding_is_the_least_that_gives_the_same_size() -> None:
    for i, k, s, d in SMALL:
        outputs = len(range(0, i, s))
        least = next(p for p in range(100) if len(slid(i, k, s, d, 0, p)) >= outputs)
        assert same_size(i, s) == outputs
        assert same_padding(i, k, s, d) == (least // 2, least - least // 2), (i, k, s, d)
        assert same_padding(i, k, s, d, lower=True) == (least - least // 2, least // 2), (i, k, s, d)


@given(small, small, small, st.integers(1, 4))
def test_full_size_counts_every_window_that_touches(i: int, k: int, s: int, d: int) -> None:
    reach = d * (k - 1)
    assert full_size(i, k, s, d) == len(slid(i, k, s, d, reach, reach))


def test_ceil_mode_has_a_window_for_what_is_left_over_but_none_that_starts_in_the_padding_after() -> None:
    for (i, k, s, d), pb, pe in product(SMALL, range(3), range(3)):
        windows = slid(i, k, s, d, pb, pe)
        if not windows or pe > d * (k - 1):
            continue
        after = windows[-1][0] + s
        left_over = windows[-1][-1] < i + pe - 1
        inside = [w for w in windows if w[0] < i]
        assert output_size_ceil(i, k, s, d, pb, pe) == len(inside) + (left_over and after < i), (i, k, s, d, pb, pe)


def test_what_is_left_out_is_1_or_0() -> None:
    for i, k in product(range(4, 9), range(1, 4)):
        assert output_size(i, k) == output_size_ceil(i, k) == i - k + 1
        assert same_size(i) == i
        assert full_size(i, k) == transposed_size(i, k) == i + k - 1
        assert same_padding(i, k) == ((k - 1) // 2, k // 2)


@given(st.integers(0, 40), st.integers(1, 20), st.integers(0, 30), st.integers(0, 50))
def test_floor_sum(n: int, m: int, a: int, b: int) -> None:
    assert floor_sum(n, m, a, b) == sum((a * x + b) // m for x in range(n))


@pytest.mark.parametrize(
    ("i", "k", "s", "p", "o"),
    [
        (4, 3, 1, 0, 2),
        (5, 4, 1, 2, 6),
        (5, 3, 1, 1, 5),
        (5, 3, 1, 2, 7),
        (5, 3, 2, 0, 2),
        (5, 3, 2, 1, 3),
        (6, 3, 2, 1, 3),
    ],
)
def test_figures_of_the_guide_to_convolution_arithmetic(i: int, k: int, s: int, p: int, o: int) -> None:
    """The worked examples of V. Dumoulin and F. Visin, arXiv:1603.07285."""
    assert output_size(i, k, s, 1, p, p) == o


def test_dilation_of_the_guide() -> None:
    """i = 7, k = 3, d = 2: effective kernel 5, 3 outputs (arXiv:1603.07285, section 5.1)."""
    assert effective_kernel(3, 2) == 5
    assert output_size(7, 3, 1, 2) == 3


def test_sizes_beyond_64_bits_cost_nothing() -> None:
    n = 10**30
    assert taps_inside(n, n, 1, 1, 1, 1, 3) == 3 * n - 2


def test_symbols_leave_effective_taps_open_only_where_there_is_padding() -> None:
    h = symbol("H")
    assert taps_inside(h, 3, 1, 1, 0, 0, h - 2) == h * 3 - 6
    cases: list[Shape] = [(h, 3, 1, 1, 7), (7, h, 1, 1, 7), (7, 3, h, 1, 7), (7, 3, 1, 1, h)]
    for i, k, pb, pe, o in cases:
        with pytest.raises(Unknown, match="H") as caught:
            taps_inside(i, k, 1, 1, pb, pe, o)
        assert caught.value.needs == ("H",)
    with pytest.raises(Unknown):
        taps_inside(h, 3, 1, 1, 0, 1, h - 1)
