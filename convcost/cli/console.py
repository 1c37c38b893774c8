"""What standard output can show."""

from __future__ import annotations

import os
import sys

from convcost.report.style import DEFAULT_WIDTH, NARROWEST, Style


def style_of(*, color: str, ascii_only: bool, width: int | None) -> Style:
    """What standard output can show. NO_COLOR, FORCE_COLOR and TERM=dumb count unless `--color` decides."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return Style(
        width=max(width or width_of(terminal=terminal), NARROWEST),
        color=color == "always" or (color == "auto" and wants_color(terminal=terminal)),
        unicode=not ascii_only and speaks_utf8(),
    )


def wants_color(*, terminal: bool) -> bool:
    """Whether `--color auto` means colours."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"


def width_of(*, terminal: bool) -> int:
    """The terminal's columns; a fixed number elsewhere, so that files and pipes always look the same."""
    if not terminal:
        return DEFAULT_WIDTH
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit():
        return int(given)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or DEFAULT_WIDTH
    except (OSError, ValueError):
        return DEFAULT_WIDTH


def speaks_utf8() -> bool:
    """Whether standard output takes all of Unicode."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "").replace("_", "") in ("utf8", "cp65001")
