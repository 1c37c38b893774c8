"""onnxruntime as a second backend: the same profile, node by node, from its own profiler."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from convcost import onnx_writer
from convcost.engine import Profile, Session
from convcost.engine import guest as child
from convcost.engine.memory import default_limit
from convcost.engine.threads import blas_threads
from convcost.ir import Graph
from convcost.timing.guest_nodes import node_times

if TYPE_CHECKING:
    from convcost.timing.measure import Options

LOADING = 60.0
"""Seconds that the child may take beside its runs."""
Source = Literal["model", "random", "mixed"]


def profile_guest(
    graph: Graph, feeds: Mapping[str, Any], options: Options, source: str | None
) -> tuple[Profile, Source, int]:
    """(profile, where the weights came from, threads). Whole runs are timed without the profiler.

    Times are of onnxruntime's kernels with its optimisations off, or with them for `fuse`. A node that onnxruntime
    folded or fused away has no time of its own.
    """
    with tempfile.TemporaryDirectory(prefix="convcost-") as name:
        folder = Path(name)
        weights: Source = "model"
        model = source
        if model is None:
            session = Session(graph, max_memory=options.max_memory, seed=options.seed)
            weights = session.weights
            model = str(folder / "model.onnx")
            onnx_writer.write(graph, model, session.stored())
        threads = options.threads or blas_threads()
        request = child.Request(
            model=model,
            names=tuple(t.name for t in graph.inputs),
            inputs=str(folder / "inputs.npz"),
            outputs=str(folder / "outputs.npz"),
            optimise=options.fuse,
            threads=threads,
            max_memory=(options.max_memory or default_limit()) + child.ADDRESS_SPACE,
            runs=options.runs,
            warmup=options.warmup,
            min_seconds=options.min_seconds,
        )
        seconds = patience(options)
        plain = child.ask(request, feeds, folder, seconds=seconds)
        timed = child.ask(
            msgspec.structs.replace(request, profile=str(folder / "profile")), feeds, folder, seconds=seconds
        )
        events = json.loads(Path(timed["profile"]).read_text(encoding="utf-8"))
    nodes = node_times(events, graph, timed["covered"], options.warmup)
    profile = Profile(nodes, tuple(timed["times_ns"]), tuple(plain["times_ns"]), tuple(plain["warmup_ns"]))
    return profile, weights, threads


def patience(options: Options) -> float | None:
    """Seconds after which the child is ended: its runs cannot be ended one by one. None for ever."""
    if options.time_limit is None:
        return None
    return LOADING + options.min_seconds + (options.runs + options.warmup) * options.time_limit
