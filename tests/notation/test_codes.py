"""The table of codes is complete."""

from __future__ import annotations

import re
from pathlib import Path

import convcost.notation
from convcost.notation.codes import CODES
from convcost.notation.grammar.options import NAMES, OF_STEP

SOURCES = sorted(Path(convcost.notation.__file__).parent.rglob("*.py"))


def test_every_code_that_is_raised_is_explained_and_no_other() -> None:
    raised = {
        code
        for source in SOURCES
        if source.name != "codes.py"
        for code in re.findall(r'"(C1\d\d)"', source.read_text(encoding="utf-8"))
    }
    assert raised == set(CODES)


def test_the_words_of_the_notation_are_listed() -> None:
    listed = set(re.findall(r"\w+", CODES["C120"]))
    assert set(NAMES) | set(OF_STEP) <= listed
