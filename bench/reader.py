"""Time and memory to read a model: independent of its weights, and beside other readers.

    python bench/reader.py [MODEL.onnx …]

First the same graph with tiny weights, with almost 2 GiB of weights in one file, and with 8 GiB of external data (both
holes in sparse files). Then, for the models given, the ratio of onnx.load + infer_shapes and of onnx-tool to ours. Each
measurement is the best of a few in a process of its own, imports not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from onnx import TensorProto, helper

from convcost.onnx_reader.wire import write_varint

LAYERS = 64
RUNS = 5

CHILD = """
import json, re, sys, time
which, path, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
if which == "convcost":
    import onnx
    from convcost.onnx_reader import read_file
    run = lambda: read_file(path)
elif which == "onnx":
    import onnx, onnx.shape_inference
    run = lambda: onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=True)
else:
    import onnx_tool
    def run():
        graph = onnx_tool.Model(path, {"verbose": False}).graph
        graph.shape_infer(None)
        graph.profile()
best = None
for _ in range(runs):
    start = time.perf_counter()
    run()
    took = time.perf_counter() - start
    best = took if best is None else min(best, took)
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print("\\n" + json.dumps({"seconds": best, "peak_mib": peak / 1024}))
"""


def measure(which: str, path: Path) -> dict[str, float] | None:
    """Best time and peak memory of one reader on one model; None where it fails or takes a minute."""
    command = [sys.executable, "-c", CHILD, which, str(path), str(RUNS)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    found: dict[str, float] = json.loads(done.stdout.rsplit("\n", 2)[1])
    return found


def chain(rows: int, columns: int, *, external: bool = False) -> tuple[bytes, list[bytes], bytes]:
    """A chain of MatMuls: (model up to its graph, the weights' heads, the rest of the graph)."""
    nodes, heads = [], []
    for i in range(LAYERS):
        nodes.append(helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"t{i}"]))
        nodes.append(helper.make_node("MatMul", [f"t{i}", f"w{i}t"], [f"x{i + 1}"]))
        for name, shape, at in ((f"w{i}", [rows, columns], 2 * i), (f"w{i}t", [columns, rows], 2 * i + 1)):
            w = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
            if external:
                w.data_location = TensorProto.EXTERNAL
                w.external_data.add(key="location", value="weights.bin")
                w.external_data.add(key="offset", value=str(at * rows * columns * 4))
            heads.append(w.SerializeToString())
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x0", TensorProto.FLOAT, [1, rows])],
        [helper.make_empty_tensor_value_info(f"x{LAYERS}")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.ClearField("graph")
    return model.SerializeToString(), heads, graph.SerializeToString()


def write(path: Path, rows: int, columns: int, *, external: bool = False) -> Path:
    """The chain as a sparse file; its weights are holes."""
    start, heads, rest = chain(rows, columns, external=external)
    nbytes = 0 if external else rows * columns * 4
    fields = []
    for head in heads:
        body = head if external else head + b"\x4a" + write_varint(nbytes)
        fields.append((b"\x2a" + write_varint(len(body) + nbytes) + body, nbytes))
    size = len(rest) + sum(len(head) + hole for head, hole in fields)
    with path.open("wb") as file:
        file.write(start + b"\x3a" + write_varint(size) + rest)
        for head, hole in fields:
            file.write(head)
            file.truncate(file.tell() + hole)
            file.seek(0, 2)
    if external:
        with (path.parent / "weights.bin").open("wb") as data:
            data.truncate(2 * LAYERS * rows * columns * 4)
    return path


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "tiny weights": write(Path(folder) / "tiny.onnx", 4, 4),
            "2 GiB in one file": write(Path(folder) / "large.onnx", 1024, 4090),
            "8 GiB external": write(Path(folder) / "external.onnx", 1024, 16384, external=True),
        }
        base = None
        for name, file in files.items():
            found = measure("convcost", file)
            if found is None:
                raise SystemExit(f"{name}: failed")
            base = base or found
            print(
                f"{name:20} {found['seconds'] * 1e3:8.2f} ms  {found['peak_mib']:7.1f} MiB  "
                f"{found['seconds'] / base['seconds']:5.2f}x  {found['peak_mib'] - base['peak_mib']:+7.1f} MiB"
            )
    for path in map(Path, sys.argv[1:]):
        ours = measure("convcost", path)
        row = [f"{path.name:36}", f"{ours['seconds'] * 1e3:8.2f} ms" if ours else "failed"]
        for which in ("onnx", "onnx-tool"):
            theirs = measure(which, path)
            row.append(f"{which} {theirs['seconds'] / ours['seconds']:7.2f}x" if ours and theirs else f"{which} failed")
        print("  ".join(row))


if __name__ == "__main__":
    main()
