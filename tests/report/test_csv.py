"""CSV: a line a layer, exact."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from convcost import record
from convcost.report import render

Make = Callable[..., Any]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_columns_sum_to_the_totals(layer: Make, model: Make, report: Make) -> None:
    layers = [layer(i, f"conv{i}", 10**30 + i) for i in range(4)]
    seen = rows(render(report(model(layers)), "csv"))
    assert sum(int(row["macs"]) for row in seen) == 4 * 10**30 + 6
    assert [row["output"] for row in seen] == ["1x16x8x8"] * 4


def test_not_known_is_empty_and_zero_is_zero(layer: Make, model: Make, report: Make) -> None:
    seen = rows(render(report(model([layer(0, "odd", None), layer(1, "free", 0)])), "csv"))
    assert [row["macs"] for row in seen] == ["", "0"]


def test_a_comparison_has_a_line_for_each_way(cost: Make, report: Make) -> None:
    ways = [
        record.Alternative(name=n, notation=n, cost=cost(m, 1), ratio=record.Ratio(macs=r, params=1.0))
        for n, m, r in (("a", 8, 1.0), ("b", 2, 0.25))
    ]
    seen = rows(render(report(comparisons=[record.Comparison(of="a", alternatives=ways, skipped=[])]), "csv"))
    assert [(row["name"], row["macs"], row["ratio_macs"]) for row in seen] == [("a", "8", "1.0"), ("b", "2", "0.25")]
