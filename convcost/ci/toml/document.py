"""A TOML file read with care: its values, and the place of everything for the mistakes in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from typing import Any

from convcost.ci.toml.files import read_small
from convcost.ci.toml.places import DEEPEST, Path, Places, TooDeep
from convcost.errors import ConfigError

MAX_BYTES = 2**20
PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


class Document:
    """One file: `data` are its values; `fail` makes an error that points into it."""

    def __init__(self, path: str) -> None:
        self.path = path
        raw = read_small(path, MAX_BYTES, "C301")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as wrong:
            line = raw.count(b"\n", 0, wrong.start) + 1
            raise ConfigError("not UTF-8 text", file=path, line=line, code="C302") from None
        text = text.replace("\r\n", "\n")
        try:
            self.places = Places(text)
        except TooDeep as deep:
            line = text.count("\n", 0, deep.at) + 1
            raise ConfigError(f"nested deeper than {DEEPEST}", file=path, line=line, code="C302") from None
        self.data = self.parsed(text)

    def parsed(self, text: str) -> dict[str, Any]:
        """The values. What is no TOML is pointed at."""
        try:
            return tomllib.loads(text)
        except RecursionError:
            raise ConfigError("nested too deep", file=self.path, code="C302") from None
        except ValueError as wrong:  # also an integer of 5,000 digits
            found = PLACE.fullmatch(str(wrong))
            if found is None:
                raise ConfigError(f"not TOML: {wrong}", file=self.path, code="C302") from None
            at = len(text.rstrip()) if found[2] is None else self.offset(int(found[2]), int(found[3]))
            both = "'models'" in found[1] and "twice" in found[1]
            hint = "models is a list or tables, not both: list every model as a table" if both else None
            raise self.pointing(f"not TOML: {lower(found[1])}", (at, at + 1), code="C302", help=hint) from None

    def offset(self, line: int, column: int) -> int:
        """A line and a column, from 1, as a place in the text."""
        starts = self.places.starts
        return starts[min(line, len(starts)) - 1] + column - 1

    def pointing(
        self, message: str, span: tuple[int, int], *, code: str = "C303", help: str | None = None
    ) -> ConfigError:
        """An error with carets under a span, as far as it stands on one line."""
        line, column, text = self.places.line(span[0])
        length = max(min(span[1] - span[0], len(text) - column + 1), 1)
        return ConfigError(
            message, file=self.path, line=line, column=column, length=length, text=text, code=code, help=help
        )

    def fail(self, path: Path, message: str, *, key: bool = False, help: str | None = None) -> ConfigError:
        """An error about the value at a path, or about its `key`."""
        spans = self.places.nearest(path)
        if spans is None:
            return ConfigError(message, file=self.path, code="C303", help=help)
        return self.pointing(message, spans.key if key else spans.value, help=help)

    def line(self, path: Path) -> int | None:
        """The line of a path, from 1."""
        spans = self.places.nearest(path)
        return None if spans is None else self.places.line(spans.key[0])[0]

    def known(self, path: Path, table: Mapping[str, object], keys: Collection[str]) -> None:
        """Raise for the first key of a table that is none of `keys`, and offer the nearest."""
        for key in table:
            if key not in keys:
                import difflib  # noqa: PLC0415 - only for a mistake

                word = key[:60]
                near = difflib.get_close_matches(word.lower().replace("_", "-"), keys, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(keys)}"
                raise self.fail((*path, key), f"unknown key {word}", key=True, help=hint)


def lower(message: str) -> str:
    """Without a capital, as our messages are."""
    return message[:1].lower() + message[1:]
