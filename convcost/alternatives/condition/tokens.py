"""A condition in pieces, and the error at a place of it."""

from __future__ import annotations

import msgspec

from convcost.errors import NotationError

SIGNS = ("==", "!=", "<=", ">=", "=", "<", ">", "~")

CODE = "C020"

Span = tuple[int, int]


class Token(msgspec.Struct, frozen=True):
    """A piece of the text: `word`, `number`, `text`, a sign, a parenthesis, or `end`."""

    kind: str
    text: str
    span: Span


def wrong(text: str, span: Span, message: str, help: str | None = None) -> NotationError:
    """The error at a place of the condition."""
    return NotationError(f"--where: {message}", text=text or " ", span=span, code=CODE, help=help)


def tokens(text: str) -> list[Token]:
    """The text in pieces."""
    out: list[Token] = []
    at = 0
    while at < len(text):
        c = text[at]
        if c.isspace():
            at += 1
            continue
        token = token_at(text, at)
        out.append(token)
        at = token.span[1]
    return [*out, Token("end", "", (len(text), len(text)))]


def token_at(text: str, at: int) -> Token:
    """The piece that begins at `at`."""
    c = text[at]
    for sign in SIGNS:
        if text.startswith(sign, at):
            return Token(sign, sign, (at, at + len(sign)))
    if c in "()":
        return Token(c, c, (at, at + 1))
    if c in "\"'":
        end = text.find(c, at + 1)
        if end < 0:
            raise wrong(text, (at, len(text)), "the quotation mark is not closed")
        return Token("text", text[at + 1 : end], (at, end + 1))
    if not plain(c):
        advice = {"&": "write 'and'", "|": "write 'or'", "!": "write 'not', or '!=' for unequal"}.get(c)
        raise wrong(text, (at, at + 1), "a character that no condition contains", advice)
    end = at
    while end < len(text) and plain(text[end]):
        end += 1
    piece = text[at:end]
    return Token("number" if c.isdigit() else "word", piece, (at, end))


def plain(c: str) -> bool:
    """Whether a character may stand in a word without quotes."""
    return c.isascii() and (c.isalnum() or c in "_./*?%:-")
