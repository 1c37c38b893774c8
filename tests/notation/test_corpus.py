"""The shared table of hostile and odd strings: exact counts, or where the error must point."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from convcost.errors import NotationError
from convcost.notation import parse

pytestmark = pytest.mark.corpus


def rows(corpus: Path, expect: str) -> Iterator[dict[str, str]]:
    with (corpus / "hostile" / "shape_strings.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["expect"] == expect:
                yield row


def test_strings_that_count(corpus: Path, counts: Callable[[Any], Any]) -> None:
    wrong = []
    for row in rows(corpus, "ok"):
        got = counts(parse(json.loads(row["input_json"])))
        figures = [str(got.multiplications), str(got.params), "+".join(map(str, got.steps)), got.output]
        if figures != [row[name] for name in ("mults", "params", "per_step", "output")]:
            wrong.append((row["id"], figures))
    assert wrong == []


def test_strings_that_are_refused(corpus: Path) -> None:
    wrong = []
    for row in rows(corpus, "clean-error"):
        text = json.loads(row["input_json"])
        with pytest.raises(NotationError) as caught:
            parse(text)
        error = caught.value
        start, end = error.span
        touches = start <= int(row["pos_end"]) and int(row["pos"]) <= end
        inside = 0 <= start <= end <= len(text)
        if not (touches and inside and re.search(row["hint"], f"{error.message} {error.help or ''}", re.IGNORECASE)):
            wrong.append((row["id"], error.span, error.message))
    assert wrong == []
