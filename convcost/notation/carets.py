r"""A diagnostic as plain text, with carets under the exact characters; safe for any terminal.

Foreign text is always indented and escaped: control, formatting and bidirectional characters, lone surrogates and
line ends are shown as `\u202e`, so that nothing in a string can act on the terminal or start a line.
"""

from __future__ import annotations

from convcost.errors import NotationError

INDENT = "  "
WIDTH = 100
"""Terminal columns of a line, unless told."""


def visible(text: str) -> str:
    """`text` with everything that is not plainly visible as an escape."""
    return text if text.isascii() and text.isprintable() else "".join([_shown(c) for c in text])


def _shown(c: str) -> str:
    return c if c.isprintable() and not _joining(c) else _escape(c)


def _escape(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _joining(c: str) -> bool:
    """Whether a printable character would change how its neighbours look: combining marks and selectors."""
    if c < "\u0300":
        return False
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
    place = ""
    if error.source is not None:
        place = visible(error.source[:200]) + (f":{error.line}" if error.line is not None else "") + ": "
    lines = [f"convcost: error[{error.code}]: {place}{visible(error.message)}"]
    if error.text.strip():
        lines += excerpt(error.text, error.span, error.others, width)
    if error.help:
        lines.append(f"{INDENT}help: {visible(error.help)}")
    return "\n".join(lines)


def excerpt(text: str, span: tuple[int, int], others: tuple[tuple[int, int], ...], width: int) -> list[str]:
    """The text around `span`, and a line of carets under it and `others`."""
    room = max(width - len(INDENT), 20)
    start, end = window(text, span, room)
    head, tail = ("…" if start else ""), ("…" if end < len(text) else "")
    marks = [span, *others]
    shown, carets = head, " " * len(head)
    for at in range(start, end):
        piece = _shown(text[at])
        mark = "^" if any(a <= at < b for a, b in marks) else " "
        if mark == "^" and not columns(piece):
            piece = _escape(text[at])
        shown += piece
        carets += mark * columns(piece)
    if any(a == b == end for a, b in marks):
        carets += "^"
    if any(a == b and start <= a < end for a, b in marks):
        carets = _points(text, start, head, marks, carets)
    return [INDENT + shown + tail, (INDENT + carets).rstrip()]


def _points(text: str, start: int, head: str, marks: list[tuple[int, int]], carets: str) -> str:
    """A caret at each empty span inside the line."""
    out = list(carets)
    for a, b in marks:
        if a == b and a >= start:
            at = len(head) + columns(visible(text[start:a]))
            if at < len(out):
                out[at] = "^"
    return "".join(out)


def window(text: str, span: tuple[int, int], room: int) -> tuple[int, int]:
    """The part of `text` to show: all where it fits, else as much around the start of `span` as fits."""
    if len(text) <= room and columns(visible(text)) <= room:
        return 0, len(text)
    room -= 2
    start = end = min(max(span[0], 0), len(text))
    used = 0
    before, after = room // 3, room
    while start > 0 and used + (cost := columns(_shown(text[start - 1]))) <= before:
        start -= 1
        used += cost
    while end < len(text) and used + (cost := columns(_shown(text[end]))) <= after:
        end += 1
        used += cost
    while start > 0 and used + (cost := columns(_shown(text[start - 1]))) <= after:
        start -= 1
        used += cost
    return start, end
