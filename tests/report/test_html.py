"""The HTML report: one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
from collections.abc import Callable

import pytest

from convcost.record import Report
from convcost.report import render


class Page(html.parser.HTMLParser):
    """Scripts, and every attribute that could load something."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[tuple[str, str]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.open: dict[str, str | None] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [
            (tag, name)
            for name, _ in attrs
            if name in ("src", "href", "srcset", "data", "action") or name.startswith("on")
        ]
        if tag == "script":
            self.open = dict(attrs)

    def handle_data(self, data: str) -> None:
        if self.open is not None:
            self.scripts.append((self.open, data))

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self.open = None


@pytest.fixture(params=["conv1", "</script><script>alert(1)</script>", "<!--<script>", "]]>"])
def page(request: pytest.FixtureRequest, named: Callable[[str], Report]) -> tuple[Report, str, Page]:
    report = named(request.param)
    drawn = render(report, "html")
    page = Page()
    page.feed(drawn)
    page.close()
    return report, drawn, page


def test_loads_nothing(page: tuple[Report, str, Page]) -> None:
    assert page[2].loads == []


def test_only_its_own_script_may_run(page: tuple[Report, str, Page]) -> None:
    _, drawn, seen = page
    assert len(seen.scripts) == 2
    allowed = re.search(r"script-src 'sha256-([^']+)'", drawn)
    assert allowed is not None
    assert base64.b64encode(hashlib.sha256(seen.scripts[1][1].encode()).digest()).decode() == allowed[1]


def test_holds_the_report(page: tuple[Report, str, Page]) -> None:
    report, _, seen = page
    attributes, text = seen.scripts[0]
    assert attributes == {"type": "application/json", "id": "report"}
    assert json.loads(text) == json.loads(render(report, "json"))


def test_rows_have_as_many_cells_as_there_are_titles(page: tuple[Report, str, Page]) -> None:
    for table in re.findall(r"(?s)<table>(.*?)</table>", page[1]):
        titles = len(re.findall(r"<th[ >]", table))
        rows = re.findall(r"(?s)<tr>(.*?)</tr>", table)[1:]
        assert rows
        assert {len(re.findall(r"<td[ >]", row)) for row in rows} == {titles}
