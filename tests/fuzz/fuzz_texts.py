"""Fuzzes everything that is read beside models and shape strings: only our own errors escape, each one clean.

    python tests/fuzz/fuzz_texts.py [SECONDS] [SURFACE …]

Surfaces: condition, toml, budget, report, baseline, ledger, options. Seeds are mutated at random: characters, words of
other seeds, cuts, repetitions, numbers and nestings at their limits. What breaks the promise is printed, once a place.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from convcost import api
from convcost.cli import run
from convcost.errors import ConvcostError
from convcost.fleet.ledger import Ledger
from convcost.report import content

SHAPE = "12x12x3 -(5x5x3x256)-> 8x8x256"
SLOW = 5.0
"""Seconds of processor time that no input may take."""

ODD = (
    "", "\0", "\n", "\r", "\t", "'", '"', "\\", "[", "]", "[[", "{", "}", "(", ")", ",", "=", "<", ">", "!", "%", "*", "#",
    "-", "+", ".", "e", "inf", "nan", "null", "true", "-1", "0", "1e400", "1e-400", "9" * 30, "9" * 5000, "0x10", "1_0",
    "\ud800", "\udcff", "\u202e", "\ufeff", "é", "\U0001f4a3", "٣", "²", "[" * 300, "(" * 300, "not " * 300, "a." * 300,
    "TiB", "%", "k", "macs", "layers", "and", "or", "in", "..", "~", "/dev/zero", "${x}", "\x1b[31m", "::error::",
)  # fmt: skip


FLAGS = (
    "--columns", "--sort", "--by", "--dim", "--input", "--dtype", "--convention", "-f", "-o", "--trip-count", "--layer",
    "--units", "--chart", "--color", "--width", "--top", "--batch", "--explain-difference",
)  # fmt: skip


def called(*words: str) -> None:
    """One command line. Raises AssertionError where it does not end as it should."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = [io.TextIOWrapper(one, "utf-8", "backslashreplace") for one in (out, err)]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        code = run.run(words)
    for stream in streams:
        stream.flush()
    said = err.getvalue().decode()
    if code not in (0, 1, 2) or "C000" in said or (code == 2 and out.getvalue()):
        raise AssertionError(f"exit code {code}: {said!a}")
    if code == 2 and (not said.startswith("convcost: error[C") or len(said.split("\n")[0]) > 500):
        raise AssertionError(f"not a clean error: {said[:600]!a}")
    if any(not line.isprintable() for line in said.split("\n")):
        raise AssertionError(f"not printable: {said!a}")


def stored(name: str, text: str) -> str:
    """A file of this text."""
    Path(name).write_bytes(text.encode("utf-8", "surrogatepass"))
    return name


def condition(text: str) -> None:
    """The language of `whatif --where`."""
    called("whatif", SHAPE, "--to=depthwise-separable", f"--where={text}", "-f", "json")


def toml(text: str) -> None:
    """Budgets in a file."""
    called("check", "--config", stored("convcost.toml", text), "-f", "sarif")


def budget(text: str) -> None:
    """Budgets as options."""
    called("check", SHAPE, f"--budget={text}", "--budget", "macs=1G")
    called("diff", SHAPE, SHAPE, f"--fail-on={text.replace('=', ':')}")


def report(text: str) -> None:
    """A report, drawn, explained, compared and checked."""
    name = stored("report.json", text)
    for shape in random.choice((("table", "html"), ("markdown", "csv"), ("github", "svg"), ("openmetrics", "junit"))):
        called("render", name, "-f", shape)
    called("diff", name, SHAPE)
    called("check", name, "--budget", "macs=1")


def baseline(text: str) -> None:
    """A baseline that was edited."""
    called("check", SHAPE, "--max-growth", "1%", "--baseline", stored("baseline.json", text))


def ledger(text: str) -> None:
    """A fleet's file, resumed by nothing but its reader, and drawn."""
    name = stored("fleet.jsonl", text)
    with contextlib.suppress(ConvcostError), Ledger(name, [], resume=True):
        pass
    called("render", stored("again.jsonl", text), "-f", "csv")


def options(text: str) -> None:
    """Words where options expect something."""
    flag = random.choice(FLAGS)
    command = random.choice(("count", "compare", "explain", "whatif"))
    called(command, SHAPE, *((f"{flag}={text}",) if flag.startswith("--") else (flag, text)))


