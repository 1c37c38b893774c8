"""Sums of costs: each quantity by itself, what is missing and what bounds, and the form of a row and of a total."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from convcost.analysis.tally import MAX_LISTED, Tally, cost_of, intensity, repeated, summed
from convcost.ir import symbol
from convcost.ops import Work
from convcost.record import COUNTED, UnknownNode

WORK = Work(macs=2, multiplications=3, additions=5, divisions=7, comparisons=11, special=13, macs_effective=1)
ONE = Tally(WORK, params=17, buffers=19, weight_bytes=23, read_bytes=29, write_bytes=31, nodes=37)
FLOPS = 3 + 5 + 7 + 11 + 13
NUMBERS = {
    "multiplications": 3, "macs": 2, "macs_effective": 1, "additions": 5, "divisions": 7, "comparisons": 11,
    "special": 13, "flops": FLOPS, "params": 17, "buffers": 19, "weight_bytes": 23, "read_bytes": 29,
    "write_bytes": 31,
}  # fmt: skip
ODD = UnknownNode(name="x", op="Odd", reason="unknown operator")


def numbers(t: Tally, *, single: bool = False) -> dict[str, Any]:
    cost = cost_of(t, single=single)
    return {name: getattr(cost, name) for name in COUNTED}


def test_every_quantity_stands_under_its_name() -> None:
    cost = cost_of(ONE, single=True, peak=41)
    assert numbers(ONE, single=True) == NUMBERS
    assert (cost.peak_memory_bytes, cost.symbolic) == (41, {})
    assert cost.intensity == pytest.approx(FLOPS / 60, rel=1e-5)


def test_sums_are_of_each_quantity() -> None:
    assert numbers(summed([ONE, Tally(), ONE, ONE])) == {name: 3 * n for name, n in NUMBERS.items()}
    assert summed([ONE, Tally(), ONE]).nodes == 2 * 37
    assert set(numbers(summed([])).values()) == {0}


@pytest.mark.parametrize("mark", ["bytes_missing", "weights_missing", "lower_bound", "upper_bound"])
def test_one_part_that_lacks_something_marks_the_sum(mark: str) -> None:
    marks = ("bytes_missing", "weights_missing", "lower_bound", "upper_bound")
    whole = summed([ONE, msgspec.structs.replace(ONE, **{mark: True}), ONE])
    assert [name for name in marks if getattr(whole, name)] == [mark]
    assert not any(getattr(summed([ONE, Tally()]), name) for name in marks)


def test_nodes_that_are_missing_are_counted_beyond_those_that_are_listed() -> None:
    many = Tally(unknown=(ODD,) * (MAX_LISTED - 1), n_unknown=MAX_LISTED - 1)
    whole = summed([many, ONE, Tally(unknown=(ODD,) * 2, n_unknown=2)])
    assert (len(whole.unknown), whole.n_unknown) == (MAX_LISTED, MAX_LISTED + 1)


def test_what_is_repeated_keeps_its_weights() -> None:
    kept = {"params", "buffers", "weight_bytes"}
    assert numbers(repeated(ONE, 5)) == {name: n if name in kept else 5 * n for name, n in NUMBERS.items()}
    assert repeated(ONE, 5).nodes == 37


WORKS = {*COUNTED[:8]}
MISSING = [
    ({"n_unknown": 1}, WORKS),
    ({"weights_missing": True}, {"params", "buffers", "weight_bytes"}),
    ({"bytes_missing": True}, {"read_bytes", "write_bytes"}),
]


@pytest.mark.parametrize(("marks", "gone"), MISSING)
def test_a_row_lacks_what_is_missing_and_a_total_is_a_lower_bound(marks: dict[str, Any], gone: set[str]) -> None:
    t = msgspec.structs.replace(ONE, **marks)
    assert numbers(t, single=True) == {name: None if name in gone else n for name, n in NUMBERS.items()}
    assert numbers(t) == NUMBERS


def test_work_on_padding_that_is_not_known_is_no_number() -> None:
    unsure = msgspec.structs.replace(ONE, work=msgspec.structs.replace(WORK, effective_unknown=True))
    assert numbers(unsure) == {**NUMBERS, "macs_effective": None}
    plain = msgspec.structs.replace(ONE, work=msgspec.structs.replace(WORK, macs_effective=None))
    assert numbers(plain) == {**NUMBERS, "macs_effective": 2}


def test_a_quantity_in_symbols_is_text() -> None:
    n = symbol("N")
    cost = cost_of(msgspec.structs.replace(ONE, params=17 * n), single=False, peak=2 * n)
    assert (cost.params, cost.peak_memory_bytes, cost.macs) == (None, None, 2)
    assert cost.symbolic == {"params": "17*N", "peak_memory_bytes": "2*N"}


@pytest.mark.parametrize(
    ("flops", "read", "write", "ratio"),
    [(10, 3, 1, 2.5), (1, 1, 2, 0.333333), (0, 3, 1, 0.0), (0, 1, 0, 0.0), (5, 0, 1, 5.0), (5, 0, 0, None),
     (None, 3, 1, None), (5, None, 1, None), (5, 3, None, None), (2 * 10**40, 10**40, 0, 2.0)],
)  # fmt: skip
def test_intensity(flops: int | None, read: int | None, write: int | None, ratio: float | None) -> None:
    assert intensity(flops, read, write) == ratio
