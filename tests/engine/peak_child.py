"""Measures the peak memory of runs in a process of its own: `python peak_child.py MODEL…`; one JSON list of a model."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

from convcost import notation, onnx_reader
from convcost.engine import Session
from convcost.engine.feeds import random_feeds


def mark(name: str) -> int:
    """A figure of this process, in bytes. Linux."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def measured(source: str) -> tuple[int, int]:
    """(predicted, measured) bytes of a session and three runs, above what the process has at the start.

    `source` is a shape string, or a model and its input shapes as options with | between.
    """
    path, *shapes = source.split("|")
    if path.endswith(".onnx"):
        inputs = dict(onnx_reader.parse_input_option(text) for text in shapes)
        graph = onnx_reader.read_file(Path(path), inputs=inputs).graph
    else:
        graph = notation.parse(source)
    feeds = random_feeds(graph)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the highest mark starts again from here
    before = mark("VmRSS")
    session = Session(graph, threads=1, tune=True)
    for _ in range(3):
        session.run(None, feeds)
    return session.peak_bytes, mark("VmHWM") - before


if __name__ == "__main__":
    sys.stdout.write(json.dumps([measured(source) for source in sys.argv[1:]]))
