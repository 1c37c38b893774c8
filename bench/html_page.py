"""The HTML page of a large model: time to render beside other formats of the same report, and size.

    python bench/html_page.py [--layers N] [--runs N]

Formats take turns, so that a busy moment falls on all, and medians are compared. Goals for 2,000 layers: under 2 s with
all charts, in a process that has drawn none before, and under 2 MB.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from convcost import count
from convcost.record import Report, decode, encode
from convcost.report import content
from convcost.report.view import View

FORMATS = {
    "json": ("json", View()),
    "markdown": ("markdown", View()),
    "html without charts": ("html", View(charts=False)),
    "html": ("html", View()),
}

FRESH = """
import sys, time
from pathlib import Path
from convcost.record import decode
from convcost.report import content
report = decode(Path(sys.argv[1]).read_bytes())
start = time.perf_counter()
content(report, sys.argv[2])
print(time.perf_counter() - start)
"""


def network(layers: int) -> onnx.ModelProto:
    """Blocks of 3 × 3, depthwise and 1 × 1 convolutions with Relu, in stages as exporters name them."""
    weights = {"full": [16, 16, 3, 3], "depth": [16, 1, 3, 3], "point": [16, 16, 1, 1]}
    nodes = []
    for i in range(layers):
        name, x, y = f"stage{i // 400}/block{i // 8}", f"t{i}", f"t{i + 1}"
        kind = ("full", "depth", "relu", "point")[i % 4]
        if kind == "relu":
            nodes.append(helper.make_node("Relu", [x], [y], name=f"{name}/relu{i}"))
            continue
        pads = [0] * 4 if kind == "point" else [1] * 4
        group = 16 if kind == "depth" else 1
        nodes.append(helper.make_node("Conv", [x, kind], [y], name=f"{name}/{kind}{i}", pads=pads, group=group))
    stored = [helper.make_tensor(name, TensorProto.FLOAT, s, bytes(4 * s[0] * s[1] * s[2] * s[3]), raw=True)
              for name, s in weights.items()]  # fmt: skip
    ends = [helper.make_tensor_value_info(f"t{i}", TensorProto.FLOAT, [1, 16, 32, 32]) for i in (0, layers)]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def fresh(path: Path, format: str, runs: int) -> float:
    """Median seconds to render in a new process, its start apart."""
    command = [sys.executable, "-c", FRESH, str(path), format]
    return statistics.median(float(subprocess.check_output(command)) for _ in range(runs))


def beside(report: Report, runs: int) -> dict[str, float]:
    """Median seconds of each format in this process."""
    times: dict[str, list[float]] = {name: [] for name in FORMATS}
    for _ in range(runs):
        for name, (form, view) in FORMATS.items():
            start = time.perf_counter()
            content(report, form, view)
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model, stored = Path(folder, "large.onnx"), Path(folder, "large.json")
        model.write_bytes(network(chosen.layers).SerializeToString())
        stored.write_bytes(encode(count(str(model))))
        report = decode(stored.read_bytes())
        medians = beside(report, chosen.runs)
        sizes = {name: len(content(report, form, view)) for name, (form, view) in FORMATS.items()}
        print(f"{chosen.layers:,} layers\n{'format':20} {'ms':>8} {'/ json':>8} {'kB':>8} {'/ json':>8}")
        for name, seconds in medians.items():
            print(f"{name:20} {seconds * 1e3:8.0f} {seconds / medians['json']:8.1f} {sizes[name] / 1e3:8.0f} "
                  f"{sizes[name] / sizes['json']:8.2f}")  # fmt: skip
        first = fresh(stored, "html", chosen.runs)
        print(f"\nhtml in a new process: {first:.2f} s (goal 2 s), {sizes['html'] / 1e6:.2f} MB (goal 2 MB)")


if __name__ == "__main__":
    main()
