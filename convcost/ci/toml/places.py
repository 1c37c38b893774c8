"""Where each key and each value of a TOML document stands: tomllib gives values, and this their places.

The scanner reads the same grammar (TOML 1.0) with less care: what it does not understand ends it, and tomllib, which
reads the document next, says what is wrong. It is linear in the text, and it bounds how deep a document nests before
tomllib, which recurses, sees it.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

import msgspec

Path = tuple[str | int, ...]
"""Keys from the top, and the places in arrays: ("layer", 0, "match")."""

DEEPEST = 24
"""Tables and arrays in one another, and parts of a dotted key."""

SPACE = re.compile(r"[ \t]*+")
BLANK = re.compile(r"(?:[ \t\n]++|#[^\n]*+)*+")
BARE = re.compile(r"[A-Za-z0-9_-]++")
STRINGS = (
    re.compile(r'"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']++|'(?!''))*+'{3,5}"),
    re.compile(r'"(?:[^"\\\n]++|\\[^\n])*+"'),
    re.compile(r"'[^'\n]*+'"),
)
SCALAR = re.compile(r"[^,\]}#\n]++")


class TooDeep(Exception):  # noqa: N818 - a bound, which the caller turns into an error
    """A document nests deeper than `DEEPEST`, at this place of the text."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Lost(Exception):  # noqa: N818 - the scanner gives up; tomllib will say why
    """The text is not TOML here."""


class Spans(msgspec.Struct, frozen=True):
    """Half-open ranges of the text: of a key where it is written, and of the first line of its value."""

    key: tuple[int, int]
    value: tuple[int, int]


class Places:
    """Spans by path, for one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans: dict[Path, Spans] = {}
        self.starts = [0, *(m.end() for m in re.finditer("\n", text))]
        Scanner(text, self.spans).document()

    def line(self, at: int) -> tuple[int, int, str]:
        """Line and column, from 1, and the whole line, of a place in the text."""
        n = bisect_right(self.starts, at) - 1
        end = self.text.find("\n", self.starts[n])
        return n + 1, at - self.starts[n] + 1, self.text[self.starts[n] : end if end >= 0 else None]

    def nearest(self, path: Path) -> Spans | None:
        """The spans of a path, or of the closest one above it that is written down."""
        while path and path not in self.spans:
            path = path[:-1]
        return self.spans.get(path)


class Scanner:
    """One pass over a text, which notes the first place of each path."""

    def __init__(self, text: str, spans: dict[Path, Spans]) -> None:
        self.text = text
        self.spans = spans
        self.at = 0
        self.counts: dict[Path, int] = {}

    def document(self) -> None:
        """Headers and pairs, until the end or until something is no TOML."""
        table: Path = ()
        try:
            self.skip(BLANK)
            while self.at < len(self.text):
                if self.text.startswith("[", self.at):
                    table = self.header()
                else:
                    self.pair(table, 1)
                self.skip(BLANK)
        except Lost:
            return

    def skip(self, pattern: re.Pattern[str]) -> int:
        """Move behind what matches here; where it began."""
        start = self.at
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return start

    def take(self, mark: str) -> None:
        """Move behind `mark`."""
        if not self.text.startswith(mark, self.at):
            raise Lost
        self.at += len(mark)

    def header(self) -> Path:
        """[a.b] or [[a.b]]: the path that the following pairs hang under."""
        array = self.text.startswith("[[", self.at)
        self.take("[[" if array else "[")
        start = self.at
        keys = self.dotted()
        path: Path = ()
        for key, span in keys:
            path = self.inside((*path, key))
            self.note(path, span, span)
        self.take("]]" if array else "]")
        if array:
            whole = (*self.above(keys), keys[-1][0])
            self.counts[whole] = self.counts.get(whole, -1) + 1
            path = (*whole, self.counts[whole])
            self.note(path, (start, self.at - 2), (start, self.at - 2))
        return path

    def above(self, keys: list[tuple[str, tuple[int, int]]]) -> Path:
        """The path of all keys but the last."""
        path: Path = ()
        for key, _ in keys[:-1]:
            path = self.inside((*path, key))
        return path

    def inside(self, path: Path) -> Path:
        """A path, with the number of the last table where it is an array of tables."""
        return (*path, self.counts[path]) if path in self.counts else path

    def note(self, path: Path, key: tuple[int, int], value: tuple[int, int]) -> None:
        """Remember the first place of a path."""
        if path not in self.spans:
            self.spans[path] = Spans(key, value)

    def dotted(self) -> list[tuple[str, tuple[int, int]]]:
        """a."b c".d: keys and their spans."""
        out = []
        while True:
            self.skip(SPACE)
            start = self.at
            name = self.key()
            out.append((name, (start, self.at)))
            if len(out) > DEEPEST:
                raise TooDeep(start)
            self.skip(SPACE)
            if not self.text.startswith(".", self.at):
                return out
            self.at += 1

    def key(self) -> str:
        """One part of a key."""
        start = self.at
        if self.text.startswith(('"', "'"), self.at):
            word = self.string(multiline=False)
            try:
                return str(tomllib.loads(f"x = {word}")["x"]) if "\\" in word else word[1:-1]
            except ValueError:
                raise Lost from None
        if self.skip(BARE) == self.at:
            raise Lost
        return self.text[start : self.at]

    def string(self, *, multiline: bool = True) -> str:
        """A string of any kind, as it is written."""
        for pattern in STRINGS if multiline else STRINGS[2:]:
            found = pattern.match(self.text, self.at)
            if found:
                self.at = found.end()
                return found.group()
        raise Lost

    def pair(self, table: Path, depth: int) -> None:
        """Key = value, under `table`."""
        keys = self.dotted()
        self.take("=")
        self.skip(SPACE)
        start = self.at
        path = (*table, *(key for key, _ in keys))
        for i in range(len(keys) - 1):
            self.note((*table, *(key for key, _ in keys[: i + 1])), keys[i][1], keys[i][1])
        self.value(path, depth)
        self.note(path, keys[-1][1], self.first_line(start))

    def first_line(self, start: int) -> tuple[int, int]:
        """The part of a value that stands on its first line."""
        end = self.text.find("\n", start, self.at)
        return start, start + len(self.text[start : self.at if end < 0 else end].rstrip())

    def value(self, path: Path, depth: int) -> None:
        """Any value, with all that is inside it."""
        if depth > DEEPEST:
            raise TooDeep(self.at)
        if self.text.startswith("[", self.at):
            self.array(path, depth)
        elif self.text.startswith("{", self.at):
            self.inline(path, depth)
        elif self.text.startswith(('"', "'"), self.at):
            self.string()
        elif self.skip(SCALAR) == self.at:
            raise Lost

    def array(self, path: Path, depth: int) -> None:
        """[a, b, c], also over several lines."""
        self.take("[")
        n = 0
        while True:
            self.skip(BLANK)
            if self.text.startswith("]", self.at):
                self.at += 1
                return
            start = self.at
            self.value((*path, n), depth + 1)
            span = self.first_line(start)
            self.note((*path, n), span, span)
            n += 1
            self.skip(BLANK)
            if not self.text.startswith("]", self.at):
                self.take(",")

    def inline(self, path: Path, depth: int) -> None:
        """{a = 1, b = 2}."""
        self.take("{")
        self.skip(BLANK)
        while not self.text.startswith("}", self.at):
            self.pair(path, depth + 1)
            self.skip(BLANK)
            if not self.text.startswith("}", self.at):
                self.take(",")
                self.skip(BLANK)
        self.at += 1
