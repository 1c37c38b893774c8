"""What standard output is taken for: NO_COLOR, FORCE_COLOR, TERM=dumb, encodings, widths."""

from __future__ import annotations

import io
import sys

import pytest

from convcost.cli.console import style_of
from convcost.report.style import DEFAULT_WIDTH


class Screen(io.TextIOWrapper):
    """A standard output that may be a terminal."""

    def __init__(self, encoding: str, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("terminal", "env", "option", "color"),
    [
        (True, {}, "auto", True),
        (False, {}, "auto", False),
        (True, {"NO_COLOR": "1"}, "auto", False),
        (True, {"NO_COLOR": ""}, "auto", True),
        (False, {"FORCE_COLOR": "1"}, "auto", True),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", False),
        (True, {"TERM": "dumb"}, "auto", False),
        (True, {"NO_COLOR": "1"}, "always", True),
        (True, {}, "never", False),
    ],
)
def test_color(
    monkeypatch: pytest.MonkeyPatch,
    *,
    terminal: bool,
    env: dict[str, str],
    option: str,
    color: bool,
) -> None:
    monkeypatch.setattr(sys, "stdout", Screen("utf-8", terminal=terminal))
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert style_of(color=option, ascii_only=False, width=None).color is color


@pytest.mark.parametrize(
    ("encoding", "unicode"), [("utf-8", True), ("ascii", False), ("cp1252", False), ("latin-1", False)]
)
def test_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str, *, unicode: bool) -> None:
    monkeypatch.setattr(sys, "stdout", Screen(encoding, terminal=True))
    assert style_of(color="auto", ascii_only=False, width=None).unicode is unicode


@pytest.mark.parametrize(
    ("terminal", "columns", "option", "width"),
    [
        (True, "133", None, 133),
        (False, "133", None, DEFAULT_WIDTH),
        (False, "", 120, 120),
        (True, "x", None, DEFAULT_WIDTH),
        (True, "3", None, 40),
    ],
)
def test_width(
    monkeypatch: pytest.MonkeyPatch,
    *,
    terminal: bool,
    columns: str,
    option: int | None,
    width: int,
) -> None:
    monkeypatch.setattr(sys, "stdout", Screen("utf-8", terminal=terminal))
    monkeypatch.setenv("COLUMNS", columns)
    assert style_of(color="auto", ascii_only=False, width=option).width == width
