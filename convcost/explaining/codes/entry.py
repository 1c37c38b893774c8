"""What is said about one code."""

from __future__ import annotations

from typing import Literal

import msgspec


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A code. `command` raises it as it stands; without one `example` says in words what does."""

    code: str
    means: str
    fix: str
    example: str = ""
    command: str = ""
    severity: Literal["error", "warning", "note"] = "error"
