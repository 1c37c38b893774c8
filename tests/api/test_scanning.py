"""Scans: every combination of values as a row, padding kept by name, mistakes named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from convcost import api, record
from convcost.errors import UsageError


def scan(text: str, **values: Sequence[int]) -> record.Comparison:
    return api.scan(text, values).comparisons[0]


def strings(found: record.Comparison) -> list[str | None]:
    return [way.notation for way in found.alternatives]


def test_rows_are_all_combinations_in_order() -> None:
    found = scan("8x8x4 -(3x3x4x4 same)->", k=(1, 5), cout=(4, 6))
    assert [way.name for way in found.alternatives] == ["k=1, cout=4", "k=1, cout=6", "k=5, cout=4", "k=5, cout=6"]
    assert [way.cost.macs for way in found.alternatives] == [64 * k * k * 4 * m for k in (1, 5) for m in (4, 6)]
    assert found.scanned == ["k", "cout"]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("9x9x4 -(3x3x4x4)->", {"k": (5,)}, "9x9x4 -(5x5x4x4)-> 5x5x4"),
        ("9x9x4 -(3x3x4x4 same)->", {"k": (5,)}, "9x9x4 -(5x5x4x4 same)-> 9x9x4"),
        ("9x9x4 -(3x3x4x4 full)->", {"k": (5,)}, "9x9x4 -(5x5x4x4 full)-> 13x13x4"),
        ("9x9x4 -(3x3x4x4 p=0/1/2/1)->", {"k": (5,)}, "9x9x4 -(5x5x4x4 p=0/1/2/1)-> 7x7x4"),
        ("9x9x4 -(1x1x4x4)->", {"k": (3,)}, "9x9x4 -(3x3x4x4 same)-> 9x9x4"),
        ("9x9x4 -(3x3x4x4 same)->", {"s": (2,)}, "9x9x4 -(3x3x4x4 s2 same)-> 5x5x4"),
        ("9x9x4 -(3x3x4x4)->", {"d": (2,)}, "9x9x4 -(3x3x4x4 d2)-> 5x5x4"),
        ("9x9x4 -(3x3x4x4)->", {"g": (2,)}, "9x9x4 -(3x3x2x4 g2)-> 7x7x4"),
        ("9x9x4 -(3x3x4x4)->", {"cin": (6,)}, "9x9x6 -(3x3x6x4)-> 7x7x4"),
        ("9x9x4 -(3x3x1x8)->", {"cin": (6,)}, "9x9x6 -(3x3x1x12)-> 7x7x12"),
        ("9x9x4 -(3x3x4x4)->", {"h": (11,), "w": (5,)}, "11x5x4 -(3x3x4x4)-> 9x3x4"),
        ("9x9x4 -(3x3x4x8 sep)->", {"k": (5,)}, "9x9x4 -(5x5x4x8 sep)-> 5x5x8"),
        ("9x9x4 -(3x3x4x8 spatial same)->", {"k": (5,)}, "9x9x4 -(5x5x4x8 spatial same)-> 9x9x8"),
        ("9x9x4 -(3x3x4x8 T s2)->", {"k": (5,)}, "9x9x4 -(5x5x4x8 T s2)-> 21x21x8"),
        ("9x4 -(3x4x4)->", {"k": (5,), "h": (12,)}, "12x4 -(5x4x4)-> 8x4"),
    ],
)
def test_one_parameter(text: str, values: dict[str, Sequence[int]], expected: str) -> None:
    assert strings(scan(text, **values)) == [expected]


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("9x9x4 -(3x3x4x4)->", {"g": (2, 3)}, "3 groups do not divide"),
        ("9x9x4 -(3x3x4x4)->", {"k": (3, 11)}, "too small"),
        ("9x4 -(3x4x4)->", {"h": (9,), "w": (3,)}, "1 spatial dimension"),
    ],
)
def test_what_is_no_layer_is_skipped_with_its_reason(text: str, values: dict[str, Sequence[int]], reason: str) -> None:
    usable = {name: given[:1] for name, given in values.items() if name != "w"}
    assert strings(scan(text, **usable))
    if "w" in values:
        with pytest.raises(UsageError, match=reason):
            scan(text, **values)
        return
    (why,) = scan(text, **values).skipped
    assert reason in why.reason


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("9x9x4 -(3x3x4x4)->", {"x": (1,)}, "unknown parameter 'x'"),
        ("9x9x4 -(3x3x4x4)->", {"k": (0,)}, "from 1"),
        ("9x9x4 -(3x3x4x4)->", {"k": ()}, "from 1"),
        ("9x9x4 -(3x3x4x4)->", {"k": range(1, 40), "cout": range(1, 40)}, "1,521 combinations"),
        ("9x9x4 -(maxpool 2x2)->", {"k": (1,)}, "nothing to scan"),
        ("9x9x4 -(3x3x4x4)->", {"k": (11,)}, "no combination"),
    ],
)
def test_mistakes(text: str, values: dict[str, Sequence[int]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        scan(text, **values)


def test_a_scan_has_no_front() -> None:
    assert {way.pareto for way in scan("9x9x4 -(3x3x4x4)->", k=(1, 3)).alternatives} == {None}
