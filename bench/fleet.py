"""A fleet at two processes beside one, and beside a shell that counts model after model.

    python bench/fleet.py [--runs N] [--models FOLDER] [--jobs N]

The ways take turns (A B C A B C …) and medians are compared, so that a busy moment falls on all. All are whole
programs as a user starts them, with start-up. Goals: two processes take at most 0.7 of the time of one on a machine
with two quiet cores; one takes at most 0.5 of the shell's loop; resuming takes at most 0.5 of counting.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent.parent / "shared" / "models"
PROGRAM = [str(Path(sys.executable).with_name("convcost"))]


def seconds(command: list[str]) -> float:
    """One run, which must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def ways(models: Path, jobs: int, folder: str) -> dict[str, list[str]]:
    """The commands that are compared."""
    fleet = [*PROGRAM, "fleet", str(models), "-f", "json"]
    there = f"{folder}/resumed.jsonl"
    subprocess.run([*fleet, "-q", "-o", there], check=True)
    find = 'find "$1" -name "*.onnx" -print0 | '
    loop = f"while IFS= read -r -d '' model; do {shlex.join(PROGRAM)} count \"$model\" -f json; done"
    spread = f"xargs -0 -n 1 -P {jobs} {shlex.join(PROGRAM)} count -f json --"
    return {
        f"fleet, {jobs} processes": [*fleet, "--jobs", str(jobs)],
        "fleet, 1 process": [*fleet, "--jobs", "1"],
        "fleet to a file": [*fleet, "--jobs", str(jobs), "-o", f"{folder}/new.jsonl"],
        "fleet resumed": [*fleet, "--jobs", str(jobs), "-o", there, "--resume"],
        "shell loop": ["bash", "-c", find + loop, "loop", str(models)],
        f"shell, xargs -P {jobs}": ["bash", "-c", find + spread, "loop", str(models)],
    }


def main() -> None:
    """Print medians, and ratios to the fleet at one process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        commands = ways(chosen.models, chosen.jobs, folder)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(chosen.runs):
            for name, command in commands.items():
                times[name].append(seconds(command))
    base = times["fleet, 1 process"]
    count = sum(1 for _ in chosen.models.rglob("*.onnx"))
    print(f"{count} models, {chosen.runs} runs\n{'':22} {'median':>8} {'/ 1 process':>12}")
    for name, values in times.items():
        paired = statistics.median(a / b for a, b in zip(values, base, strict=True))
        print(f"{name:22} {statistics.median(values):6.2f} s {paired:12.2f}")


if __name__ == "__main__":
    main()
