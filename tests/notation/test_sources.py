"""Strings from standard input and files, and what counts as a file."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from convcost.errors import NotationError, UsageError
from convcost.notation import Line, is_notation, read_file, read_lines
from convcost.notation.sources import MAX_BYTES


def test_lines_comments_and_a_byte_order_mark() -> None:
    data = b"\xef\xbb\xbf# first\n12x12x3,k5,c256  # the example\r\n\n  \n8x8x3 -(gap)->"
    assert read_lines(data, "-") == (Line(2, "12x12x3,k5,c256  ", "-"), Line(5, "8x8x3 -(gap)->", "-"))


def test_a_stream_is_read_to_the_limit() -> None:
    assert read_lines(io.BytesIO("8×8×3,k3,c1".encode()), "-") == (Line(1, "8×8×3,k3,c1", "-"),)
    with pytest.raises(UsageError, match="at most"):
        read_lines(io.BytesIO(b" " * (MAX_BYTES + 1)), "-")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"# only a comment", b"\xef\xbb\xbf"])
def test_nothing_in_it(data: bytes) -> None:
    with pytest.raises(UsageError, match="no shape string"):
        read_lines(data, "-")


def test_bytes_that_are_not_utf_8_are_placed() -> None:
    with pytest.raises(NotationError) as caught:
        read_lines(b"8x8x3,k3,c1\n8\xc3\x97\xff8x3", "list.txt")
    error = caught.value
    assert (error.line, error.source, error.text[slice(*error.span)]) == (2, "list.txt", "\\xff")


def test_a_file(tmp_path: Path) -> None:
    place = tmp_path / "layers.txt"
    place.write_text("8x8x3,k3,c1\n", encoding="utf-8-sig")
    assert read_file(str(place)) == (Line(1, "8x8x3,k3,c1", str(place)),)


@pytest.mark.parametrize("name", ["absent", ".", "", "\0", "pipe"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError):
        read_file(str(tmp_path / name) if name else "")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("12x12x3,k5,c256", True),
        ("12x12x3 -(5x5x3x256)-> 8x8x256", True),
        ("absent.txt", True),
        ("a" * 5000, True),
        ("\0", True),
        ("absent.onnx", False),
        ("absent.ONNX", False),
        ("report.json", False),
    ],
)
def test_what_is_notation(source: str, expected: bool) -> None:
    assert is_notation(source) is expected


def test_an_existing_file_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "12x12x3,k5,c256").touch()
    monkeypatch.chdir(tmp_path)
    assert not is_notation("12x12x3,k5,c256")
