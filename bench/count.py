"""What a count costs in one process, beside other counters on the same models; and what they count.

    python bench/count.py [--runs N] [--models FOLDER]

Programs take turns on each model (A B C A B C …) and medians are compared, so that a busy moment falls on all. Goals:
counting is linear in nodes (20,000 take at most 11 times as long as 2,000); at most 1.3 times onnx's load and shape
inference on a model of 1,746 nodes; not slower than onnx-tool; 5 times as fast as onnxsim's ModelInfo.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from convcost import analysis, onnx_reader

MODELS = Path(__file__).resolve().parent.parent.parent / "shared" / "models"
NAMES = (
    "light_densenet121",
    "light_resnet50",
    "light_shufflenet",
    "light_squeezenet",
    "mtcnn_onet",
    "blazeface_front128",
)

Counter = Callable[[str], int | None]


def ours(path: str) -> int | None:
    """Convcost: read, resolve, count, total."""
    file = onnx_reader.read_file(path)
    return analysis.total_cost(file.graph, analysis.count(file.graph)).macs


def inference(path: str) -> int | None:
    """The library's own load and shape inference; it counts nothing."""
    onnx.shape_inference.infer_shapes(onnx.load(path))
    return None


def onnx_tool(path: str) -> int | None:
    """onnx-tool's profile of the file's declared input shapes."""
    import onnx_tool as tool  # noqa: PLC0415 - a peer, not a dependency

    with contextlib.redirect_stdout(io.StringIO()):
        model = tool.Model(path, {"verbose": False})
        model.graph.shape_infer()
        model.graph.profile()
    return int(model.graph.macs[0])


def onnxsim(path: str) -> int | None:
    """ModelInfo of onnxsim."""
    from onnxsim import model_info  # noqa: PLC0415 - a peer, not a dependency

    info = model_info.ModelInfo(onnx.load(path))
    macs = getattr(info, "macs", None)
    total = getattr(macs, "total", macs)
    return int(total) if isinstance(total, int | float) else None


PEERS: dict[str, Counter] = {"convcost": ours, "onnx infer": inference, "onnx-tool": onnx_tool, "onnxsim": onnxsim}


def seconds(counter: Counter, path: str) -> float:
    """One count."""
    start = time.perf_counter()
    counter(path)
    return time.perf_counter() - start


def beside(path: str, runs: int) -> tuple[dict[str, float], dict[str, str]]:
    """Median seconds and the count of each program that can read the model."""
    able: dict[str, Counter] = {}
    counts: dict[str, str] = {}
    for name, counter in PEERS.items():
        try:
            found = counter(path)
        except Exception as wrong:  # noqa: BLE001 - a peer may fail in any way; its failure is the result
            counts[name] = type(wrong).__name__
        else:
            able[name] = counter
            counts[name] = "" if found is None else f"{found:,}"
    times: dict[str, list[float]] = {name: [] for name in able}
    for _ in range(runs):
        for name, counter in able.items():
            times[name].append(seconds(counter, path))
    return {name: statistics.median(values) for name, values in times.items()}, counts


def chain(nodes: int, folder: str) -> str:
    """A file with a chain of `nodes` small convolutions."""
    x = helper.make_tensor_value_info("x0", TensorProto.FLOAT, [1, 4, 8, 8])
    y = helper.make_tensor_value_info(f"x{nodes}", TensorProto.FLOAT, [1, 4, 8, 8])
    w = helper.make_tensor("w", TensorProto.FLOAT, [4, 4, 3, 3], [0.0] * 144)
    layers = [helper.make_node("Conv", [f"x{i}", "w"], [f"x{i + 1}"], pads=[1, 1, 1, 1]) for i in range(nodes)]
    path = Path(folder, f"chain{nodes}.onnx")
    model = helper.make_model(
        helper.make_graph(layers, "chain", [x], [y], [w]), opset_imports=[helper.make_opsetid("", 17)]
    )
    path.write_bytes(model.SerializeToString())
    return str(path)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--models", type=Path, default=MODELS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = {n: chain(n, folder) for n in (2_000, 20_000)}
        times: dict[int, list[float]] = {n: [] for n in paths}
        for _ in range(max(3, chosen.runs // 3)):
            for n, path in paths.items():
                times[n].append(seconds(ours, path))
        small, large = (statistics.median(times[n]) for n in (2_000, 20_000))
        print(f"chain of 20,000 / chain of 2,000: {large / small:.1f} ({large * 1e3:.0f} ms / {small * 1e3:.0f} ms)\n")
    print(f"{'model':20} {'ms':>7}  " + "  ".join(f"{'/ ' + name:>12}" for name in PEERS if name != "convcost"))
    rows = [(name, *beside(str(chosen.models / f"{name}.onnx"), chosen.runs)) for name in NAMES]
    for name, medians, _ in rows:
        mine = medians["convcost"]
        ratios = (f"{mine / medians[p]:12.2f}" if p in medians else f"{'fails':>12}" for p in PEERS if p != "convcost")
        print(f"{name:20} {mine * 1e3:7.1f}  " + "  ".join(ratios))
    print(f"\n{'model':20} " + "  ".join(f"{name:>16}" for name in PEERS))
    for name, _, counts in rows:
        print(f"{name:20} " + "  ".join(f"{counts[p]:>16}" for p in PEERS))


if __name__ == "__main__":
    main()
