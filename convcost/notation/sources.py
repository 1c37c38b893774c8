"""Shape strings from standard input (`-`) or a file (`@file`): one a line, `#` begins a comment."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO, Final

import msgspec

from convcost.errors import NotationError, UsageError
from convcost.notation.carets import visible

MAX_BYTES: Final = 1 << 20
"""Longest list of strings, in bytes."""

_BOM = b"\xef\xbb\xbf"


class Line(msgspec.Struct, frozen=True):
    """One shape string, the number of its line from 1, and the list it stands in."""

    number: int
    text: str
    source: str = ""


def read_lines(given: bytes | BinaryIO, name: str) -> tuple[Line, ...]:
    """The shape strings in `given`; empty lines and comments are left out. `name` is for messages.

    A byte order mark at the start is accepted. Raises UsageError where there is no string or too much of it, and
    NotationError with its line where a line is not UTF-8.
    """
    data = given if isinstance(given, bytes) else given.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UsageError(f"{visible(name)}: a list of shape strings is at most {MAX_BYTES:,} bytes long", code="C030")
    lines = []
    for number, raw in enumerate(data.removeprefix(_BOM).split(b"\n"), 1):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as wrong:
            shown = raw.decode("utf-8", "backslashreplace")
            at = len(raw[: wrong.start].decode("utf-8"))
            raise NotationError(
                f"byte 0x{raw[wrong.start]:02x} is not UTF-8",
                text=shown,
                span=(at, at + 4),
                code="C110",
                source=name,
                line=number,
            ) from None
        text = text.partition("#")[0].removesuffix("\r")
        if text.strip():
            lines.append(Line(number, text, name))
    if not lines:
        raise UsageError(f"{visible(name)}: there is no shape string in it", code="C031")
    return tuple(lines)


def read_file(path: str) -> tuple[Line, ...]:
    """The shape strings in a regular file. Raises UsageError where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "not a file name"
        raise UsageError(f"{visible(path)}: {reason}", code="C032") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"{visible(path)}: not a regular file", code="C032")
    with os.fdopen(descriptor, "rb") as file:
        return read_lines(file, path)
