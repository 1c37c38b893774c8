"""The HTML report: one file that needs nothing else, and shows what the report says."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from convcost import count, record
from convcost.record import Report
from convcost.report import render
from convcost.report.html import fragment
from convcost.report.page import embed
from convcost.report.view import View

VOID = {"meta", "input", "br", "link", "img"}


class Page(html.parser.HTMLParser):
    """Elements that are open, scripts, ids, cells of tables, and every attribute that could load or run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[tuple[str, str]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.ids: list[str] = []
        self.tables: list[list[list[tuple[dict[str, str | None], str]]]] = []
        self.stack: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        risky = ("src", "href", "xlink:href", "srcset", "data", "action", "formaction", "style", "ping", "poster")
        self.loads += [(tag, name) for name, _ in attrs if name in risky or name.startswith("on")]
        found = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.stack.append((tag, found))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append((found, ""))
        elif tag == "script":
            self.scripts.append((found, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        names = [tag for tag, _ in self.stack]
        if names and names[-1] == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif names and names[-1] == "style":
            self.styles.append(data)
        elif {"td", "th"} & set(names):
            attributes, text = self.tables[-1][-1][-1]
            self.tables[-1][-1][-1] = (attributes, text + data)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack, f"</{tag}> closes nothing"
        assert self.stack.pop()[0] == tag


@pytest.fixture(params=["conv1", "</script><script>alert(1)</script>", "<!--<script>", "]]>", '" onload="alert(1)'])
def page(request: pytest.FixtureRequest, named: Callable[[str], Report]) -> tuple[Report, str, Page]:
    report = named(request.param)
    drawn = render(report, "html", View(all_layers=True))
    return report, drawn, Page(drawn)


def test_elements_are_closed_in_order(page: tuple[Report, str, Page]) -> None:
    assert page[1].startswith("<!DOCTYPE html>\n")
    assert page[2].stack == []


def test_loads_nothing(page: tuple[Report, str, Page]) -> None:
    assert page[2].loads == []


def test_ids_are_unique(page: tuple[Report, str, Page]) -> None:
    assert len(set(page[2].ids)) == len(page[2].ids)
    assert {"report", "save", "theme"} <= set(page[2].ids)


def test_charts_refer_to_tables_that_are_there(page: tuple[Report, str, Page]) -> None:
    found = re.findall(r'data-of="(\w+)"', page[1])
    assert found
    assert set(found) <= set(page[2].ids)


def test_only_its_own_script_and_style_count(page: tuple[Report, str, Page]) -> None:
    _, drawn, seen = page
    assert len(seen.scripts) == 2
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', drawn)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for rule, text in (("script-src", seen.scripts[1][1]), ("style-src", "".join(seen.styles))):
        assert rules[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert set(rules) == {"default-src", "base-uri", "form-action", "script-src", "style-src"}


def test_holds_the_report(page: tuple[Report, str, Page]) -> None:
    report, _, seen = page
    attributes, text = seen.scripts[0]
    assert attributes == {"type": "application/json", "id": "report"}
    assert json.loads(text) == json.loads(render(report, "json"))


def test_holds_a_large_report_compressed(
    layer: Callable[..., Any], model: Callable[..., Any], report: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "PLAIN", 1000)
    made: Report = report(model([layer(i, f"conv{i}") for i in range(30)]))
    attributes, text = Page(render(made, "html")).scripts[0]
    assert attributes == {"type": "application/zlib", "id": "report"}
    assert json.loads(zlib.decompress(base64.b64decode(text))) == json.loads(render(made, "json"))


def test_rows_have_as_many_cells_as_there_are_titles(page: tuple[Report, str, Page]) -> None:
    assert page[2].tables
    for head, *rows in page[2].tables:
        assert rows
        assert {len(row) for row in rows} == {len(head)}


def test_figures_are_those_of_the_report() -> None:
    """LeNet-5's layers, whose figures are known from its paper's shapes: text where it is exact, else `data-v`."""
    report = count("32x32x1 -(5x5x1x6)-> 28x28x6 -(maxpool 2x2)-> -(5x5x6x16)-> -(maxpool 2x2)-> -(5x5x16x120)->")
    macs = [28 * 28 * 25 * 6, 0, 10 * 10 * 25 * 6 * 16, 0, 25 * 16 * 120]
    for units in ("si", "exact"):
        head, *rows = Page(render(report, "html", View(units=units))).tables[0]
        at = [text for _, text in head].index("MACs")
        shown = [cells[at][0].get("data-v") or cells[at][1].replace(",", "") for cells in rows]
        assert [int(n) for n in shown] == [*macs, sum(macs)]


def test_no_digit_is_lost(layer: Callable[..., Any], model: Callable[..., Any], report: Callable[..., Any]) -> None:
    """Beyond 2^53, where the numbers of JavaScript are no longer whole."""
    n = 2**53 + 1
    made: Report = report(model([layer(0, "conv", n)]))
    drawn = render(made, "html")
    assert f"data-v={n}" in drawn
    assert f"{n:,}" in drawn


def test_a_timed_report_has_times(
    layer: Callable[..., Any], model: Callable[..., Any], report: Callable[..., Any]
) -> None:
    t = record.LayerTiming(algorithm="im2col", runs=3, median_ns=1_234_567, mad_ns=1, min_ns=1)
    whole = record.ModelTiming(
        backend="numpy", threads=1, runs=3, warmup=1, median_ns=2_000_000, mad_ns=5, min_ns=1_900_000,
        layers_sum_ns=1_234_567, weights="random",
    )  # fmt: skip
    drawn = render(report(model([layer(0, "conv", timing=t)], timing=whole)), "html")
    assert "<td class=n data-v=1234567>1.23 ms</td>" in drawn
    assert "<dt>time, median</dt><dd>2.00 ms</dd>" in drawn


def test_equal_reports_give_equal_pages(named: Callable[[str], Report]) -> None:
    assert render(named("a"), "html") == render(named("a"), "html")


def test_a_report_of_many_models_has_few_charts(
    layer: Callable[..., Any], model: Callable[..., Any], report: Callable[..., Any]
) -> None:
    made: Report = report(*(model([layer(0, f"conv{i}")], source=f"{i}.onnx") for i in range(9)))
    drawn = render(made, "html")
    assert drawn.count("<svg") == 4 * 2  # these layers have no known intensity, so there is no roofline
    assert drawn.count("<table") == 9 + 1


@pytest.mark.parametrize("name", ["conv1", "</style><script>alert(1)</script>"])
def test_a_fragment_has_no_script(name: str, named: Callable[[str], Report]) -> None:
    drawn = fragment(named(name))
    seen = Page(drawn)
    assert (seen.scripts, seen.loads, seen.ids) == ([], [], [])
    assert not seen.stack
    assert drawn.startswith('<div class="convcost">')
    assert seen.tables
    assert "<svg" not in drawn
