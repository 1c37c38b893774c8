r"""A diagnostic as plain text, with carets under the exact characters; safe for any terminal.

Foreign text is always indented and escaped: control, formatting and bidirectional characters, lone surrogates and
line ends are shown as `\u202e`, so that nothing in a string can act on the terminal or start a line.
"""

from __future__ import annotations

import re

from convcost.errors import NotationError, at
from convcost.notation.faults import Span

INDENT = "  "
COMMAND = re.compile(r"##(?=\w*\[)")
"""Begins a command of a CI system wherever it stands in a line."""
WIDTH = 100
"""Terminal columns of a line, unless told."""


_INVISIBLE = frozenset("\u034f\u115f\u17b4\u17b5\u2800\u3164\uffa0")
"""Printable by their category, but drawn as nothing. (Hangul vowels and finals join what is before them.)"""


def visible(text: str) -> str:
    """`text` with everything that is not plainly visible as an escape."""
    return text if text.isascii() and text.isprintable() else "".join([_shown(c) for c in text])


def _shown(c: str) -> str:
    return c if c.isprintable() and not _joining(c) else _escape(c)


def _escape(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _joining(c: str) -> bool:
    """Whether a printable character changes how its neighbours look, or cannot be seen."""
    if c < "\u0300":
        return False
    if c in _INVISIBLE or "\u1160" <= c <= "\u11ff":
        return True
    import unicodedata  # noqa: PLC0415 - only text beyond Latin needs it

    return unicodedata.category(c) in ("Mn", "Me", "Mc", "Lm") and (
        unicodedata.combining(c) == 0 or unicodedata.category(c) != "Mn"
    )


def columns(shown: str) -> int:
    """Terminal columns that already escaped text takes: wide characters two, combining ones none."""
    if shown.isascii():
        return len(shown)
    import unicodedata  # noqa: PLC0415 - only text beyond ASCII needs it

    total = 0
    for c in shown:
        if not unicodedata.combining(c):
            total += 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return total


def render_error(error: NotationError, width: int = WIDTH) -> str:
    """The diagnostic: what is wrong, the text with carets, what to do; no line end after the last line."""
    lines = [f"convcost: error[{error.code}]: {place(error)}{visible(error.message)}"]
    if error.text.strip():
        lines += excerpt(error.text, error.span, error.others, width)
    if error.help:
        lines.append(f"{INDENT}help: {visible(error.help)}")
    return COMMAND.sub(r"\\x23#", "\n".join(lines))


def place(error: NotationError) -> str:
    """`list.txt:3: ` where the text is a line of a file; empty where it is the whole."""
    found = at(None if error.source is None else visible(error.source[:200]), error.line)
    return f"{found}: " if found else ""


def excerpt(text: str, span: Span, others: tuple[Span, ...], width: int) -> list[str]:
    """The text around `span`, and a line of carets under it and `others`; at least one caret for each."""
    start, end = window(text, span, max(width - len(INDENT) - 1, 20))
    head, tail = ("…" if start else ""), ("…" if end < len(text) else "")
    marks = [(max(a, start), min(b, end)) for a, b in (span, *others) if a <= end and b >= start]
    shown = head
    at = [len(head)]
    for i in range(start, end):
        piece = _shown(text[i])
        if not columns(piece) and any(a <= i < b for a, b in marks):
            piece = _escape(text[i])
        shown += piece
        at.append(at[-1] + columns(piece))
    carets = [" "] * (at[-1] + 1)
    for a, b in marks:
        first, last = at[a - start], at[b - start]
        carets[first : max(last, first + 1)] = "^" * max(last - first, 1)
    return [INDENT + shown + tail, (INDENT + "".join(carets)).rstrip()]


def window(text: str, span: Span, room: int) -> tuple[int, int]:
    """The part of `text` to show: all where it fits, else as much around the start of `span` as fits."""
    if len(text) <= room and columns(visible(text)) <= room:
        return 0, len(text)
    room -= 2
    start = end = min(max(span[0], 0), len(text))
    used = 0
    before, after = room // 3, room
    while start > 0 and used + (cost := _cost(text[start - 1])) <= before:
        start -= 1
        used += cost
    while end < len(text) and used + (cost := _cost(text[end])) <= after:
        end += 1
        used += cost
    while start > 0 and used + (cost := _cost(text[start - 1])) <= after:
        start -= 1
        used += cost
    return start, end


def _cost(c: str) -> int:
    """Columns of a character, at least one, so that a heap of combining marks is cut too."""
    return max(columns(_shown(c)), 1)
