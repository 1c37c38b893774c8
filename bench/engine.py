"""The engine beside onnxruntime and onnx's reference evaluator, on whole networks.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python bench/engine.py [--models light_resnet50,…] [--runs 15]
        [--threads 1,2] [--no-reference] [--quick]

Programs take turns on each model (A B A B …), some runs at a time, and medians are compared, so that a busy moment
falls on all of them. The light models have constant weights, which make uniform outputs: they run with random ones, in
a copy. Ratios are ours / theirs. `sgemm` is the rate in nominal FLOPs (2 a MAC) as a share of this machine's single
precision products, so that Winograd may pass 100 %. Then come rank correlations of times layer by layer, and the peak
memory of a process.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import msgspec
import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from convcost import analysis, onnx_reader
from convcost.engine import Session
from convcost.engine.feeds import random_feeds
from convcost.engine.verify import DYNAMIC, probes
from convcost.ir import Graph
from convcost.timing import Options, measure_roof, time_model

MODELS = Path(__file__).resolve().parent.parent.parent / "shared" / "models"
QUICK = ("light_squeezenet", "mtcnn_onet")
RANKED = ("light_resnet50", "light_shufflenet", "blazeface_front128")
WEIGHED = ("light_resnet50", "light_vgg19")
PATIENCE = 60.0
"""Models on which one of our runs times the usual factor to the reference takes longer are not given to it."""
FACTOR = 300
TOLERANCE = 2e-3
HALF = 1e-2
"""The largest difference in parts of the largest value; of models in half precision or quantised while they run."""

Run = Callable[[], Any]
Shapes = Mapping[str, Sequence[str]]


class Row(msgspec.Struct, frozen=True):
    """One model at one number of threads: seconds of each program, share of the sgemm rate, largest difference.

    Differences up to `allowed` come from rounding.
    """

    name: str
    ours: float
    default: float
    plain: float
    reference: float | None
    share: float
    error: float
    allowed: float


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="", help="names with commas between; all without")
    parser.add_argument("--folder", type=Path, default=MODELS)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--no-reference", action="store_true")
    parser.add_argument("--quick", action="store_true", help="two small models and five runs")
    parser.add_argument("--peak", nargs=2, metavar=("WHO", "MODEL"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak:
        sys.stdout.write(str(peak(*args.peak)))
        return
    names = args.models.split(",") if args.models else list(QUICK) if args.quick else every(args.folder)
    runs = 5 if args.quick else args.runs
    shapes = shapes_of(args.folder)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: with_random_weights(args.folder / f"{name}.onnx", Path(folder)) for name in names}
        for threads in map(int, args.threads.split(",")):
            network_table(paths, shapes, threads, runs, reference=not args.no_reference)
        rank_table({n: p for n, p in paths.items() if n in RANKED or args.quick}, shapes, runs)
        memory_table({n: p for n, p in paths.items() if n in WEIGHED or args.quick})


def every(folder: Path) -> list[str]:
    """All models: the light ones first."""
    return sorted((p.stem for p in folder.glob("*.onnx")), key=lambda n: (not n.startswith("light_"), n))


def with_random_weights(path: Path, folder: Path) -> Path:
    """The model; of one whose weights are ConstantOfShape a copy with random ones that keep the size of activations."""
    if not path.name.startswith("light_"):
        return path
    model = onnx.load(path)
    draw = np.random.default_rng(0)
    shapes = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    vectors = {name for n in model.graph.node if n.op_type == "BatchNormalization" for name in n.input[1:]}
    kept = []
    for node in model.graph.node:
        if node.op_type != "ConstantOfShape" or node.input[0] not in shapes:
            kept.append(node)
            continue
        name, shape = node.output[0], tuple(int(d) for d in shapes[node.input[0]])
        if len(shape) < 2:
            weight = draw.uniform(0.5, 1.5, shape) if name in vectors else draw.uniform(-0.1, 0.1, shape)
        else:
            weight = draw.standard_normal(shape) * math.sqrt(2 / max(math.prod(shape[1:]), 1))
        model.graph.initializer.append(numpy_helper.from_array(weight.astype(np.float32), name))
    del model.graph.node[:]
    model.graph.node.extend(kept)
    copy = folder / path.name
    onnx.save(model, copy)
    return copy


def graph_of(path: Path, shapes: Mapping[str, Sequence[str]]) -> Graph:
    """The model with the input shapes that its expected counts are for."""
    given = dict(onnx_reader.parse_input_option(text) for text in shapes.get(path.stem, ()))
    return onnx_reader.read_file(path, inputs=given).graph


def shapes_of(folder: Path) -> dict[str, list[str]]:
    """Input shapes of the models in a folder, as options."""
    models = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["models"]
    return {Path(m["file"]).stem: m["input_args"] for m in models.values() if "/" not in m["file"]}


def guest(path: Path, threads: int, *, optimise: bool, profile: str | None = None) -> onnxruntime.InferenceSession:
    """A session of onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = profile
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


