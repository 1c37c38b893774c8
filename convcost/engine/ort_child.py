"""Runs a model in onnxruntime, alone in a process of its own: `python -m convcost.engine.ort_child REQUEST`.

onnxruntime can crash on crafted files, so that it never runs in the program's own process on a file of unknown origin.
The request is a JSON file; inputs come in an .npz file, outputs go to another, the answer (JSON) to standard output.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main(request_path: str) -> int:
    """Do what the request says: run once, or `warmup` and `runs` times and tell the times."""
    request: dict[str, Any] = json.loads(Path(request_path).read_text(encoding="utf-8"))
    limit_memory(request.get("max_memory"))
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import numpy as np  # noqa: PLC0415 - after the limit
    import onnxruntime as ort  # noqa: PLC0415 - after the environment is set

    options = ort.SessionOptions()
    options.log_severity_level = 4
    if not request["optimise"]:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if request.get("threads"):
        options.intra_op_num_threads = request["threads"]
        options.inter_op_num_threads = 1
    if request.get("profile"):
        options.enable_profiling = True
        options.profile_file_prefix = request["profile"]
    session = ort.InferenceSession(request["model"], options, providers=["CPUExecutionProvider"])
    with np.load(request["inputs"], allow_pickle=False) as stored:
        feeds = {name: stored[f"i{i}"] for i, name in enumerate(request["names"])}
    answer: dict[str, Any] = {"version": ort.__version__}
    if request.get("runs"):
        answer["warmup_ns"], answer["times_ns"] = timed(session, feeds, request)
        if request.get("profile"):
            answer["profile"] = session.end_profiling()
    else:
        outputs = session.run(None, feeds)
        arrays = {f"o{i}": o for i, o in enumerate(outputs) if isinstance(o, np.ndarray) and o.dtype != object}
        np.savez(request["outputs"], allow_pickle=False, **arrays)
        answer["count"] = len(outputs)
    sys.stdout.write(json.dumps(answer))
    return 0


def timed(session: Any, feeds: dict[str, Any], request: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Nanoseconds of the warm-up runs and of the measured ones."""
    clock = time.perf_counter_ns
    warm: list[int] = []
    times: list[int] = []
    for _ in range(request["warmup"]):
        start = clock()
        session.run(None, feeds)
        warm.append(clock() - start)
    begin = clock()
    while len(times) < request["runs"] or clock() - begin < request["min_seconds"] * 1e9:
        start = clock()
        session.run(None, feeds)
        times.append(clock() - start)
    return warm, times


def limit_memory(nbytes: int | None) -> None:
    """Let the system refuse more than `nbytes` of address space, where it can."""
    if nbytes is None:
        return
    try:
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_AS, (nbytes, nbytes))
    except (ImportError, ValueError, OSError):
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
