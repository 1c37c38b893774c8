"""Foreign text: what each sink does to characters that would act."""

from __future__ import annotations

import csv as csv_module
import html as html_module
import io
import re
import unicodedata

import markdown_it
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.report import text

ANY = st.text(st.characters(exclude_categories=()), max_size=40)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("conv1", "conv1"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\udcff.onnx", "\\xff.onnx"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("層", "層"),
    ],
)
def test_visible(raw: str, shown: str) -> None:
    assert text.visible(raw) == shown


@given(ANY)
def test_visible_leaves_nothing_that_acts(raw: str) -> None:
    shown = text.visible(raw)
    assert "\n" not in shown
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"}]


@given(ANY)
def test_ascii_only_is_ascii(raw: str) -> None:
    assert text.visible(raw, ascii_only=True).isascii()


@given(ANY, st.integers(1, 60))
def test_shortened_text_fits(raw: str, width: int) -> None:
    assert text.cells(text.shorten(text.visible(raw), width)) <= width


@pytest.mark.parametrize(("raw", "columns"), [("abc", 3), ("層", 2), ("e\u0301", 1), ("1×64×8", 6)])
def test_cells(raw: str, columns: int) -> None:
    assert text.cells(raw) == columns


def test_shortening_keeps_the_end_and_takes_no_time_on_64k_characters() -> None:
    short = text.shorten("a" * 65536 + "layer4/conv2", 20)
    assert len(short) == 20
    assert short.endswith("layer4/conv2")


@given(ANY)
def test_html_is_data_for_a_parser(raw: str) -> None:
    escaped = text.html(raw)
    assert not set(escaped) & set("<>\"'")
    assert html_module.unescape(escaped) == text.visible(raw)


@given(ANY)
def test_csv_field_is_one_field_and_no_formula(raw: str) -> None:
    field = text.csv(raw)
    rows = list(csv_module.reader(io.StringIO(f"{field},1\r\n", newline=""), strict=True))
    assert len(rows) == 1
    assert len(rows[0]) == 2
    assert not rows[0][0].lstrip(' "').startswith(("=", "+", "-", "@"))


MARKDOWN = [
    "`code`",
    "a|b",
    "[x](javascript:alert(1))",
    "<script>",
    "@octocat",
    "https://evil.example",
    "\\",
    "# h",
    "",
]


@pytest.mark.parametrize("raw", MARKDOWN)
def test_markdown_is_one_code_span_in_one_table_cell(raw: str) -> None:
    parser = markdown_it.MarkdownIt("commonmark").enable("table")
    drawn = parser.render(f"| a | b |\n| --- | --- |\n| {text.markdown(raw)} | 1 |\n")
    cells = re.findall(r"<td>(.*?)</td>", drawn)
    assert len(cells) == 2
    assert re.fullmatch(r"<code>[^<]*</code>", cells[0])


@given(ANY)
def test_markdown_never_opens_anything(raw: str) -> None:
    span = text.markdown(raw)
    assert span.count("`") == 2
    assert not re.search(r"[|<@\n]|\]\(|://", span)