PAUSE = 0.02
"""Seconds before a turn: the threads of onnxruntime go on spinning after theirs, on the cores of the next program."""
TURN = 0.06
"""Seconds of runs that begin a turn and do not count, and again of runs that do: an idle core needs time to wake."""


def interleaved(programs: Sequence[Run], turns: int) -> list[float]:
    """Median seconds of a run of each program. They take turns (A B A B …); in a turn a program runs time and again."""
    times: list[list[float]] = [[] for _ in programs]
    for _ in range(turns):
        for program, found in zip(programs, times, strict=True):
            time.sleep(PAUSE)
            repeated(program)
            found.extend(repeated(program))
    return [median(found) for found in times]


def repeated(program: Run) -> list[float]:
    """Seconds of each of some runs in a row, two at least."""
    found: list[float] = []
    while len(found) < 2 or sum(found) < TURN:
        start = time.perf_counter()
        program()
        found.append(time.perf_counter() - start)
    return found


def network_table(paths: dict[str, Path], shapes: Shapes, threads: int, runs: int, *, reference: bool) -> None:
    """Whole networks."""
    peak_rate = measure_roof(threads).gemm_gflops
    print(f"\n{threads} thread{'s' if threads > 1 else ''}, sgemm {peak_rate:.0f} GFLOP/s, median of {runs} turns")
    print(f"{'model':26} {'ours':>10} {'/ default':>9} {'/ plain':>8} {'reference /':>11} {'sgemm':>6} {'error':>8}")
    rows = []
    for name, path in paths.items():
        row = network(name, path, shapes, threads, runs, peak_rate, reference=reference)
        if row is None:
            continue
        rows.append(row)
        times = "" if row.reference is None else f"{row.reference / row.ours:.0f}"
        note = "" if row.error < row.allowed else "  OUTPUTS DIFFER"
        print(
            f"{name:26} {row.ours * 1e3:7.2f} ms {row.ours / row.default:9.2f} {row.ours / row.plain:8.2f} "
            f"{times:>11} {row.share:6.0%} {row.error:8.1e}{note}",
            flush=True,
        )
    for title, group in (("light_*", [r for r in rows if r.name.startswith("light_")]), ("all", rows)):
        if group:
            default, plain = (geometric_mean(r.ours / getattr(r, k) for r in group) for k in ("default", "plain"))
            slower = [r.reference / r.ours for r in group if r.reference is not None]
            factor = f"{geometric_mean(slower):.0f}" if slower else ""
            worst = max(r.ours / r.default for r in group)
            print(f"{'geometric mean, ' + title:37} {default:9.2f} {plain:8.2f} {factor:>11}   worst {worst:.2f}")


def network(
    name: str, path: Path, shapes: Shapes, threads: int, runs: int, peak_rate: float, *, reference: bool
) -> Row | None:
    """One model; None where one of the programs cannot run it."""
    try:
        graph = graph_of(path, shapes)
        feeds = random_feeds(graph)
        mine = Session(path, threads=threads, tune=True)
        default, plain = guest(path, threads, optimise=True), guest(path, threads, optimise=False)
        error = compared(mine, path, feeds)
    except Exception as wrong:  # noqa: BLE001 - any program may fail in its own way; that is the result
        print(f"{name:26} left out: {' '.join(str(wrong).split())[:100]}")
        return None
    programs = [lambda: mine.run(None, feeds), lambda: default.run(None, feeds), lambda: plain.run(None, feeds)]
    ours, optimised, unoptimised = interleaved(programs, runs)
    slow = one_run(path, feeds) if reference and ours * FACTOR < PATIENCE else None
    macs = analysis.total_cost(graph, analysis.count(graph)).macs or 0
    coarse = "fp16" in name or any(node.op in DYNAMIC for node in graph.nodes)
    allowed = HALF if coarse else TOLERANCE
    return Row(name, ours, optimised, unoptimised, slow, 2e-9 * macs / ours / peak_rate, error, allowed)


