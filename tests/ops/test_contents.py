"""Arithmetic on known contents against NumPy, which computes in the real element types."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import ShapeError, Unknown
from convcost.ir import DType, Tensor, symbol
from convcost.ops.folding import FORMATS, fitted, limits, rounded
from convcost.ops.scalars import divided, power, remainder, root, same

NUMPY_FLOATS: dict[DType, Any] = {DType.FLOAT16: np.float16, DType.FLOAT32: np.float32, DType.FLOAT64: np.float64}
BYTES = st.integers(-128, 127)


@given(st.floats(-60000, 60000), st.sampled_from(sorted(NUMPY_FLOATS, key=lambda d: d.bits)))
def test_rounding_is_that_of_the_type(x: float, dtype: DType) -> None:
    assert rounded(Fraction(x), dtype) == Fraction(float(NUMPY_FLOATS[dtype](x)))


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_round_to_float32_once(n: int) -> None:
    assert rounded(Fraction(n), DType.FLOAT32) == Fraction(float(np.int64(n).astype(np.float32)))


@given(st.integers(-(10**7), 10**7), st.integers(1, 10**7))
def test_products_and_quotients_are_those_of_float32(n: int, m: int) -> None:
    a, b = np.float32(n / 1024), np.float32(m / 1024)
    exact = Fraction(float(a)), Fraction(float(b))
    assert rounded(exact[0] * exact[1], DType.FLOAT32) == Fraction(float(a * b))
    assert rounded(exact[0] / exact[1], DType.FLOAT32) == Fraction(float(a / b))


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_largest_number_of_a_format_is_known_and_the_next_is_not(dtype: DType) -> None:
    bits, _, high = FORMATS[dtype]
    largest = (2 - Fraction(1, 2 ** (bits - 1))) * 2**high
    assert rounded(largest, dtype) == largest
    with pytest.raises(Unknown, match="overflows"):
        rounded(Fraction(2) ** (high + 1), dtype)


@pytest.mark.parametrize("name", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integers_out_of_range_are_unknown(name: str) -> None:
    dtype = DType.from_label(name)
    assert dtype is not None
    low, high = np.iinfo(name).min, np.iinfo(name).max
    assert limits(dtype) == (low, high)
    assert fitted([low, high], dtype) == (low, high)
    for outside in (low - 1, high + 1):
        with pytest.raises(Unknown, match="out of the range"):
            fitted([outside], dtype)


@given(BYTES, BYTES.filter(bool))
def test_integer_division_truncates(a: int, b: int) -> None:
    assert divided(a, b) == int(a / b)


@given(BYTES, BYTES.filter(bool))
def test_remainders_are_those_of_numpy(a: int, b: int) -> None:
    assert remainder(a, b, truncate=False) == np.mod(a, b)
    assert remainder(a, b, truncate=True) == np.fmod(a, b)


@pytest.mark.parametrize("rule", [divided, lambda a, b: remainder(a, b, truncate=False)])
def test_integers_by_zero_are_an_error(rule: Any) -> None:
    with pytest.raises(ShapeError, match="zero"):
        rule(7, 0)


@pytest.mark.parametrize("exponent", [10**9, -1, 65, Fraction(1, 2)])
def test_powers_that_would_grow_are_unknown(exponent: Any) -> None:
    with pytest.raises(Unknown):
        power(10**9, exponent)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_exact_roots(n: int, d: int) -> None:
    assert root(Fraction(n * n, d * d)) == Fraction(n, d)


@pytest.mark.parametrize("x", [2, Fraction(1, 3), -4])
def test_other_roots_are_unknown(x: Any) -> None:
    with pytest.raises(Unknown):
        root(x)


def test_symbols_are_compared_only_where_the_answer_is_the_same_for_all_sizes() -> None:
    h = symbol("H")
    assert same(h, h)
    assert not same(h, -1)
    with pytest.raises(Unknown):
        same(h, 4)


SHAPES = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(tuple)


@st.composite
def blocks(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    """A small array of different integers."""
    shape = draw(SHAPES)
    return np.arange(np.prod(shape), dtype=np.int64).reshape(shape)


def check(t: Tensor, expected: np.ndarray[Any, Any]) -> None:
    """Shape and content are those of the array."""
    assert t.shape == expected.shape
    assert t.value == tuple(int(v) for v in expected.ravel())


@given(blocks(), st.data())
def test_slices(apply: Any, x: np.ndarray[Any, Any], data: st.DataObject) -> None:
    edge = st.one_of(st.integers(-5, 5), st.sampled_from([2**63 - 1, -(2**63), 2**31 - 1]))
    start, end = data.draw(edge), data.draw(edge)
    step = data.draw(st.integers(-3, 3).filter(bool))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    cut = [slice(None)] * x.ndim
    cut[axis] = slice(start, end, step)
    given = [np.array([v], dtype=np.int64) for v in (start, end, axis, step)]
    check(apply("Slice", x, *given).y, x[tuple(cut)])


@given(blocks(), st.data())
def test_gathering_transposing_tiling(apply: Any, x: np.ndarray[Any, Any], data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    size = x.shape[axis]
    index = st.lists(st.integers(-size, size - 1), max_size=3) if size else st.just([])
    picks = np.array(data.draw(index), dtype=np.int64)
    check(apply("Gather", x, picks, axis=axis).y, np.take(x, picks, axis))
    perm = data.draw(st.permutations(range(x.ndim)))
    check(apply("Transpose", x, perm=tuple(perm)).y, np.transpose(x, perm))
    repeats = np.array(data.draw(st.lists(st.integers(0, 2), min_size=x.ndim, max_size=x.ndim)), dtype=np.int64)
    check(apply("Tile", x, repeats).y, np.tile(x, repeats))


@given(blocks(), st.data())
def test_joining_and_splitting(apply: Any, x: np.ndarray[Any, Any], data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    joined = np.concatenate([x, x + 100], axis)
    check(apply("Concat", x, x + 100, axis=axis).y, joined)
    parts = apply("Split", joined, n_outputs=2, axis=axis).outputs
    for t, real in zip(parts, np.split(joined, 2, axis), strict=True):
        check(t, real)


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-4, 4).filter(bool))
def test_ranges(apply: Any, start: int, limit: int, delta: int) -> None:
    y = apply("Range", *(np.array(v, dtype=np.int64) for v in (start, limit, delta))).y
    check(y, np.arange(start, limit, delta, dtype=np.int64))


def test_contents_of_large_tensors_are_not_made(apply: Any) -> None:
    y = apply("ConstantOfShape", np.array([5000], dtype=np.int64)).y
    assert (y.shape, y.value) == ((5000,), None)
