"""Reports that are valid and make no sense: every format draws them, or says in one line why it cannot."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

import convcost
from convcost import record
from convcost.errors import ConvcostError
from convcost.report import BINARY, FORMATS, render
from convcost.report.style import Style
from convcost.report.view import View

SHAPE = "12x12x3 -(5x5x3x256)-> -(relu)->"
LENET = str(Path(__file__).resolve().parent.parent.parent / "sample_models" / "lenet5.onnx")
TEXTS = [name for name in FORMATS if name not in BINARY and name != "svg"]
VIEWS = (View(), View(all_layers=True, tree=True), View(by="scope", sort="macs", top=2, units="exact"))
ODD: tuple[Any, ...] = (0, -1, 1, 10**30, -(10**400), 0.0, -0.5, 1e308, 5e-324, None, "", "x" * 300, [], {}, True)


def sources() -> list[record.Report]:
    return [
        convcost.count(LENET, SHAPE),
        convcost.compare("12x12x3 -(5x5x3x256)->"),
        convcost.diff(SHAPE, "12x12x3 -(3x3x3x256)->"),
        convcost.check(LENET, budgets=["macs=1k", "params=1M"]),
        convcost.time(SHAPE, runs=1, warmup=0),
    ]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def disturbed(value: Any, chance: random.Random) -> Any:
    """A copy with up to three places changed."""
    out = json.loads(json.dumps(value))
    for _ in range(chance.randint(1, 3)):
        *path, last = chance.choice([place for place in places(out) if place])
        at = out
        for key in path:
            at = at[key]
        at[last] = chance.choice(ODD)
    return out


@pytest.mark.parametrize("seed", [1, 5])
def test_only_our_own_errors_escape(seed: int) -> None:
    chance = random.Random(seed)
    drawn = 0
    for report in sources():
        whole = msgspec.to_builtins(report)
        for _ in range(40):
            try:
                odd = record.decode(json.dumps(disturbed(whole, chance)).encode())
            except msgspec.MsgspecError:
                continue
            for name in TEXTS:
                try:
                    drawn += bool(render(odd, name, chance.choice(VIEWS), Style(width=chance.choice((40, 80, 140)))))
                except ConvcostError:
                    continue
    assert drawn > 200
