"""What the stages of the notation raise among themselves; `parse` turns it into a NotationError."""

from __future__ import annotations

Span = tuple[int, int]
"""Half-open range of code points of the text."""

Edit = tuple[int, int, str]
"""Replace text[start:end] by a string."""


class Fault(Exception):  # noqa: N818 - it becomes the error once its corrected strings are tried
    """Something wrong at `span`.

    `others` are the spans that contradict it. `fixes` are lists of edits that may make a correct string, the best
    first: only one that parses is ever offered. `hint` stands before it, `advice` in place of it where none parses.
    """

    def __init__(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        others: tuple[Span, ...] = (),
        hint: str | None = None,
        advice: str | None = None,
        fixes: tuple[tuple[Edit, ...], ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span
        self.others = others
        self.hint = hint
        self.advice = advice
        self.fixes = fixes


def edited(text: str, edits: tuple[Edit, ...]) -> str:
    """`text` after edits that do not overlap, with runs of white space made one space."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return " ".join(text.split())
