"""Parameters of a scan on the command line."""

from __future__ import annotations

import pytest

from convcost.cli.compare import COMMAND
from convcost.cli.options import Arguments
from convcost.cli.parse import quick
from convcost.cli.scanning import scanning
from convcost.errors import UsageError


def scanned(*words: str) -> dict[str, tuple[int, ...]]:
    arguments = quick(COMMAND, words)
    assert arguments is not None
    return scanning(arguments)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ((), {}),
        (("-L", "k=1,3,5"), {"k": (1, 3, 5)}),
        (("-L", "k=1,3", "-L", "s=2"), {"k": (1, 3), "s": (2,)}),
        (("-P", "cout", "32", "128", "--step", "32"), {"cout": (32, 64, 96, 128)}),
        (("-P", "cout", "32", "127", "--step", "32"), {"cout": (32, 64, 96)}),
        (("--parameter-scan", "k", "2", "4", "--parameter-list", "g=1"), {"g": (1,), "k": (2, 3, 4)}),
        (("-P", "k", "3", "3"), {"k": (3,)}),
    ],
)
def test_values(words: tuple[str, ...], values: dict[str, tuple[int, ...]]) -> None:
    assert scanned(*words) == values


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-L", "k"), "expected NAME=VALUES"),
        (("-L", "k=1,x"), "whole number"),
        (("-L", "k=1,"), "whole number"),
        (("-L", "k=1", "-L", "k=2"), "given twice"),
        (("-L", "k=1", "-P", "k", "1", "2"), "given twice"),
        (("-P", "k", "5", "3"), "empty"),
        (("-P", "k", "a", "3"), "whole number"),
        (("-P", "k", "1", "9", "--step", "0"), "at least 1"),
        (("-P", "k", "1", "1001"), "more than 1,000 values"),
        (("--step", "2"), "needs a range"),
    ],
)
def test_mistakes(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        scanned(*words)


def test_a_range_needs_three_words() -> None:
    assert quick(COMMAND, ("-P", "k", "1")) is None
    assert quick(COMMAND, ("--parameter-scan=k", "1", "2", "3")) is None


def test_a_thousand_values_are_fine() -> None:
    assert len(scanning(Arguments(parameter_scan=("k", "1", "1000")))["k"]) == 1000
