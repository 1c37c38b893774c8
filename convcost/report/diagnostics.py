"""How an error prints: one line of at most 500 characters, and for a shape string the carets below it."""

from __future__ import annotations

from convcost.errors import ConvcostError, EngineError, ModelError, NotationError
from convcost.report.text import shorten, visible

LONGEST = 500
FILE = 120
NODE = 80


def render_error(error: ConvcostError) -> str:
    """`convcost: error[C201]: FILE: CAUSE (node N)`, without a newline at the end."""
    if isinstance(error, NotationError):
        from convcost.notation.carets import render_error as with_carets  # noqa: PLC0415 - only for this error

        return with_carets(error)
    return one_line(error)


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
