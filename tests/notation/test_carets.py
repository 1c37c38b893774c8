"""The drawing of a diagnostic: carets under the exact columns, nothing that acts on a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import NotationError
from convcost.notation import parse, render_error
from convcost.notation.carets import columns, visible

AS_DOCUMENTED = """\
convcost: error[C101]: the kernel reads 4 input channels, but 12x12x3 has 3
  12x12x3 -(5x5x4x256)-> 8x8x256
        ^       ^
  help: write  12x12x3 -(5x5x3x256)-> 8x8x256"""


def drawn(text: str, span: tuple[int, int], width: int = 100) -> list[str]:
    error = NotationError("wrong", text=text, span=span, code="C103")
    return render_error(error, width).split("\n")[1:]


def test_the_documented_form() -> None:
    with pytest.raises(NotationError) as caught:
        parse("12x12x3 -(5x5x4x256)-> 8x8x256")
    assert render_error(caught.value) == AS_DOCUMENTED


@pytest.mark.parametrize(
    ("text", "span", "line", "carets"),
    [
        ("abc def", (4, 7), "abc def", "    ^^^"),
        ("abc", (3, 3), "abc", "   ^"),
        ("畳み込み 12", (5, 7), "畳み込み 12", "         ^^"),
        ("畳", (0, 1), "畳", "^^"),
        ("e\u0301x", (2, 3), "e\u0301x", " ^"),
        ("e\u0301x", (1, 2), "e\\u0301x", " ^^^^^^"),
        ("\u202eabc", (0, 1), "\\u202eabc", "^^^^^^"),
        ("a\tb", (2, 3), "a\\x09b", "     ^"),
        ("a\nb", (1, 2), "a\\x0ab", " ^^^^"),
        ("\ud800a", (1, 2), "\\ud800a", "      ^"),
        ("\U000e0041", (0, 1), "\\U000e0041", "^^^^^^^^^^"),
        ("\x1b[31m", (0, 1), "\\x1b[31m", "^^^^"),
    ],
)
def test_carets_stand_under_terminal_columns(text: str, span: tuple[int, int], line: str, carets: str) -> None:
    assert drawn(text, span) == ["  " + line, "  " + carets]


def test_a_long_line_is_cut_around_the_place() -> None:
    line, carets = drawn("a" * 500 + "!" + "b" * 500, (500, 501), width=60)
    assert len(line) <= 60
    assert line.startswith("  …")
    assert line.endswith("…")
    assert line[carets.index("^")] == "!"


@pytest.mark.parametrize(
    ("source", "line", "place"),
    [(None, None, ""), (None, 3, "line 3: "), ("a\nb.txt", 3, "a\\x0ab.txt:3: "), ("a.txt", None, "a.txt: ")],
)
def test_a_place_in_a_file_is_named(source: str | None, line: int | None, place: str) -> None:
    error = NotationError("wrong", text="x", span=(0, 1), code="C103", source=source, line=line)
    assert render_error(error).split("\n")[0] == f"convcost: error[C103]: {place}wrong"


def test_a_heap_of_combining_marks_is_cut() -> None:
    line, _ = drawn("x" + "\u0301" * 60_000, (0, 1))
    assert len(line) <= 110


@given(st.text(max_size=80), st.data())
def test_nothing_acts_on_the_terminal(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    for line in drawn(text, (start, end), width=40):
        assert line.startswith("  ")
        assert columns(line) <= 40
        assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")]


@given(st.text(max_size=80))
def test_escaping_leaves_what_is_visible(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert text not in ("", shown) or all(c.isprintable() for c in text)
