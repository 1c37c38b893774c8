"""All codes, by what they are about."""

from __future__ import annotations

from convcost.explaining.codes.entry import Code
from convcost.explaining.codes.notation import NOTATION

__all__ = ["FAMILIES", "Code"]

FAMILIES: tuple[tuple[str, tuple[Code, ...]], ...] = (("Shape string", NOTATION),)
