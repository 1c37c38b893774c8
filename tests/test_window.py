"""Sliding-window arithmetic against windows that are really slid."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcost.errors import Unknown
from convcost.ir import symbol
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


@given(small, small, small, st.integers(1, 4), st.sampled_from(["upper", "lower"]))
def test_same_padding_gives_the_same_size(i: int, k: int, s: int, d: int, side: str) -> None:
    pb, pe = same_padding(i, k, s, d, lower=side == "lower")
    windows = slid(i, k, s, d, int(str(pb)), int(str(pe)))
    assert same_size(i, s) <= len(windows)
    assert output_size(i, k, s, d, pb, pe) == same_size(i, s) or (pb, pe) == (0, 0)
    assert abs(int(str(pb)) - int(str(pe))) <= 1


@given(small, small, small, st.integers(1, 4))
def test_full_size_counts_every_window_that_touches(i: int, k: int, s: int, d: int) -> None:
    reach = d * (k - 1)
    assert full_size(i, k, s, d) == len(slid(i, k, s, d, reach, reach))


@given(small, small, small, st.integers(0, 5), st.integers(0, 5))
def test_ceil_mode_has_no_window_that_starts_in_the_padding_after(i: int, k: int, s: int, pb: int, pe: int) -> None:
    """Padding is less than the kernel, as every runtime demands; then one window at most is too many."""
    assume(pb < k and pe < k)
    o = output_size_ceil(i, k, s, 1, pb, pe)
    floor = output_size(i, k, s, 1, pb, pe)
    assert floor <= o + 1
    if floor >= 1:
        assert (o - 1) * s < i + pb
        assert o in (floor - 1, floor, floor + 1)


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


def test_symbols_leave_effective_taps_open() -> None:
    with pytest.raises(Unknown):
        taps_inside(symbol("H"), 3, 1, 1, 1, 1, symbol("H"))
