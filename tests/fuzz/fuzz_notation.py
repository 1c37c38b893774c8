"""Fuzzes the shape-string notation: `python tests/fuzz/fuzz_notation.py [-max_total_time=SECONDS]`.

Coverage-guided where atheris is installed, else a seeded mutator. Whatever the text: a graph, whose canonical printing
gives the same graph again, or a NotationError whose span lies inside the text.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import convcost.analysis  # noqa: F401 - loaded before instrumentation is measured
from convcost import notation
from convcost.errors import NotationError

SEEDS = (
    "12x12x3 -(5x5x3x256)-> 8x8x256",
    "12x12x3 -(5x5x1x1)-> -(1x1x3x256)-> 8x8x256",
    "224x224x3 -(7x7x3x64, stride=2, pad=3)-> 112x112x64",
    "2x2x3 -(2x2x3x1 T s2 op=1)-> 4x4x1",
    "56x56x64,k3,c128,s2,g4,same",
    "3x3x2 -{ (1x1x2x3 same) | (2x2x2x2 same) | (maxpool 3x3 s1 same) }-> 3x3x7",
    "28x28x1 -(5x5x1x6 bias)-> -(relu)-> -(maxpool 2x2)-> -(flatten)-> -(fc 10)->",
    "12x12x3 — (5x5x3x256) — > 8x8x256",
    "5x5x5x2 -(3x3x3x2x4 d2 full)->",
    "8x8x6 -(3x3 dw2 p=0/1/2/1)-> -(shuffle g3)->",
)


def check(data: bytes) -> None:
    """One input."""
    text = decoded(data)
    try:
        graph = notation.parse(text)
    except NotationError as wrong:
        start, end = wrong.span
        if not 0 <= start <= end <= len(text):
            raise AssertionError(f"span {wrong.span} outside of {text!r}") from wrong
        notation.render_error(wrong)
        return
    again = notation.parse(notation.canonical(text))
    if [(n.op, n.attrs) for n in graph.nodes] != [(n.op, n.attrs) for n in again.nodes]:
        raise AssertionError(f"another graph after printing: {text!r}")


def decoded(data: bytes) -> str:
    """UTF-8 with lone surrogates, else Latin-1: every byte string is some text."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def mutated(rng: random.Random) -> bytes:
    """A seed with a few characters changed, repeated or taken from another seed."""
    text = list(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 8)):
        i = rng.randrange(len(text) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            text[i:i] = rng.choice(" x-()>{}|+,=/0123456789sdgpTkc×→—\x00\u202e²" + chr(rng.randrange(1, 0xD7FF)))
        elif kind == 1:
            del text[i : i + rng.randint(1, 6)]
        elif kind == 2:
            other = rng.choice(SEEDS)
            j = rng.randrange(len(other))
            text[i:i] = other[j : j + rng.randint(1, 20)]
        else:
            text[i:i] = str(rng.choice((0, 1, 2**31, 2**63 - 1, 2**63, 10**20)))
    return "".join(text).encode("utf-8", "surrogatepass")


def loop(seconds: float, one: Callable[[bytes], None]) -> int:
    """The seeded mutator, for `seconds`; how many inputs it tried."""
    rng = random.Random(1)
    end = time.monotonic() + seconds
    tried = 0
    while time.monotonic() < end:
        data = mutated(rng)
        try:
            one(data)
        except Exception:
            sys.stderr.write(f"input {data!r}\n")
            raise
        tried += 1
    return tried


def main() -> None:
    """Run until the time is over or an input breaks a promise."""
    seconds = next((float(a.split("=")[1]) for a in sys.argv if a.startswith("-max_total_time=")), 60.0)
    sys.stdout.write(f"{loop(seconds, check)} mutated inputs, no broken promise\n")
    try:
        import atheris  # noqa: PLC0415 - optional
    except ImportError:
        sys.stdout.write("atheris is not installed: no coverage-guided run\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        for i, seed in enumerate(SEEDS):
            Path(folder, str(i)).write_text(seed, encoding="utf-8")
        atheris.instrument_all()
        atheris.Setup([*sys.argv, folder], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
