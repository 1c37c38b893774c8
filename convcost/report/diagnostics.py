"""How an error prints: one line of at most 500 characters, and for a shape string the carets below it."""

from __future__ import annotations

from convcost.errors import ConfigError, ConvcostError, EngineError, ModelError, NotationError, at
from convcost.report.text import shorten, visible

LONGEST = 500
FILE = 120
NODE = 80
WIDTH = 100


def render_error(error: ConvcostError) -> str:
    """`convcost: error[C201]: FILE: CAUSE (node N)`, without a newline at the end."""
    if isinstance(error, NotationError):
        from convcost.notation.carets import render_error as with_carets  # noqa: PLC0415 - only for this error

        return with_carets(error)
    if isinstance(error, ConfigError):
        return config_error(error)
    return one_line(error)


def config_error(error: ConfigError) -> str:
    """The error with its place, the line of the file with carets, what to do, and lines to paste."""
    place = at(cut(error.file, FILE), error.line, error.column if error.text else None) if error.file else ""
    start = f"convcost: error[{error.code}]: " + (f"{place}: " if place else "")
    if not error.text and not error.example:
        message = error.message if not error.help else f"{error.message}; {error.help}"
        return start + cut(message, LONGEST - len(start))
    lines = [start + cut(error.message, LONGEST - len(start))]
    if error.text:
        from convcost.notation.carets import excerpt  # noqa: PLC0415 - only for this error

        span = (error.column - 1, error.column - 1 + error.length)
        lines += excerpt(error.text, span, (), WIDTH)
    if error.help:
        lines.append(f"  help: {cut(error.help, LONGEST)}")
    return "\n".join([*lines, *(f"    {line}" for line in error.example)])


def one_line(error: ConvcostError) -> str:
    """The error without carets. What is too long loses its middle, never its place."""
    start = f"convcost: error[{error.code}]: "
    file = error.file if isinstance(error, ModelError) else None
    node = error.node if isinstance(error, ModelError | EngineError) else None
    if file:
        start += cut(file, FILE) + ": "
    end = f" (node {cut(node, NODE)})" if node else ""
    message = error.message if not error.help else f"{error.message}; {error.help}"
    return start + cut(message, LONGEST - len(start) - len(end)) + end


def cut(text: str, longest: int) -> str:
    """`text` made visible, in at most `longest` characters, the middle left out."""
    safe = visible(shorten(" ".join(text.split("\n")), longest))
    if len(safe) <= longest:
        return safe
    half = (longest - 3) // 2
    return safe[: longest - 3 - half] + "..." + safe[-half:]