def compared(mine: Session, path: Path, feeds: dict[str, Any]) -> float:
    """The largest difference of the outputs and of what a last Softmax reads, optimisations off."""
    names = probes(mine.graph)
    more = onnx.ModelProto(graph=onnx.GraphProto(output=[onnx.ValueInfoProto(name=name) for name in names]))
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(path.read_bytes() + more.SerializeToString())
        file.flush()
        source = path if not names else Path(file.name)
        theirs = guest(source, 1, optimise=False).run(None, feeds)
    return difference((mine.probing(names) if names else mine).run(None, feeds), theirs)


def one_run(path: Path, feeds: dict[str, Any]) -> float | None:
    """Seconds of one run of the reference evaluator; None where it fails."""
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415 - slow to load

    try:
        evaluator = ReferenceEvaluator(str(path))
        start = time.perf_counter()
        evaluator.run(None, feeds)
    except Exception:  # noqa: BLE001 - it lacks operators that the models have
        return None
    return time.perf_counter() - start


def difference(ours: Iterable[Any], theirs: Iterable[Any]) -> float:
    """The largest difference as a part of the largest value."""
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(b, np.ndarray) and b.dtype.kind in "fiu" and b.size:
            gap = np.abs(a.astype(np.float64) - b.astype(np.float64)).max()
            worst = max(worst, float(gap / max(np.abs(b.astype(np.float64)).max(), 1e-9)))
    return worst


def rank_table(paths: dict[str, Path], shapes: Shapes, runs: int) -> None:
    """Whether our times rank layers as onnxruntime's do."""
    if paths:
        print("\nrank correlation (Spearman) of layer times, one thread, optimisations off")
    for name, path in paths.items():
        graph = graph_of(path, shapes)
        options = Options(runs=runs, min_seconds=0, warmup=3, threads=1, roof=False, time_limit=None)
        ours = time_model(graph, options=options, source=str(path)).layers
        theirs = time_model(graph, options=options, backend="onnxruntime", source=str(path)).layers
        common = [n for n in theirs if n in ours and ours[n].algorithm != "folded"]
        pairs = [(ours[n].median_ns, theirs[n].median_ns) for n in common]
        heavy = [p for p in pairs if max(p) >= 0.002 * sum(t for _, t in pairs)]
        share = sum(t for _, t in heavy) / max(sum(t for _, t in pairs), 1)
        print(
            f"{name:26} {spearman(pairs):6.3f} over {len(pairs)} layers, "
            f"{spearman(heavy):6.3f} over the {len(heavy)} with {share:.0%} of the time"
        )


def spearman(pairs: Sequence[tuple[int, int]]) -> float:
    """Pearson's correlation of the ranks; equal values share the mean of their ranks."""
    a, b = (ranks(np.array(column)) for column in zip(*pairs, strict=True))
    return float(np.corrcoef(a, b)[0, 1])


def ranks(values: Any) -> Any:
    """Mean ranks."""
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[group]


def memory_table(paths: dict[str, Path]) -> None:
    """Peak memory of one run, each program in a process of its own."""
    if paths:
        print("\npeak memory of a run beside that of the loaded libraries, one thread, MB")
    for name, path in paths.items():
        found = {}
        for who in ("ours", "onnxruntime"):
            command = [sys.executable, __file__, "--peak", who, str(path)]
            found[who] = int(subprocess.run(command, capture_output=True, check=True).stdout) / 1e6
        ratio = found["ours"] / found["onnxruntime"]
        print(f"{name:26} ours {found['ours']:8.1f}  onnxruntime {found['onnxruntime']:8.1f}  ratio {ratio:.2f}")


def peak(who: str, path: str) -> int:
    """Bytes that a process took at most to load and run a model, above what it had after its imports."""
    from convcost.engine import session  # noqa: F401, PLC0415 - part of the baseline

    feeds = random_feeds(graph_of(Path(path), shapes_of(MODELS)))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the highest mark starts again from here
    before = highest()
    runner = Session(path, threads=1, tune=True) if who == "ours" else guest(Path(path), 1, optimise=True)
    for _ in range(3):
        runner.run(None, feeds)
    return highest() - before


def highest() -> int:
    """The most memory that this process has had, in bytes. Linux; `ru_maxrss` would start with the parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
