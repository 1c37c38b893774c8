"""Text that comes from outside (names in a model, file names, shape strings) and how each sink makes it inert.

`Text` marks such text; everything else in a report is ours. A sink escapes it once, with its function here. An escape
is readable (backslash, x, two digits) and never adds a line, so names cannot change the structure of a report.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
"""Printable by Unicode's categories, but drawn as nothing."""

COMMAND = re.compile(r"##(?=\w*\[)")
"""Begins a command of a CI system, and not only at the start of a line: GitHub's runner looks for `##[` anywhere."""

LONGEST = 4096
"""Of a longer text only both ends are looked at."""

MARKDOWN_ACTIVE = {
    "`": "\\x60",
    "|": "\\x7c",
    "<": "\\x3c",
    "@": "\\x40",
    "](": "]\\x28",
    "://": ":\\x2f/",
}
"""What Markdown, a table of it or a forge would act on, even inside a code span."""

FORMULA = ("=", "+", "-", "@", "::")
"""Beginnings of a field that a spreadsheet, or a CI system that reads the line, would act on."""


class Text(msgspec.Struct, frozen=True):
    """Text that somebody else wrote. `local` text is the machine's own (versions, a processor's name), and short.

    Both are escaped; lines with names from a model are besides never wrapped, so that names do not change how many
    lines there are.
    """

    raw: str
    local: bool = False


Span: TypeAlias = str | Text
Line: TypeAlias = tuple[Span, ...]


def wraps(line: Line) -> bool:
    """Whether nothing in a line comes from a model."""
    return not any(isinstance(span, Text) and not span.local for span in line)


def visible(raw: str, *, ascii_only: bool = False) -> str:
    """`raw` on one line, every control, bidi, zero-width, unassigned and surrogate character an escape, no command."""
    if "##" in raw:
        raw = COMMAND.sub(r"\\x23#", raw)
    if raw.isascii() and raw.isprintable():
        return raw
    return "".join(c if _plain(c, ascii_only=ascii_only) else _escape(c) for c in raw)


def _plain(c: str, *, ascii_only: bool) -> bool:
    return c.isprintable() and (c.isascii() or not (ascii_only or c in INVISIBLE or "\ufe00" <= c <= "\ufe0f"))


def _escape(c: str) -> str:
    code = ord(c)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unled(line: str) -> str:
    """A line that GitHub's runner does not take for a command, should foreign text open it."""
    return line.replace("::", "\\x3a:", 1) if line.lstrip().startswith("::") else line


def cells(text: str) -> int:
    """Columns that a terminal needs for `text`: 2 for a wide character, 0 for a combining one."""
    if text.isascii() or text.replace("×", "").isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - most reports are ASCII

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def shorten(text: str, width: int, *, mark: str = "…") -> str:
    """`text` in at most `width` columns: the end stays, because it tells layers apart, and a third of the start."""
    if len(text) <= LONGEST and cells(text) <= width and len(text) <= 4 * width:
        return text
    room = max(width - len(mark), 0)
    head = _fit(text[:LONGEST], room // 3)
    tail = _fit(text[: -LONGEST - 1 : -1], room - cells(head))[::-1]
    return head + mark[:width] + tail


def _fit(text: str, width: int) -> str:
    """The longest beginning of `text` that fits: in columns, and in characters where many are combining."""
    used = 0
    for i, c in enumerate(text):
        used += cells(c)
        if used > width or i >= 2 * width:
            return text[:i]
    return text


def markdown(raw: str) -> str:
    """A code span with `raw` inside. GitHub and GitLab resolve no links, mentions or emoji in one."""
    text = visible(raw)
    for active, escape in MARKDOWN_ACTIVE.items():
        text = text.replace(active, escape)
    return f"`{text} `" if not text or text.endswith("\\") else f"`{text}`"


def html(raw: str) -> str:
    """`raw` as character data or as a quoted attribute."""
    from html import escape  # noqa: PLC0415 - only for a page

    return escape(visible(raw), quote=True)


def csv(raw: str) -> str:
    """`raw` as a CSV field that no spreadsheet takes for a formula, quoted where commas or quotes need it."""
    text = visible(raw)
    fields = text.split(",")
    text = ",".join("'" + field if field.lstrip(' "').startswith(FORMULA) else field for field in fields)
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text
