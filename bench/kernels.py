"""Each convolution algorithm against onnxruntime, layer by layer, interleaved.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python bench/kernels.py [--runs 9] [--only resnet]

onnxruntime runs a model of the one layer with its default optimisations. `run` is its whole run of that model, `node`
the time of the Conv node in its own profile, without the reordering of the input and output to its blocked layout.
Ours is the shortest run of each candidate on prepared weights; the figures are ours / `run`, and for the best also
ours / `node`. Candidates and onnxruntime take turns, so that a busy moment falls on all of them; --cpu counts
processor time, for a machine that others use.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns, thread_time_ns
from typing import Any, NamedTuple

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from threadpoolctl import threadpool_limits

from convcost.engine.kernels.conv import Layer, Trial, Workspace, candidates, geometry
from convcost.engine.kernels.convolution.workspace import aligned
from convcost.ops.conv import ConvAttrs


class Shape(NamedTuple):
    """A layer: its name, input (C, *I), output channels, kernel, and what differs from stride 1 and one group."""

    name: str
    x: tuple[int, ...]
    m: int
    k: tuple[int, ...]
    s: int = 1
    p: tuple[int, ...] | None = None
    group: int = 1
    batch: int = 1


SHAPES = (
    Shape("vgg 3→64 at 224²", (3, 224, 224), 64, (3, 3)),
    Shape("vgg 64→64 at 224²", (64, 224, 224), 64, (3, 3)),
    Shape("vgg 256→256 at 56²", (256, 56, 56), 256, (3, 3)),
    Shape("vgg 512→512 at 28²", (512, 28, 28), 512, (3, 3)),
    Shape("vgg 512→512 at 14²", (512, 14, 14), 512, (3, 3)),
    Shape("alexnet 3→96 11×11 s4", (3, 224, 224), 96, (11, 11), 4, (2, 2)),
    Shape("alexnet 96→256 5×5 g2", (96, 26, 26), 256, (5, 5), 1, (2, 2), 2),
    Shape("resnet 3→64 7×7 s2", (3, 224, 224), 64, (7, 7), 2),
    Shape("resnet 64→64 at 56²", (64, 56, 56), 64, (3, 3)),
    Shape("resnet 128→128 at 28²", (128, 28, 28), 128, (3, 3)),
    Shape("resnet 256→256 at 14²", (256, 14, 14), 256, (3, 3)),
    Shape("resnet 512→512 at 7²", (512, 7, 7), 512, (3, 3)),
    Shape("resnet 128→128 56² s2", (128, 56, 56), 128, (3, 3), 2),
    Shape("resnet 64→256 1×1 56²", (64, 56, 56), 256, (1, 1)),
    Shape("resnet 256→64 1×1 56²", (256, 56, 56), 64, (1, 1)),
    Shape("resnet 512→128 1×1 28²", (512, 28, 28), 128, (1, 1)),
    Shape("resnet 1024→256 1×1 14²", (1024, 14, 14), 256, (1, 1)),
    Shape("resnet 2048→512 1×1 7²", (2048, 7, 7), 512, (1, 1)),
    Shape("resnet 512→2048 1×1 7²", (512, 7, 7), 2048, (1, 1)),
    Shape("resnet 256→512 1×1 56² s2", (256, 56, 56), 512, (1, 1), 2),
    Shape("squeezenet 16→64 3×3 55²", (16, 55, 55), 64, (3, 3)),
    Shape("squeezenet 128→16 1×1 55²", (128, 55, 55), 16, (1, 1)),
    Shape("densenet 128→32 3×3 28²", (128, 28, 28), 32, (3, 3)),
    Shape("inception 16→32 5×5 28²", (16, 28, 28), 32, (5, 5)),
    Shape("inception 128→192 1×7 17²", (128, 17, 17), 192, (1, 7)),
    Shape("inception 96→96 at 35²", (96, 35, 35), 96, (3, 3)),
    Shape("mobilenet dw 32 at 112²", (32, 112, 112), 32, (3, 3), group=32),
    Shape("mobilenet dw 96 112² s2", (96, 112, 112), 96, (3, 3), 2, group=96),
    Shape("mobilenet dw 512 at 14²", (512, 14, 14), 512, (3, 3), group=512),
    Shape("mobilenet dw5 240 at 28²", (240, 28, 28), 240, (5, 5), group=240),
    Shape("shufflenet 240→60 g3 28²", (240, 28, 28), 60, (1, 1), group=3),
    Shape("shufflenet dw 60 at 28²", (60, 28, 28), 60, (3, 3), group=60),
    Shape("resnext 128→128 g32 56²", (128, 56, 56), 128, (3, 3), group=32),
    Shape("audio 1→64 80 s16 16000", (1, 16000), 64, (80,), 16, (38,)),
    Shape("audio 64→64 k3 16000", (64, 16000), 64, (3,)),
    Shape("audio dw 256 k15 1000", (256, 1000), 256, (15,), group=256),
    Shape("video 64→64 3³ 8×28²", (64, 8, 28, 28), 64, (3, 3, 3)),
    Shape("wide 8→8 31×31 64²", (8, 64, 64), 8, (31, 31)),
)


class Rival:
    """onnxruntime on a model of one layer."""

    def __init__(self, shape: Shape, x: Any, w: Any, b: Any, pads: tuple[int, ...]) -> None:
        rank = len(shape.k)
        node = helper.make_node(
            "Conv", ["x", "w", "b"], ["y"], strides=[shape.s] * rank, pads=pads, group=shape.group, name="layer"
        )
        graph = helper.make_graph(
            [node],
            "layer",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(w, "w"), numpy_helper.from_array(b, "b")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
        model.ir_version = 9
        raw, self.feeds = model.SerializeToString(), {"x": x}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(tempfile.mkdtemp()) / "layer")
        self.profiled = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])

    def once(self, clock: Callable[[], int]) -> int:
        """Nanoseconds of one run."""
        begin = clock()
        self.session.run(None, self.feeds)
        took = clock() - begin
        self.profiled.run(None, self.feeds)
        return took

    def node(self) -> int:
        """Nanoseconds of the shortest run of the Conv node in the profile."""
        path = Path(self.profiled.end_profiling())
        events = json.loads(path.read_text())
        path.unlink()
        durations: list[int] = [e["dur"] for e in events if e.get("args", {}).get("op_name") in ("Conv", "FusedConv")]
        return min(durations) * 1000

    def output(self) -> Any:
        """What it computes."""
        return self.session.run(None, self.feeds)[0]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--only", default="")
    parser.add_argument("--all", action="store_true", help="every layout and tile, not the best of each algorithm")
    parser.add_argument("--cpu", action="store_true", help="processor time, on a busy machine")
    args = parser.parse_args()
    clock = thread_time_ns if args.cpu else perf_counter_ns
    ws = Workspace()
    with threadpool_limits(1, "blas"):
        wanted = [shape for shape in SHAPES if args.only in shape.name]
        ratios = [row(shape, ws, args.runs, clock, every=args.all) for shape in wanted]
    best = np.exp(np.log(np.array(ratios)).mean(0))
    print(f"\ngeometric mean of the best: {best[0]:.2f} of run, {best[1]:.2f} of node, {len(ratios)} layers")


def row(shape: Shape, ws: Workspace, runs: int, clock: Callable[[], int], *, every: bool) -> tuple[float, float]:
    """Measure and print one layer; its best ratios."""
    rng = np.random.default_rng(0)
    pads = shape.p if shape.p is not None else tuple(k // 2 for k in shape.k)
    c, *spatial = shape.x
    x = rng.standard_normal((shape.batch, c, *spatial), dtype=np.float32)
    w = rng.standard_normal((shape.m, c // shape.group, *shape.k), dtype=np.float32)
    b = rng.standard_normal(shape.m, dtype=np.float32)
    g = geometry(x.shape, w.shape, ConvAttrs(strides=(shape.s,) * len(shape.k), pads=pads * 2, group=shape.group))
    rival = Rival(shape, x, w, b, pads * 2)
    truth = rival.output()
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    inputs = {"nchw": x.reshape(g.x_shape("nchw")), "nhwc": last.reshape(g.x_shape("nhwc"))}
    layers = [Layer(Trial(a, tile), g, w, b) for a in candidates(g) for tile in a.tiles]
    ws.reserve(max(t.algorithm.scratch(g, t.tile, np.float32, 1) for t in (layer.trial for layer in layers)))
    outputs = {k: aligned(g.y_shape(k), np.float32) for k in inputs}
    times: list[list[int]] = [[] for _ in layers]
    rival_times: list[int] = []
    for turn in range(runs):
        rival_times.append(rival.once(clock))
        for layer, found in zip(layers, times, strict=True):
            a = layer.trial.algorithm
            if turn and min(found) > 4 * min(rival_times):
                continue
            if not turn:
                layer(inputs[a.x_layout], outputs[a.y_layout], ws)
            begin = clock()
            layer(inputs[a.x_layout], outputs[a.y_layout], ws)
            found.append(clock() - begin)
            if not turn:
                check(shape, a.name, outputs[a.y_layout], a.y_layout, truth)
    run, node = min(rival_times), rival.node()
    report: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for layer, found in zip(layers, times, strict=True):
        a = layer.trial.algorithm
        label = f"{a.layout} {layer.trial.tile // 1024}K"
        report[f"{a.name} {label}" if every else a.name].append((min(found) / run, label))
    best = min(min(found) for found in times)
    cells = sorted((min(v)[0], k, min(v)[1]) for k, v in report.items())
    shown = " · ".join(f"{k} {r:.2f}" + ("" if every else f" ({label})") for r, k, label in cells[: 12 if every else 6])
    rate = 2 * g.macs / best
    theirs = f"run {run / 1e6:7.3f} ms node {node / 1e6:7.3f}"
    ours = f"best {best / run:.2f} run {best / node:.2f} node {rate:4.0f} GFLOP/s"
    print(f"{shape.name:26} {theirs} | {ours} | {shown}", flush=True)
    return best / run, best / node


def check(shape: Shape, name: str, y: Any, layout: str, truth: Any) -> None:
    """Stop where an algorithm is wrong."""
    got = np.moveaxis(y, -1, 1) if layout == "nhwc" else y
    error = np.abs(got.reshape(truth.shape) - truth).max() / np.abs(truth).max()
    if not error < 1e-3:
        raise SystemExit(f"{shape.name}: {name} is off by {error:.1e} of the largest value")


if __name__ == "__main__":
    main()
