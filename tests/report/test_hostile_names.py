"""The structure of a report does not change when only names change (promise 10)."""

from __future__ import annotations

import csv
import html.parser
import io
import re
from collections.abc import Callable

import pytest

from convcost.record import Report
from convcost.report import render
from convcost.report.style import Style
from convcost.report.view import View

Named = Callable[[str], Report]

NAMES = [
    "[red]x[/red]", "[/]", ":bomb:", "\x1b]0;title\x07", "a\nb", "\r\n::error::x", "::set-output name=a::b", "##[group]x",
    "##vso[task]", "##teamcity[x]", "<script>alert(1)</script>", "</script><!--", 'x" onload="alert(1)', "a|b|c", "`", "``` ",
    "[x](javascript:alert(1))", "# heading", "---", "> quote", "@octocat", "https://evil.example/x", "=cmd()", "+1", "-1", "@x",
    "a,=b", 'a"b', "\u202e\u2066", "\u200b", "\u2028", "\udcff", "\ud800", "層" * 90, "e" + "\u0301" * 500, "n" * 65536,
    "word " * 9000, "  ", "NaN", "1e5", "\\", "a\\", "", "&amp;", "\x7f\x9b31m",
]  # fmt: skip

CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
COMMAND = re.compile(r"(?m)^\s*(::|##)|##\w*\[")
"""GitHub's runner finds `##[` anywhere in a line."""


class Tags(html.parser.HTMLParser):
    """Tags, names of attributes and comments, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, [name for name, _ in attrs]))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append("/" + tag)

    def handle_comment(self, data: str) -> None:
        self.seen.append(("comment", data))


def skeleton(format: str, drawn: str) -> object:
    """What must not depend on names."""
    if format == "html":
        tags = Tags()
        tags.feed(drawn)
        tags.close()
        return tags.seen
    if format == "csv":
        return [len(row) for row in csv.reader(io.StringIO(drawn, newline=""), strict=True)]
    if format == "markdown":
        return [(line.count("|"), line.count("`"), re.match(r"(?:#+ |- |_|)", line)[0]) for line in drawn.split("\n")]  # type: ignore[index]
    return drawn.count("\n")


@pytest.mark.parametrize("format", ["table", "tree", "markdown", "html", "csv", "jsonl"])
@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:12]))
def test_skeleton(name: str, format: str, named: Named) -> None:
    view = View(all_layers=True)
    drawn = render(named(name), format, view)
    assert skeleton(format, drawn) == skeleton(format, render(named("plain"), format, view))
    assert not CONTROL.search(drawn.replace("\r\n", "\n"))
    if format in ("table", "tree"):
        assert not COMMAND.search(drawn)
        assert drawn.isprintable() or "\n" in drawn


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:12]))
def test_lines_do_not_depend_on_names_at_any_width(name: str, width: int, named: Named) -> None:
    style = Style(width=width)
    assert render(named(name), "table", None, style).count("\n") == render(named("plain"), "table", None, style).count(
        "\n"
    )


@pytest.mark.parametrize(
    "name", [n for n in NAMES if n.strip() and "##" not in n and n.isascii() and n.isprintable() and len(n) < 30]
)
def test_markup_is_shown_and_not_swallowed(name: str, named: Named) -> None:
    assert name in render(named(name), "table", None, Style(width=140))


def test_nothing_foreign_is_executable_in_html(named: Named) -> None:
    drawn = render(named("</script><img src=x onerror=alert(1)>"), "html")
    assert "<img" not in drawn
    assert "default-src 'none'" in drawn
