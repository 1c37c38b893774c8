"""What the place where a report goes can show: columns, colours, characters beyond ASCII."""

from __future__ import annotations

import msgspec

from convcost.report.text import Line, Span, Text, shorten, visible

NARROWEST = 40
DEFAULT_WIDTH = 80
LOCAL = 400
"""Columns that a text of the machine's own may take in a line."""

ASCII = str.maketrans(
    {
        "×": "x",
        "·": "-",
        "…": "~",
        "≥": ">=",
        "≤": "<=",
        "≈": "~",
        "→": "->",
        "µ": "u",
        "─": "-",
        "━": "=",
        "│": "|",
        "├": "|",
        "└": "`",
        "█": "#",
        "▉": "#",
        "▊": "#",
        "▋": "#",
        "▌": "#",
        "▍": "-",
        "▎": "-",
        "▏": "-",
        "’": "'",
        "–": "-",
        "−": "-",
        "Δ": "d",
        "⋅": "*",
        "Π": "prod",
        "Σ": "sum",
        "√": "sqrt ",
        "ε": "eps",
        "²": "^2",
    }
)
"""Replacements for our own characters. None of them changes the meaning of a number."""

SGR = {
    "title": "1",
    "head": "2",
    "total": "1",
    "bar": "36",
    "good": "32",
    "bad": "31",
    "warning": "33",
    "note": "36",
    "dim": "2",
}
"""Roles and their ANSI parameters: the terminal's own palette, so that light and dark themes both work."""


class Style(msgspec.Struct, frozen=True):
    """Where text is drawn. `width` in columns."""

    width: int = DEFAULT_WIDTH
    color: bool = False
    unicode: bool = True

    def paint(self, text: str, role: str) -> str:
        """`text` in the colour of `role`, or as it is."""
        return f"\x1b[{SGR[role]}m{text}\x1b[0m" if self.color and role and text else text

    def ours(self, text: str) -> str:
        """Our own text in the characters that can be shown; a report by another hand may have put anything into it."""
        if "##" in text or not text.isprintable():
            text = visible(text)
        return text if self.unicode or text.isascii() else visible(text.translate(ASCII), ascii_only=True)

    def span(self, span: Span, width: int | None = None) -> str:
        """One span, foreign text escaped and, given a `width`, shortened to it."""
        if not isinstance(span, Text):
            return self.ours(span)
        raw = span.raw if width is None else shorten(span.raw, max(width, 1) * 2)
        text = visible(raw, ascii_only=not self.unicode)
        return text if width is None else shorten(text, width, mark=self.ours("…"))

    def line(self, line: Line, foreign: int | None = None) -> str:
        """Spans in a row; names from a model take at most `foreign` columns each."""
        return "".join(self.span(span, LOCAL if isinstance(span, Text) and span.local else foreign) for span in line)
