"""Everything that convcost raises on purpose.

    ConvcostError            exit code 2
    ├── UsageError           C0xx  an option, a name or a combination of them
    ├── NotationError        C1xx  a shape string; carries its text and a span of code points
    ├── ModelError           C2xx  a model file: unreadable, malformed or contradicting itself
    ├── ConfigError          C3xx  a budget or configuration file
    ├── EngineError          C4xx  a model that cannot or may not be run
    ├── ReportError          C5xx  a report that cannot be written
    └── FleetError           C6xx  a process or a cluster that counts models has failed

    ShapeError               an operator cannot take inputs of these shapes; becomes a ModelError or a NotationError
    Unknown                  a shape or a value is not known here; becomes a `null` and its reason in the report

An interrupted run exits with 130 and a failed budget with 1; neither is an error of this tree.
"""

from __future__ import annotations


def at(file: str | None, line: int | None = None, column: int | None = None) -> str:
    """`list.txt:3:5`, or as much of it as is known."""
    if file is None:
        return "" if line is None else f"line {line}"
    return ":".join(str(part) for part in (file, line, column) if part is not None)


def escaped(text: str) -> str:
    """The text with escapes for what does not print: names of files may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class ConvcostError(Exception):
    """Base of all errors meant for the user: one line that says what is wrong, where, and what to do.

    `str` of it is `PLACE: MESSAGE (node N)`, whose parts are there where they are known; `message` is without them.
    """

    exit_code = 2
    default_code = "C000"
    node: str | None = None

    def __init__(self, message: str, *, code: str | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.help = help

    def __str__(self) -> str:
        """In one line, with the place that was added on the way up."""
        start = f"{self.place}: " if self.place else ""
        return escaped(start + self.message + (f" (node {self.node})" if self.node else ""))

    @property
    def place(self) -> str:
        """The file, and the line in it; empty where there is none to point at."""
        return ""


class UsageError(ConvcostError):
    """An option or an argument that makes no sense."""

    default_code = "C001"


class NotationError(ConvcostError):
    """A shape string that is wrong at `span`, a half-open range of code points of `text`.

    `others` are further spans that belong to the same contradiction; `line` is the line of a file, from 1.
    """

    default_code = "C100"

    def __init__(
        self,
        message: str,
        *,
        text: str,
        span: tuple[int, int],
        code: str | None = None,
        help: str | None = None,
        others: tuple[tuple[int, int], ...] = (),
        source: str | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(message, code=code, help=help)
        self.text = text
        self.span = span
        self.others = others
        self.source = source
        self.line = line

    @property
    def place(self) -> str:
        """`list.txt:3` where the text is a line of a file."""
        return at(self.source, self.line)


class ModelError(ConvcostError):
    """A model file that cannot be read or that contradicts itself. `file` and `node` say where."""

    default_code = "C200"

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        node: str | None = None,
        code: str | None = None,
        help: str | None = None,
    ) -> None:
        super().__init__(message, code=code, help=help)
        self.file = file
        self.node = node

    @property
    def place(self) -> str:
        """The file as it was given."""
        return at(self.file)


class ConfigError(ConvcostError):
    """A budget or configuration file that is wrong.

    `line` and `column` count from 1; `text` is that line, and `length` of its characters are meant. `example` are lines
    to paste.
    """

    default_code = "C300"

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int = 1,
        length: int = 1,
        text: str = "",
        code: str | None = None,
        help: str | None = None,
        example: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, code=code, help=help)
        self.file = file
        self.line = line
        self.column = column
        self.length = length
        self.text = text
        self.example = example

    @property
    def place(self) -> str:
        """`convcost.toml:3:5`."""
        return at(self.file, self.line, self.column if self.text else None) if self.file is not None else ""


class EngineError(ConvcostError):
    """A model that cannot be run here, or that a guard refused to run."""

    default_code = "C400"

    def __init__(
        self, message: str, *, node: str | None = None, code: str | None = None, help: str | None = None
    ) -> None:
        super().__init__(message, code=code, help=help)
        self.node = node


class ReportError(ConvcostError):
    """A report that cannot be written."""

    default_code = "C500"


class FleetError(ConvcostError):
    """A process that counts one of many models has died, or a cluster of them cannot be used."""

    default_code = "C600"


def internal(wrong: Exception) -> ConvcostError:
    """What is said about an error that nobody foresaw."""
    return ConvcostError(f"internal error: {type(wrong).__name__}: {wrong}", help="CONVCOST_TRACEBACK=1 shows where")


class ShapeError(Exception):
    """Shapes, attributes or values that an operator cannot take. The message names the law and the numbers."""


class Unknown(Exception):  # noqa: N818 - not an error: the honest answer of a rule that lacks a fact
    """A rule needs a fact that is not there. `needs` names the dimension symbols that would settle it."""

    def __init__(self, reason: str, *, needs: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.needs = needs
