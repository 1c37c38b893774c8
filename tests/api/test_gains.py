"""Notes on gains that are not met."""

from __future__ import annotations

import msgspec
import pytest

from convcost import api, record
from convcost.api.forms import ratio
from convcost.api.gains import disappointing

REPORT = api.compare("56x56x64 -(3x3x64x128 same)->", "56x56x64 -(3x3x64x128 sep same)->")
BASE, SEPARABLE = REPORT.comparisons[0].alternatives


def timing(ns: int, mad: int = 0) -> record.ModelTiming:
    return record.ModelTiming(
        backend="numpy", threads=1, runs=3, warmup=1, median_ns=ns, mad_ns=mad, min_ns=ns, layers_sum_ns=ns,
        weights="random",
    )  # fmt: skip


def layer_timing(ns: int) -> record.LayerTiming:
    return record.LayerTiming(algorithm="a", runs=3, median_ns=ns, mad_ns=0, min_ns=ns, bound="memory")


def said(first: int, second: int) -> list[record.Diagnostic]:
    """The notes for two times; the depthwise step takes three quarters of the second."""
    ways = [msgspec.structs.replace(way, timing=timing(ns)) for way, ns in ((BASE, first), (SEPARABLE, second))]
    model = REPORT.models[1]
    layers = [
        msgspec.structs.replace(layer, timing=layer_timing(ns))
        for layer, ns in zip(model.layers, (300, 100), strict=True)
    ]
    return disappointing(ways, [REPORT.models[0], msgspec.structs.replace(model, layers=layers)])


def test_a_gain_that_is_far_below_the_counted_one_is_explained() -> None:
    """8.4 times fewer MACs (1/128 + 1/9), but the time only halves."""
    (note,) = said(2000, 1000)
    assert note.message.endswith("8.41× fewer MACs, but only 2.00× as fast")
    assert note.help is not None
    assert "75 % of the time is depthwise" in note.help
    assert "bound by memory" in note.help


@pytest.mark.parametrize(("first", "second"), [(8000, 1000), (4300, 1000)])
def test_a_gain_that_is_met_is_not(first: int, second: int) -> None:
    assert said(first, second) == []


def test_without_times_nothing_is_said() -> None:
    assert disappointing([BASE, SEPARABLE], REPORT.models) == []


def test_the_uncertainty_of_a_ratio() -> None:
    """Relative deviations of 3 % and 4 % make 5 %."""
    first = msgspec.structs.replace(REPORT.models[0], timing=timing(1000, 30))
    found = ratio(SEPARABLE.cost, first, timing(500, 20))
    assert found.time == 0.5
    assert found.time_error == pytest.approx(0.5 * 0.05)
