"""Areas, axes and labels, against their definitions."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost import units
from convcost.report.charts.parts import axis, figure, linear, spread
from convcost.report.charts.spots import Spot, extent, label, overlap
from convcost.report.charts.squarify import Box, squarify

WEIGHTS = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=60).map(lambda w: sorted(w, reverse=True))


@given(WEIGHTS, st.floats(10, 2000), st.floats(10, 2000))
def test_areas_are_the_weights(weights: list[float], width: float, height: float) -> None:
    boxes = squarify(weights, Box(0, 0, width, height))
    total = sum(weights)
    for weight, box in zip(weights, boxes, strict=True):
        assert box.width * box.height == pytest.approx(width * height * weight / total, rel=1e-6)
        assert box.x >= -1e-6
        assert box.y >= -1e-6
        assert box.x + box.width <= width * (1 + 1e-9) + 1e-6
        assert box.y + box.height <= height * (1 + 1e-9) + 1e-6


@given(WEIGHTS)
def test_boxes_do_not_overlap(weights: list[float]) -> None:
    boxes = squarify(weights, Box(0, 0, 100, 100))
    for a, b in combinations(boxes, 2):
        wide = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
        tall = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
        assert min(wide, tall) < 1e-6


def test_the_example_of_the_paper() -> None:
    """Figure 4 of Bruls, Huizing, van Wijk: areas 6, 6, 4, 3, 2, 2, 1 in a rectangle of 6 × 4."""
    boxes = squarify([6, 6, 4, 3, 2, 2, 1], Box(0, 0, 6, 4))
    assert (boxes[0].width, boxes[0].height) == pytest.approx((3, 2))
    assert (boxes[1].x, boxes[1].y) == pytest.approx((0, 2))
    assert (boxes[2].width, boxes[2].height) == pytest.approx((12 / 7, 7 / 3))
    assert (boxes[3].width, boxes[3].height) == pytest.approx((9 / 7, 7 / 3))


@given(st.lists(st.integers(0, 10**400), min_size=1, max_size=20))
def test_every_value_has_a_place(values: list[int]) -> None:
    """Also those that no float can hold; larger values never stand further left."""
    made = axis(values, units.si)
    places = [made.place(value) for value in sorted(values)]
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    assert all(a <= b + 1e-9 for a, b in pairwise(places))
    assert all(0 <= at <= 1 for at, _ in made.ticks)
    assert len(made.ticks) <= 24


@pytest.mark.parametrize(("largest", "labels"), [
    (100, ["0", "20", "40", "60", "80", "100"]), (7, ["0", "2", "4", "6", "8"]), (1, ["0", "1"]),
    (1500, ["0", "500", "1000", "1500"]), (26, ["0", "5", "10", "15", "20", "25", "30"]),
])  # fmt: skip
def test_ticks_from_zero(largest: int, labels: list[str]) -> None:
    assert [text for _, text in linear(largest, str).ticks] == labels


def test_ticks_of_a_logarithmic_axis_stand_at_their_values() -> None:
    made = spread([0.02, 3000], figure)
    assert [text for _, text in made.ticks] == ["0.01", "0.1", "1", "10", "100", "1 K"]
    low, high = made.logs
    assert [low + at * (high - low) for at, _ in made.ticks] == pytest.approx([-2, -1, 0, 1, 2, 3])
    assert made.place(10) == pytest.approx((math.log10(10) - low) / (high - low))


@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), max_size=25))
def test_labels_cover_nothing(places: list[tuple[float, float]]) -> None:
    spots = [Spot(x, y, f"layer {i}") for i, (x, y) in enumerate(places)]
    boxes = [extent(spots[one.spot], one.align, one.dx, one.dy) for one in label(spots, 400, 300)]
    assert not any(overlap(a, b) for a, b in combinations(boxes, 2))
    for one, box in zip(label(spots, 400, 300), boxes, strict=True):
        others = [s for i, s in enumerate(spots) if i != one.spot]
        assert not any(overlap(box, (s.x - 5, s.y - 5, s.x + 5, s.y + 5)) for s in others)


def test_a_lone_label_stands_to_the_right() -> None:
    found = label([Spot(10, 10, "conv1")], 400, 300)
    assert [(one.spot, one.align) for one in found] == [(0, "left")]
    assert found[0].dx > 0
