"""Runs a model in onnxruntime, alone in a process of its own, which `guest` starts with the path of a request.

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
    source: Any = request["model"]
    if request.get("profile"):
        source = marked(source, options, optimised=request["profile"] + ".onnx" if request["optimise"] else None)
    if request.get("probes"):
        source = probed(source, options, request["probes"])
    session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    with np.load(request["inputs"], allow_pickle=False) as stored:
        feeds = {name: stored[f"i{i}"] for i, name in enumerate(request["names"])}
    answer: dict[str, Any] = {"version": ort.__version__}
    if request.get("runs"):
        answer["warmup_ns"], answer["times_ns"] = timed(session, feeds, request)
        if request.get("profile"):
            answer["profile"] = session.end_profiling()
            answer["covered"] = fused(request) if request["optimise"] else {}
    else:
        outputs = session.run(None, feeds)
        arrays = {f"o{i}": o for i, o in enumerate(outputs) if isinstance(o, np.ndarray) and o.dtype != object}
        np.savez(request["outputs"], allow_pickle=False, **arrays)
        answer["count"] = len(outputs)
    sys.stdout.write(json.dumps(answer))
    return 0


def marked(path: str, options: Any, *, optimised: str | None) -> bytes:
    """The model with every node named after its place. `optimised`: where onnxruntime writes what it makes of it."""
    from onnx import load_model  # noqa: PLC0415 - after the limit

    from convcost.engine.ort_names import mark  # noqa: PLC0415 - only to profile

    model = load_model(path, load_external_data=False)
    mark(model)
    folder = "session.model_external_initializers_file_folder_path"
    options.add_session_config_entry(folder, str(Path(path).resolve().parent))
    if optimised is not None:
        options.optimized_model_filepath = optimised
        apart = "session.optimized_model_external_initializers_"
        options.add_session_config_entry(apart + "file_name", Path(optimised).name + ".weights")
        options.add_session_config_entry(apart + "min_size_in_bytes", "1024")
    found: bytes = model.SerializeToString()
    return found


def probed(path: str, options: Any, names: list[str]) -> bytes:
    """The model with more outputs: messages that follow one another are one message, so they are written behind it."""
    from onnx import GraphProto, ModelProto, ValueInfoProto  # noqa: PLC0415 - after the limit

    folder = "session.model_external_initializers_file_folder_path"
    options.add_session_config_entry(folder, str(Path(path).resolve().parent))
    more = ModelProto(graph=GraphProto(output=[ValueInfoProto(name=name) for name in names]))
    return Path(path).read_bytes() + bytes(more.SerializeToString())


def fused(request: dict[str, Any]) -> dict[str, list[str]]:
    """The places whose work each of onnxruntime's nodes does."""
    from onnx import load_model  # noqa: PLC0415 - as above

    from convcost.engine.ort_names import covered, mark  # noqa: PLC0415 - as above

    original = load_model(request["model"], load_external_data=False)
    mark(original)
    return covered(original.graph, load_model(request["profile"] + ".onnx", load_external_data=False).graph)


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
