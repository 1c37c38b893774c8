"""Measures the peak memory of runs in a process of its own: `python peak_child.py [THREADS] MODEL…`; a JSON list of each."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

from convcost import notation, onnx_reader
from convcost.engine import Session
from convcost.engine.feeds import random_feeds
from convcost.engine.static.team import Processes


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


def shared(source: str, threads: int) -> tuple[int, int]:
    """(predicted, measured) of a session on several processes, of which each page counts once."""
    os.sched_getaffinity = lambda _: set(range(threads))  # as many cores
    graph = onnx_reader.read_file(Path(source)).graph if source.endswith(".onnx") else notation.parse(source)
    feeds = random_feeds(graph)
    before = pages("self")
    session = Session(graph, threads=threads)
    for _ in range(3):
        session.run(None, feeds)
    (program,) = session._programs.made.values()
    assert program is not None
    assert isinstance(program.team, Processes)
    assert len(program.team.pids) == threads - 1
    return session.peak_bytes, pages("self") + sum(map(pages, program.team.pids)) - before


def pages(pid: str | int) -> int:
    """The bytes of a process, of a page that several have its part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    if sys.argv[1].isdigit():
        sys.stdout.write(json.dumps([shared(source, int(sys.argv[1])) for source in sys.argv[2:]]))
    else:
        sys.stdout.write(json.dumps([measured(source) for source in sys.argv[1:]]))
