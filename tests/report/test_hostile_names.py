"""The structure of a report does not change when only names change (promise 10)."""

from __future__ import annotations

import csv
import functools
import html.parser
import io
import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from convcost.record import Report
from convcost.report import BINARY, FORMATS, github, render
from convcost.report.style import Style
from convcost.report.view import View

Named = Callable[[str], Report]

PARSE: Callable[[str], Any] = text_string_to_metric_families

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
COMMAND = re.compile(r"(?m)^\s*::|##\w*\[")
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


def outline(value: object) -> object:
    """JSON without its texts: names of keys stay where they are ours."""
    if isinstance(value, dict):
        keys = [key for key in value if re.fullmatch(r"[$a-zA-Z_/0-9%]+", key)]
        return (sorted(keys) if len(keys) == len(value) > 1 else len(value), [outline(v) for v in value.values()])
    if isinstance(value, list):
        return [outline(v) for v in value]
    return type(value).__name__


def markdown_tokens(drawn: str) -> list[tuple[str, str]]:
    """What a CommonMark renderer with tables makes of it."""
    out = []
    for token in MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(drawn):
        out.append((token.type, token.tag))
        out += [(t.type, t.tag) for t in token.children or () if t.type != "text"]
    return out


def elements(drawn: str) -> list[tuple[str, list[str]]]:
    """Elements of XML and the names of their attributes."""
    return [(one.tag, sorted(one.attrib)) for one in ET.fromstring(drawn).iter()]


def samples(drawn: str) -> list[tuple[str, list[str]]]:
    """Samples of OpenMetrics and the names of their labels."""
    return [(s.name, sorted(s.labels)) for family in PARSE(drawn) for s in family.samples]


def skeleton(format: str, drawn: str) -> object:
    """What must not depend on names."""
    match format:
        case "html":
            tags = Tags()
            tags.feed(drawn)
            tags.close()
            return tags.seen
        case "csv":
            return [len(row) for row in csv.reader(io.StringIO(drawn, newline=""), strict=True)]
        case "markdown" | "github":
            return markdown_tokens(drawn)
        case "json" | "gitlab" | "sarif" | "trace":
            return outline(json.loads(drawn))
        case "jsonl":
            return [outline(json.loads(line)) for line in drawn.split("\n") if line]
        case "junit":
            return elements(drawn)
        case "openmetrics":
            return samples(drawn)
    return drawn.count("\n")


TEXTS = [one for one in FORMATS if one not in BINARY and one != "svg"]


@pytest.mark.parametrize("format", [one for one in TEXTS if one not in ("junit", "trace")])
@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:12]))
def test_skeleton(name: str, format: str, named: Named) -> None:
    same_skeleton(format, name, named)


PROSE = ("table", "tree", "markdown", "github")
SHORT = [name[:400] for name in NAMES]


@pytest.mark.parametrize("format", [one for one in TEXTS if one not in (*PROSE, "html")])
@pytest.mark.parametrize("name", SHORT, ids=lambda name: ascii(name[:12]))
def test_skeleton_where_every_text_is_foreign(name: str, format: str, filled: Named) -> None:
    same_skeleton(format, name, filled)


@pytest.mark.parametrize("format", PROSE)
@pytest.mark.parametrize("name", [name for name in SHORT if name], ids=lambda name: ascii(name[:12]))
def test_prose_by_another_hand_is_inert(name: str, format: str, filled: Named) -> None:
    """Sentences may be of any length and take any number of lines, but nothing in them acts."""
    drawn = render(filled(name), format, View(all_layers=True))
    if format in ("markdown", "github"):
        blocks = [token for token in markdown_tokens(drawn) if token[0] not in INLINE]
        assert blocks == [token for token in ordinary(format, filled) if token[0] not in INLINE]
    assert_inert(drawn)


INLINE = frozenset({"code_inline", "em_open", "em_close", "strong_open", "strong_close", "softbreak"})
"""Ways in which a sentence may look odd, and no more."""


@functools.cache
def ordinary(format: str, build: Named) -> Any:
    """The skeleton under ordinary names."""
    return skeleton(format, render(build("plain"), format, View(all_layers=True, charts=False)))


def same_skeleton(format: str, name: str, build: Named) -> None:
    """Names change no structure. Charts are left out: a treemap hangs layers under scopes, which are part of names."""
    drawn = render(build(name), format, View(all_layers=True, charts=False))
    assert skeleton(format, drawn) == ordinary(format, build)
    assert_inert(drawn)


def assert_inert(drawn: str) -> None:
    """Nothing that a terminal acts on, and no command of a CI system."""
    assert not CONTROL.search(drawn.replace("\r\n", "\n"))
    assert not COMMAND.search(drawn)


@pytest.mark.parametrize("name", SHORT, ids=lambda name: ascii(name[:12]))
def test_annotations_are_whole_commands(name: str, filled: Named) -> None:
    """As GitHub's runner reads them: properties between the first space and the second `::`."""
    drawn = github.commands(filled(name))
    for line in drawn.removesuffix("\n").split("\n"):
        found = re.fullmatch(
            r"::(?:error|warning|notice) ((?:file=[^,:]*,)?(?:line=\d+,)?title=[^,:]*)::([^\r\n]*)", line
        )
        assert found is not None, line
        assert not re.search("%(?!25|0A|3A|2C)", found[1] + found[2])
    assert drawn.count("\n") == github.commands(filled("plain")).count("\n")
    assert not CONTROL.search(drawn)


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