def seeds() -> dict[str, list[str]]:
    """What is mutated."""
    counted = api.count(SHAPE)
    made = api.check(SHAPE, budgets=["macs=1"], baseline="b.json", write_baseline=True)
    other = [api.diff(SHAPE, "12x12x3,k3,c8"), api.compare(SHAPE), api.explain(SHAPE), api.whatif(SHAPE)]
    api.export(SHAPE, output="net.onnx")
    api.count("net.onnx").save("net.json")
    called("fleet", "net.onnx", "-j", "1", "-o", "fleet.jsonl", "-q")
    return {
        "condition": [
            "kernel>=3 and cin>=64", "not (stride == 2 or name ~ 'conv*')", "kind == depthwise", "macs > 1.5M and index < 3",
            "name in ('a', 'b') or op != Conv", "3 <= kernel <= 7", "h*w > 49", "params >= 10% and groups == 1",
        ],
        "toml": [
            'models = ["12x12x3,k5,c8"]\nmacs = "600M"\nparams = { max = "4M", level = "warn" }\n',
            f'models = ["{SHAPE}"]\npeak-memory = "12MiB"\ncoverage = "100%"\n[[layers]]\nname = "conv*"\nmacs = "1M"\n',
            f'[models]\n"{SHAPE}" = {{ macs = "1G", dims = {{ N = 1 }} }}\n[growth]\nmacs = "2%"\n',
        ],
        "budget": ["macs=600M", "peak-memory=12MiB", "coverage=100%", "params=4.5k", "macs=5%", "params=+0", "weight-bytes=1_000"],
        "report": [
            content(one, "json").decode() for one in (counted, made, *other)
        ],
        "baseline": [Path("b.json").read_text("utf-8")],
        "ledger": [Path("fleet.jsonl").read_text("utf-8")],
        "options": ["macs,params", "N=8", "x=1x3x224x224", "json", "layer", "float16", "json=a.json", "treemap", "80", "conv0"],
    }  # fmt: skip


def mutated(pool: list[str], draw: random.Random) -> str:
    """One of the seeds, changed."""
    text = draw.choice(pool)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 12))):
        at, n = draw.randrange(len(text) + 1), draw.randrange(1, 24)
        kind = draw.randrange(6)
        if kind == 0:
            text = text[:at] + text[at + n :]
        elif kind == 1:
            text = text[:at] + draw.choice(ODD) + text[at:]
        elif kind == 2:
            text = text[:at] + draw.choice(ODD) + text[at + n :]
        elif kind == 3:
            text = text[:at] + text[at : at + n] * draw.choice((2, 3, 40)) + text[at:]
        elif kind == 4:
            other = draw.choice(pool)
            begin = draw.randrange(len(other) + 1)
            text = text[:at] + other[begin : begin + n] + text[at:]
        else:
            numbers = [i for i, c in enumerate(text) if c.isdigit()]
            at = draw.choice(numbers) if numbers else at
            text = (
                text[:at]
                + draw.choice(("-1", "0", "1e9", "9223372036854775808", "null", '"x"', "[]", "{}", "1.5"))
                + text[at + 1 :]
            )
    return text


def attempt(surface: Callable[[str], None], text: str) -> str | None:
    """What broke the promise, and where; None where nothing did."""
    start = time.process_time()
    try:
        surface(text)
    except Exception as wrong:  # noqa: BLE001 - any of them is a find
        place = traceback.extract_tb(wrong.__traceback__)[-1]
        known = str(wrong).split(";")[0][:160] if isinstance(wrong, AssertionError) else ""
        return f"{type(wrong).__name__} {place.filename}:{place.lineno} {known}"
    taken = time.process_time() - start
    return f"slow: {taken:.1f} s" if taken > SLOW else None


def main() -> int:
    """Run for the given seconds (60) on each surface."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    surfaces = {f.__name__: f for f in (condition, toml, budget, report, baseline, ledger, options)}
    draw = random.Random(time.time_ns())
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        pools = seeds()
        for name in sys.argv[2:] or list(surfaces):
            end, tried = time.monotonic() + seconds, 0
            while time.monotonic() < end:
                tried += 1
                text = mutated(pools[name], draw)
                said = attempt(surfaces[name], text)
                if said is not None and f"{name}: {said}" not in failures:
                    failures[f"{name}: {said}"] = text
                    sys.stdout.write(f"{name}: {said}\n    {text[:2000]!a}\n")
            sys.stdout.write(f"{name}: {tried} inputs\n")
            sys.stdout.flush()
        os.chdir("/")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
