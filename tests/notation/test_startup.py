"""A shape string needs none of the heavy libraries."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from convcost.notation import parse
parse({text!r})
print(*sorted({{"numpy", "onnx", "rich", "typer", "dataclasses", "difflib", "unicodedata"}} & set(sys.modules)))
"""


@pytest.mark.parametrize("text", ["12x12x3 -(5x5x3x256)-> 8x8x256", "12×12×3 — (5×5×3×256) — > 8×8×256"])
def test_nothing_heavy_is_loaded(text: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(text=text)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
