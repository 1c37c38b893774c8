"""Fuzzes the ONNX reader: whatever the bytes, only our own errors escape, quickly.

    python tests/fuzz/fuzz_reader.py [SECONDS] [SEED_FILE_OR_FOLDER …]

With atheris installed the search is guided by coverage; without it, seeds are mutated at random. An input that breaks
the promise is written to `crash-<hash>.onnx` in the working directory, to be made into a test.
"""

from __future__ import annotations

import hashlib
import importlib
import random
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SLOW = 5.0
"""Seconds of processor time that no input of this size may take."""

MAX_SEED = 32 << 10


def one_input(data: bytes) -> None:
    """Read `data` as a model. Raises when anything but our own error escapes, or when it takes too long."""
    from convcost.errors import ConvcostError  # noqa: PLC0415 - imported under atheris' instrumentation
    from convcost.onnx_reader import from_bytes  # noqa: PLC0415

    start = time.process_time()
    try:
        from_bytes(data)
    except ConvcostError as wrong:
        if not str(wrong).isprintable() or len(str(wrong)) > 500:
            raise AssertionError(f"not a clean message: {str(wrong)!a}") from wrong
    if time.process_time() - start > SLOW:
        raise AssertionError("too slow")


def seeds(places: list[str]) -> list[bytes]:
    """Small models: those in `places`, or the node cases of the onnx library."""
    found: list[bytes] = []
    for place in places or [str(Path(importlib.import_module("onnx").__file__ or "").parent / "backend")]:
        root = Path(place)
        files = sorted(root.rglob("*.onnx")) if root.is_dir() else [root]
        found += [f.read_bytes() for f in files if f.is_file() and f.stat().st_size <= MAX_SEED]
    return found or [b"\x08\x08\x3a\x00"]


def mutations(pool: list[bytes], draw: random.Random) -> Iterator[bytes]:
    """Endless mutations: bits, bytes, cuts, repetitions, pieces of other seeds, numbers at their limits."""
    odd = (b"\x00", b"\x7f", b"\x80\x01", b"\xff" * 9 + b"\x01", b"\xff\xff\xff\xff\x07", b"\xff\xff\xff\xff\x0f")
    while True:
        out = bytearray(draw.choice(pool))
        for _ in range(draw.choice((1, 1, 1, 2, 3, 8, 30))):
            if not out:
                break
            at = draw.randrange(len(out))
            n = draw.randrange(1, 64)
            kind = draw.randrange(7)
            if kind == 0:
                out[at] ^= 1 << draw.randrange(8)
            elif kind == 1:
                out[at] = draw.randrange(256)
            elif kind == 2:
                del out[at : at + n]
            elif kind == 3:
                out[at:at] = out[at : at + n] * draw.choice((1, 1, 2, 50))
            elif kind == 4:
                other = draw.choice(pool)
                begin = draw.randrange(max(len(other), 1))
                out[at:at] = other[begin : begin + n]
            elif kind == 5:
                out[at : at + 1] = draw.choice(odd)
            else:
                begin = draw.randrange(len(out))
                out[at : at + n] = out[begin : begin + n]
        yield bytes(out)


def loop(seconds: float, pool: list[bytes], draw: random.Random) -> int:
    """Mutate for `seconds`; the number of inputs that broke the promise, each written to a file."""
    end, tried, broken = time.monotonic() + seconds, 0, set()
    for data in mutations(pool, draw):
        if time.monotonic() > end:
            break
        tried += 1
        try:
            one_input(data)
        except Exception as wrong:  # noqa: BLE001 - any of them is a find
            frames = traceback.extract_tb(wrong.__traceback__)
            where = f"{type(wrong).__name__} {frames[-1].filename}:{frames[-1].lineno}"
            if where not in broken:
                broken.add(where)
                name = f"crash-{hashlib.sha256(data).hexdigest()[:12]}.onnx"
                Path(name).write_bytes(data)
                sys.stdout.write(f"{name}: {where}: {str(wrong)[:200]!a}\n")
    sys.stdout.write(f"{tried} inputs, {len(broken)} kinds of failure\n")
    return len(broken)


def guided(atheris: Any, seconds: int, pool: list[bytes]) -> None:
    """Hand over to atheris, with the seeds in a folder of its own."""
    folder = Path("fuzz-corpus")
    folder.mkdir(exist_ok=True)
    for data in pool:
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    with atheris.instrument_imports(include=["convcost"]):
        importlib.import_module("convcost.onnx_reader.model")
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_SEED}", "-artifact_prefix=crash-", str(folder)]
    atheris.Setup([sys.argv[0], *options], one_input)
    atheris.Fuzz()


def main() -> int:
    """Run for the given seconds (60)."""
    arguments = sys.argv[1:]
    plain = "--plain" in arguments
    arguments = [a for a in arguments if a != "--plain"]
    seconds = int(arguments[0]) if arguments else 60
    pool = seeds(arguments[1:])
    if not plain:
        try:
            guided(importlib.import_module("atheris"), seconds, pool)
        except ModuleNotFoundError:
            plain = True
    return 1 if plain and loop(seconds, pool, random.Random(time.time_ns())) else 0


if __name__ == "__main__":
    sys.exit(main())
