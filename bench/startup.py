"""How long a person waits: whole-process times as ratios to importing what any such program would import.

    python bench/startup.py [--runs N] [--model PATH]

The commands take turns, so that a busy moment of the machine falls on all of them; medians are compared. Byte code is
written to a folder of its own first, as an installed package has it. Goals: 1.5 for --version and for a shape string
to JSON, 1.8 to a table, 1.3 for counting a model of 1,746 nodes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

SHAPE = "12x12x3 -(5x5x3x256)-> 8x8x256"
CONVCOST = (sys.executable, "-m", "convcost")
MODEL = Path(__file__).resolve().parent.parent.parent / "shared" / "models" / "light_densenet121.onnx"


@dataclass
class Case:
    """One command; its ratio is to the case called `against`."""

    name: str
    command: tuple[str, ...]
    against: str = ""
    goal: float | None = None
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def cases(model: Path | None) -> list[Case]:
    """What is timed, and against what."""
    out = [
        Case("import typer", (sys.executable, "-c", "import typer")),
        Case("--version", (*CONVCOST, "--version"), "import typer", 1.5),
        Case("shape string to JSON", (*CONVCOST, SHAPE, "-f", "json"), "import typer", 1.5),
        Case("shape string to table", (*CONVCOST, SHAPE), "import typer", 1.8),
    ]
    if model is not None:
        load = f"import onnx; onnx.shape_inference.infer_shapes(onnx.load({str(model)!r}))"
        out.append(Case("onnx infer_shapes", (sys.executable, "-c", load)))
        out.append(Case(f"count {model.name}", (*CONVCOST, str(model)), "onnx infer_shapes", 1.3))
    return out


def run(case: Case, environment: dict[str, str]) -> float:
    """Seconds of one whole process."""
    start = time.perf_counter()
    subprocess.run(case.command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def measure(todo: list[Case], runs: int) -> None:
    """Time all cases in turns, after one run that writes the byte code."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = folder
        for case in todo:
            run(case, environment)
        for _ in range(runs):
            for case in todo:
                case.seconds.append(run(case, environment))


def table(todo: list[Case]) -> str:
    """The medians and ratios."""
    medians = {case.name: case.median for case in todo}
    lines = [f"{'':32}{'median':>10}{'ratio':>8}{'goal':>7}"]
    for case in todo:
        ratio = f"{case.median / medians[case.against]:8.2f}" if case.against else ""
        goal = f"{case.goal:7.1f}" if case.goal else ""
        lines.append(f"{case.name:32}{case.median * 1000:7.1f} ms{ratio}{goal}")
    return "\n".join(lines)


def main() -> int:
    """Print the table; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description="start-up times as ratios")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args()
    todo = cases(options.model if options.model.is_file() else None)
    measure(todo, options.runs)
    print(table(todo))
    medians = {case.name: case.median for case in todo}
    return int(any(case.goal and case.median > case.goal * medians[case.against] for case in todo))


if __name__ == "__main__":
    sys.exit(main())
