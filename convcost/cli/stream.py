"""Writing to standard output."""

from __future__ import annotations

import os
import sys

from convcost.errors import ReportError


def put(given: str | bytes) -> None:
    """Write to standard output, text as UTF-8. A closed pipe is no error; a full disk is."""
    if sys.stdout is None:
        return
    try:
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None:
            sys.stdout.write(given if isinstance(given, str) else given.decode("utf-8", "replace"))
        else:
            buffer.write(given if isinstance(given, bytes) else given.encode("utf-8", "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        discard()
    except OSError as wrong:
        discard()
        raise ReportError(f"standard output: {wrong.strerror or wrong}") from None


def tell(text: str) -> None:
    """Write to standard error. Nobody may listen."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        return


def discard() -> None:
    """Let what is still in the buffer go nowhere, so that leaving does not fail on it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
