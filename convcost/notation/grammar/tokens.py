"""Text to tokens: one pass, no lookback. What cannot be a token becomes a token of kind `bad`, reported if reached."""

from __future__ import annotations

from typing import Final

import msgspec

MAX_CHARACTERS: Final = 65536
"""Longest shape string, in code points and in bytes of UTF-8."""

MAX_NUMBER: Final = 2**63 - 1
"""Largest number that may be written: ONNX dimensions are signed 64-bit integers."""

NUMBER: Final = "number"
WORD: Final = "word"
BAD: Final = "bad"
END: Final = "end"

CROSS: Final = "x"
DASH: Final = "-"
ARROW: Final = "->"
GREATER: Final = ">"

_SPACE = frozenset(
    " \t\n\r\f\v\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_MARKS = {
    "x": CROSS,
    "X": CROSS,
    "×": CROSS,
    "*": CROSS,
    "-": DASH,
    "–": DASH,
    "—": DASH,
    "−": DASH,
    ">": GREATER,
    "→": ARROW,
    **{mark: mark for mark in "(){}|+,=/"},
}


class Token(msgspec.Struct, frozen=True, gc=False):
    """One token at text[start:end]. A number's `value` is its integer, -1 where it is over the limit."""

    kind: str
    start: int
    end: int
    value: int = 0


def tokens(text: str) -> list[Token]:
    """All tokens, an END last; white space only separates. Takes time linear in the text."""
    out: list[Token] = []
    add = out.append
    i, n = 0, len(text)
    while i < n:
        c = text[i]
        start = i
        i += 1
        mark = _MARKS.get(c)
        if mark is not None:
            if mark == GREATER and out and out[-1].kind == DASH:
                start = out.pop().start
                mark = ARROW
            add(Token(mark, start, i))
        elif c in _DIGITS:
            while i < n and text[i] in _DIGITS:
                i += 1
            add(Token(NUMBER, start, i, _value(text[start:i])))
        elif c in _LETTERS:
            while i < n and text[i] in _LETTERS:
                i += 1
            if i < n and text[i] in _DIGITS and text[i - 1] in "xX" and i - 1 > start:
                i -= 1
            add(Token(WORD, start, i))
        elif c not in _SPACE:
            add(Token(BAD, start, i))
    add(Token(END, n, n))
    return out


def _value(digits: str) -> int:
    """The number that the digits write; leading zeros are ignored. Very long ones are not converted."""
    if len(digits) > 19:
        digits = digits.lstrip("0") or "0"
        if len(digits) > 19:
            return -1
    value = int(digits)
    return value if value <= MAX_NUMBER else -1
