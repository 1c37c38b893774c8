"""Terminal tables: widths, totals, lower bounds, colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from convcost import record
from convcost.report import render
from convcost.report.style import Style
from convcost.report.text import cells
from convcost.report.view import View

Make = Callable[..., Any]


@pytest.fixture
def deep(cost: Make, layer: Make, model: Make, report: Make) -> record.Report:
    """A model with long names, scopes, large numbers and one layer that only moves data."""
    layers = [
        layer(
            i,
            f"backbone/stage{i // 3}/block{i}/conv/Conv",
            10**9 + i,
            scope=["backbone", f"stage{i // 3}", f"block{i}"],
        )
        for i in range(9)
    ]
    moved = cost(0, 0)
    layers.append(layer(9, "reshape", op="Reshape", kind="move", cost=moved))
    return report(model(layers, dims={"N": 1}))  # type: ignore[no-any-return]


@pytest.mark.parametrize("units", ["si", "exact"])
@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("format", ["table", "tree"])
def test_fits_and_no_number_is_cut(deep: record.Report, format: str, width: int, units: Any) -> None:
    drawn = render(deep, format, View(units=units), Style(width=width))
    assert [line for line in drawn.split("\n") if cells(line) > width] == []
    rows = [line for line in drawn.split("\n") if re.match(r"\s*\d+  ", line)]
    assert not [row for row in rows if re.search(r"\d…|…\d", row.rpartition("Conv")[2])]


def test_dropped_columns_are_named(deep: record.Report) -> None:
    wide = render(deep, "table", View(), Style(width=200)).split("\n")
    narrow = render(deep, "table", View(), Style(width=60))
    titles = next(line for line in wide if line.lstrip().startswith("#"))
    shown = next(line for line in narrow.split("\n") if line.lstrip().startswith("#"))
    missing = [t for t in re.split(r"\s{2,}|(?<=%)\s", titles.strip()) if t and t not in shown]
    assert missing
    named = narrow.partition("columns not shown: ")[2]
    assert all(title in named for title in missing)
    assert "columns not shown" not in "\n".join(wide)


def test_column_sums_to_the_total(deep: record.Report) -> None:
    drawn = render(deep, "table", View(units="exact", columns=("index", "macs")), Style(width=80))
    numbers = [int(n.replace(",", "")) for n in re.findall(r"(?m) ([\d,]{9,}|0)$", drawn.partition("────")[2])]
    assert len(numbers) == 10
    assert sum(numbers[:-1]) == numbers[-1]


def test_layers_that_only_move_data_wait_for_v(deep: record.Report) -> None:
    assert "1 layer without arithmetic or weights not shown" in render(deep, "table")
    assert "Reshape" in render(deep, "table", View(all_layers=True))


def test_top_and_sort(deep: record.Report) -> None:
    drawn = render(deep, "table", View(sort="macs", top=2), Style(width=140))
    rows = [int(n) for n in re.findall(r"(?m)^ *(\d+)  backbone", drawn)]
    assert rows == [8, 7]
    assert "8 layers not shown" in drawn


def test_groups_add_up(deep: record.Report) -> None:
    drawn = render(deep, "table", View(by="op", units="exact"), Style(width=140))
    assert re.search(r"(?m)^0  Conv .* 9,000,000,036 ", drawn)


def test_a_tree_of_the_largest_layers_keeps_the_sums_of_scopes(layer: Make, model: Make, report: Make) -> None:
    layers = [layer(i, f"{s}/c{i}", 10**i, scope=[s]) for i, s in enumerate("aaabbc")]
    drawn = render(report(model(layers)), "tree", View(units="exact", sort="macs", top=2), Style(width=140))
    assert re.findall(r"[├└]─ (\w+)", drawn) == ["b", "c4", "c", "c5"]
    assert "11,000" in next(line for line in drawn.splitlines() if "─ b " in line)
    assert "4 layers not shown (--top)" in drawn


def test_tree_sums_scopes(deep: record.Report) -> None:
    drawn = render(deep, "tree", View(units="exact"), Style(width=140))
    assert re.search(r"├─ backbone .* 9,000,000,036 ", drawn) or re.search(r"└─ backbone .* 9,000,000,036 ", drawn)
    assert re.search(r"├─ stage1 .* 3,000,000,012 ", drawn)


@pytest.mark.parametrize(
    ("lower", "upper", "sign"), [(True, False, "≥ "), (False, True, "≤ "), (True, True, "≈ "), (False, False, "")]
)
def test_a_total_says_how_it_stands_to_the_true_one(
    layer: Make, model: Make, report: Make, lower: bool, upper: bool, sign: str
) -> None:
    seen = record.Coverage(
        complete=not (lower or upper), nodes=1, counted=1, unknown=[], lower_bound=lower, upper_bound=upper
    )
    drawn = render(report(model([layer(0, "conv", 1500)], coverage=seen)), "table")
    assert f"\n{sign}1,500 MACs" in drawn


def test_unknown_is_a_question_mark_and_the_total_a_lower_bound(layer: Make, model: Make, report: Make) -> None:
    unknown = record.UnknownNode(name="odd", op="Odd", reason="operator evil:Odd has no rule")
    seen = record.Coverage(complete=False, nodes=2, counted=1, unknown=[unknown], lower_bound=True)
    one = report(model([layer(0, "conv", 1500), layer(1, "odd", None, op="Odd", kind="unknown")], coverage=seen))
    drawn = render(one, "table")
    assert "≥ 1,500 MACs" in drawn
    assert re.search(r"(?m)^1  odd +Odd .*\?", drawn)
    assert "1/2 nodes counted · 1 unknown" in drawn
    assert "not counted: odd (Odd): operator evil:Odd has no rule" in drawn


def test_coverage_and_convention_close_the_report(deep: record.Report) -> None:
    lines = render(deep, "table").rstrip("\n").split("\n")
    assert lines[-2] == "10/10 nodes counted · 0 unknown · dims N=1"
    assert lines[-1].startswith("convention: 1 MAC = 1 multiplication + 1 addition")
    assert len(lines[-1]) <= 80


def test_color_changes_only_color(deep: record.Report) -> None:
    painted = render(deep, "table", None, Style(color=True))
    assert "\x1b[" in painted
    plain = re.sub(r"\x1b\[[0-9;]*m", "", painted)
    assert [line.rstrip() for line in plain.split("\n")] == render(deep, "table", None, Style()).split("\n")


def test_ascii_is_ascii(deep: record.Report) -> None:
    assert render(deep, "tree", None, Style(unicode=False)).isascii()


def test_comparison_shows_the_article_figures(cost: Make, report: Make, model: Make) -> None:
    ways = [
        record.Alternative(
            name=name, notation=name, cost=cost(macs, params), ratio=record.Ratio(macs=None, params=None)
        )
        for name, macs, params in (("standard", 1_228_800, 19_200), ("separable", 53_952, 843))
    ]
    skipped = [record.Skipped(name="winograd", reason="the kernel is 5x5")]
    comparison = record.Comparison(of="standard", alternatives=ways, skipped=skipped)
    drawn = render(report(model([]), comparisons=[comparison]), "table")
    assert re.search(r"(?m)^1  separable .* 22\.8×  4\.39 %", drawn)
    assert "skipped winograd: the kernel is 5x5" in drawn


def test_time_columns(layer: Make, model: Make, report: Make) -> None:
    timing = record.LayerTiming(algorithm="im2col", runs=3, median_ns=1_500_000, mad_ns=1, min_ns=1, gflops=12.5)
    whole = record.ModelTiming(
        backend="numpy", threads=2, runs=3, warmup=1, median_ns=2_000_000, mad_ns=10_000, min_ns=1_900_000,
        layers_sum_ns=1_500_000, weights="random",
    )  # fmt: skip
    drawn = render(report(model([layer(0, "conv", timing=timing)], timing=whole)), "table", None, Style(width=120))
    assert "median 2.00 ms" in drawn
    assert re.search(r"(?m)^0  conv .* 1\.50 ms +100\.0 █████ +12\.5 ", drawn)


def test_a_report_without_models_is_drawn(report: Make) -> None:
    assert render(report(), "table").startswith("convention: ")
