"""The configuration: `[tool.convcost]` of a pyproject.toml, or a convcost.toml, checked key by key."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path as File
from typing import Any, TypeVar

import msgspec

from convcost.ci.budgets import GROWING, LEVELS, Budget, Level, Pattern
from convcost.ci.limits import Form, limit
from convcost.ci.metrics import COSTS, METRICS, PER_LAYER, Metric
from convcost.ci.toml.document import Document
from convcost.ci.toml.places import Path
from convcost.errors import ConfigError
from convcost.record import Location

READING = ("dim", "input", "batch", "dtype", "trip-count")
COMMON = ("level", *METRICS, "max-growth", "layer", *READING)
TOP = ("models", "baseline", *COMMON)
LAYER = ("match", "name", "op", "kind", "level", *PER_LAYER)
BUDGET = ("limit", "level")

MAX_BUDGETS = 10_000
MAX_PATTERN = 500
"""Characters of a pattern."""

T = TypeVar("T")


class Reading(msgspec.Struct, frozen=True):
    """How models are read, as `api.Options` takes it; None: not said."""

    dims: dict[str, int] = {}
    inputs: dict[str, str] = {}
    trip_counts: dict[str, int] = {}
    batch: int | None = None
    dtype: str | None = None


class Section(msgspec.Struct, frozen=True):
    """Budgets of all models, or of those that `pattern` matches."""

    pattern: str | None
    budgets: list[Budget]
    reading: Reading

    def matches(self, name: str) -> bool:
        """Whether these budgets are about a model: by its path, or by its name alone where the pattern has no slash."""
        if self.pattern is None or name == self.pattern:
            return True
        name = name.replace(os.sep, "/")
        return fnmatchcase(name, self.pattern) or ("/" not in self.pattern and fnmatchcase(base(name), self.pattern))


class Config(msgspec.Struct, frozen=True):
    """A configuration. Its paths are relative to `folder`; later sections win."""

    file: str | None = None
    folder: str = "."
    models: list[str] = []
    sections: list[Section] = []
    baseline: str | None = None

    def of(self, name: str) -> list[Section]:
        """The sections about one model."""
        return [section for section in self.sections if section.matches(name)]


def base(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


def find() -> str | None:
    """The nearest configuration, from the working folder upwards. Raises ConfigError where one folder has two."""
    folder = File.cwd()
    for place in (folder, *folder.parents):
        own, shared = place / "convcost.toml", place / "pyproject.toml"
        has_own = own.is_file()
        has_shared = shared.is_file() and mentions(shared) and "convcost" in table_of(Document(shown(shared)), "tool")
        if has_own and has_shared:
            raise ConfigError(
                f"{shown(own)} and [tool.convcost] in {shown(shared)}: which one? keep one, or say --config",
                file=shown(own),
                code="C304",
            )
        if has_own or has_shared:
            return shown(own if has_own else shared)
    return None


def mentions(path: File) -> bool:
    """Whether a file may be about us; others need not even be TOML."""
    try:
        with path.open("rb") as file:
            return b"convcost" in file.read(2**21)
    except OSError:
        return False


def shown(path: File) -> str:
    """A path as short as it is from here."""
    return os.path.relpath(path)


def from_here(path: str) -> str:
    """A path as seen from the working folder where it lies in it: so do machines that mark a line want it."""
    relative = os.path.relpath(path) if os.path.isabs(path) else path  # noqa: PTH117 - as given
    return path if relative.startswith("..") else relative


def read(path: str) -> Config:
    """The configuration in a file. Raises ConfigError, with the place of the mistake."""
    document = Document(path)
    prefix: Path = ()
    table: Any = document.data
    if base(path.replace(os.sep, "/")) == "pyproject.toml":
        prefix, table = ("tool", "convcost"), table_of(document, "tool").get("convcost")
        if table is None:
            raise ConfigError("has no [tool.convcost]", file=path, code="C305")
    reader = Reader(document)
    reader.is_table(prefix, table)
    document.known(prefix, table, TOP)
    sections = [reader.section(prefix, table, None)]
    models = table.get("models", [])
    if isinstance(models, dict):
        for name, inner in models.items():
            where = (*prefix, "models", name)
            reader.is_table(where, inner)
            document.known(where, inner, COMMON)
            sections.append(reader.section(where, inner, reader.pattern((*prefix, "models"), name)))
        names = list(models)
    else:
        names = reader.words((*prefix, "models"), models)
    if sum(len(section.budgets) for section in sections) > MAX_BUDGETS:
        raise ConfigError(f"more than {MAX_BUDGETS} budgets", file=path, code="C306")
    baseline = table.get("baseline")
    if baseline is not None:
        reader.word((*prefix, "baseline"), baseline)
    return Config(path, os.path.dirname(path) or ".", names, sections, baseline)  # noqa: PTH120 - as given


def table_of(document: Document, name: str) -> dict[str, Any]:
    """A table at the top, empty where there is none."""
    found = document.data.get(name, {})
    return found if isinstance(found, dict) else {}


class Reader:
    """The values of one document, each checked for its type."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def section(self, where: Path, table: Mapping[str, Any], pattern: str | None) -> Section:
        """Budgets and reading of one table."""
        level = self.level(where, table, "error")
        budgets = [
            self.budget((*where, key), table[key], METRICS[key], "total", level) for key in METRICS if key in table
        ]
        if "max-growth" in table:
            budgets += self.growth((*where, "max-growth"), table["max-growth"], level)
        layers = table.get("layer", [])
        if not isinstance(layers, list):
            raise self.document.fail((*where, "layer"), "layer is an array of tables: [[…layer]]", key=True)
        for i, one in enumerate(layers):
            budgets += self.layer((*where, "layer", i), one, level)
        return Section(pattern, budgets, self.reading(where, table))

    def budget(
        self, where: Path, value: Any, metric: Metric, form: Form, level: Level, pattern: Pattern | None = None
    ) -> Budget:
        """A limit, or a table of a limit and a level."""
        if isinstance(value, dict):
            self.document.known(where, value, BUDGET)
            level = self.level(where, value, level)
            if "limit" not in value:
                raise self.document.fail(
                    where, "a budget needs a limit", help='as in { limit = "600M", level = "warn" }'
                )
            where, value = (*where, "limit"), value["limit"]
        try:
            most = limit(value, metric, form)
        except ValueError as wrong:
            raise self.document.fail(where, str(wrong)) from None
        place = Location(file=from_here(self.document.path), line=self.document.line(where))
        return Budget(metric=metric, limit=most, form=form, level=level, pattern=pattern, location=place)

    def growth(self, where: Path, value: Any, level: Level) -> list[Budget]:
        """One limit for the usual quantities, or a table of them."""
        if not isinstance(value, dict) or "limit" in value:
            return [self.budget(where, value, COSTS[key], "growth", level) for key in GROWING]
        self.document.known(where, value, ("limit", "level", *COSTS))
        level = self.level(where, value, level)
        return [self.budget((*where, key), value[key], COSTS[key], "growth", level) for key in COSTS if key in value]

    def layer(self, where: Path, value: Any, level: Level) -> list[Budget]:
        """The limits of the layers that a pattern chooses."""
        self.is_table(where, value)
        self.document.known(where, value, LAYER)
        level = self.level(where, value, level)
        words = {key: self.pattern(where, value[key], key) for key in ("match", "name", "op", "kind") if key in value}
        if not words:
            raise self.document.fail(where, "which layers? give match, name, op or kind", key=True)
        pattern = Pattern(words.get("match"), words.get("name"), words.get("op"), words.get("kind"))
        found = [key for key in PER_LAYER if key in value]
        if not found:
            raise self.document.fail(where, "a layer budget needs a limit", key=True, help='as in macs = "50M"')
        return [self.budget((*where, key), value[key], COSTS[key], "layer", level, pattern) for key in found]

    def reading(self, where: Path, table: Mapping[str, Any]) -> Reading:
        """How models are read."""
        batch, dtype = table.get("batch"), table.get("dtype")
        if batch is not None and not self.is_whole(batch, 1):
            raise self.document.fail((*where, "batch"), "batch takes a whole number from 1")
        if dtype is not None:
            self.word((*where, "dtype"), dtype)
        return Reading(
            dims=self.named(where, table, "dim", self.size),
            inputs=self.named(where, table, "input", self.word),
            trip_counts=self.named(where, table, "trip-count", self.size),
            batch=batch,
            dtype=dtype,
        )

    def named(self, where: Path, table: Mapping[str, Any], key: str, check: Callable[[Path, Any], T]) -> dict[str, T]:
        """A table of names and values."""
        inner = table.get(key, {})
        self.is_table((*where, key), inner)
        return {name: check((*where, key, name), value) for name, value in inner.items()}

    def size(self, where: Path, value: Any) -> int:
        """A size from 0."""
        if not self.is_whole(value, 0):
            raise self.document.fail(where, f"{where[-1]} takes a whole number from 0")
        return int(value)

    def is_whole(self, value: Any, least: int) -> bool:
        """Whether a value is an integer in range."""
        return isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**63

    def level(self, where: Path, table: Mapping[str, Any], otherwise: Level) -> Level:
        """error, warn or off."""
        word = table.get("level", otherwise)
        for level in LEVELS:
            if word == level:
                return level
        raise self.document.fail((*where, "level"), 'level takes "error", "warn" or "off"')

    def word(self, where: Path, value: Any) -> str:
        """A string."""
        if not isinstance(value, str) or not value:
            raise self.document.fail(where, f"{where[-1]} takes a string")
        return value

    def words(self, where: Path, value: Any) -> list[str]:
        """An array of strings."""
        if not isinstance(value, list):
            raise self.document.fail(where, 'models is an array of paths, or tables: [models."net.onnx"]', key=True)
        for i, one in enumerate(value):
            if not isinstance(one, str) or not one:
                raise self.document.fail((*where, i), "a model is a path, a pattern of paths or a shape string")
        return value

    def pattern(self, where: Path, value: Any, key: str | None = None) -> str:
        """A shell pattern."""
        place = where if key is None else (*where, key)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_PATTERN:
            raise self.document.fail(place, f"a pattern is a string of at most {MAX_PATTERN} characters")
        return value

    def is_table(self, where: Path, value: Any) -> None:
        """Raise where a value is no table."""
        if not isinstance(value, dict):
            raise self.document.fail(where, f"{where[-1]} is a table, as in [{'.'.join(map(str, where))}]", key=True)
