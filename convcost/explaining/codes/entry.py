"""What is said about one code."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["error", "warning", "note"]


class Code(msgspec.Struct, frozen=True):
    """A code: what it means, what to do, and a `command` that raises it as it stands, or an `example` in words."""

    code: str
    means: str
    fix: str
    example: str = ""
    command: str = ""
    severity: Severity = "error"
