"""All codes, by what they are about."""

from __future__ import annotations

from convcost.explaining.codes.budgets import BUDGETS
from convcost.explaining.codes.entry import Code
from convcost.explaining.codes.models import MODELS
from convcost.explaining.codes.notation import NOTATION
from convcost.explaining.codes.running import RUNNING, TIMES
from convcost.explaining.codes.usage import USAGE
from convcost.explaining.codes.writing import FLEETS, WRITING

__all__ = ["FAMILIES", "Code"]

FAMILIES: tuple[tuple[str, tuple[Code, ...]], ...] = (
    ("Command line", USAGE),
    ("Shape string", NOTATION),
    ("Model", MODELS),
    ("Configuration and budgets", BUDGETS),
    ("Run", RUNNING),
    ("Files that are written", WRITING),
    ("Fleet", FLEETS),
    ("Measurement", TIMES),
)
