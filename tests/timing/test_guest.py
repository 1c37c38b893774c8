"""Times of onnxruntime's nodes under the names of the user's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from convcost import onnx_reader
from convcost.engine.ort_names import covered, mark
from convcost.timing import Options, time_model
from convcost.timing.guest_nodes import node_times

pytest.importorskip("onnxruntime")


def value(name: str, shape: Sequence[int], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    weights: Mapping[str, Any] | None = None,
    functions: Sequence[onnx.FunctionProto] = (),
) -> onnx.ModelProto:
    stored = [onnx.numpy_helper.from_array(w, n) for n, w in (weights or {}).items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, stored)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=8)


def timed(model: onnx.ModelProto, folder: Path, *, fuse: bool = False) -> dict[str, str]:
    """The algorithm of each node that has a time, by its name."""
    path = folder / "model.onnx"
    onnx.save(model, path)
    options = Options(runs=3, min_seconds=0, warmup=1, threads=1, roof=False, fuse=fuse)
    graph = onnx_reader.read(path)
    found = time_model(graph, options=options, backend="onnxruntime", source=str(path))
    assert found.model.threads == 1
    assert all(len(n.times_ns) == 3 for n in found.profile.nodes)
    return {name: layer.algorithm for name, layer in found.layers.items()}


def small() -> onnx.ModelProto:
    """Two convolutions, one with a normalization and an activation behind it, the other without a name."""
    channel = np.linspace(0.5, 1.5, 8, dtype=np.float32)
    kernel = np.full((8, 8, 3, 3), 0.1, np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="first", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "c", "c", "c", "c"], ["b"], name="norm"),
        helper.make_node("Relu", ["b"], ["r"], name="act"),
        helper.make_node("Conv", ["r", "w"], ["y"]),
    ]
    return model_of(nodes, [value("x", [1, 8, 8, 8])], [value("y", [1, 8, 6, 6])], {"w": kernel, "c": channel})


def test_every_node_has_its_time_without_optimisation(tmp_path: Path) -> None:
    found = timed(small(), tmp_path)
    assert found == {"first": "Conv", "norm": "BatchNormalization", "act": "Relu", "n3": "Conv"}


def test_a_fused_node_says_what_it_covers(tmp_path: Path) -> None:
    found = timed(small(), tmp_path, fuse=True)
    assert found["first"].endswith("Conv (first, norm, act)")
    assert found["n3"] == "Conv"
    assert not {"norm", "act"} & set(found)


def test_nodes_of_branches_and_functions_have_their_paths(tmp_path: Path) -> None:
    then = helper.make_graph([helper.make_node("Neg", ["h"], ["t"], name="neg")], "t", [], [value("t", [2])])
    other = helper.make_graph([helper.make_node("Abs", ["h"], ["e"])], "e", [], [value("e", [2])])
    body = [helper.make_node("Exp", ["i"], ["m"], name="exp"), helper.make_node("Sin", ["m"], ["o"])]
    function = helper.make_function("own", "Wave", ["i"], ["o"], body, [helper.make_opsetid("", 17)])
    nodes = [
        helper.make_node("Wave", ["x"], ["g"], domain="own", name="one"),
        helper.make_node("Wave", ["g"], ["h"], domain="own", name="two"),
        helper.make_node("If", ["c"], ["y"], name="choice", then_branch=then, else_branch=other),
    ]
    inputs = [value("x", [2]), value("c", [], TensorProto.BOOL)]
    model = model_of(nodes, inputs, [value("y", [2])], functions=[function])
    found = timed(model, tmp_path)
    assert found == {
        "one/exp": "Exp", "one/n1": "Sin", "two/exp": "Exp", "two/n1": "Sin",
        "choice": "If", "choice/else_branch/n0": "Abs",
    }  # fmt: skip


def test_time_inside_a_node_is_not_its_own(tmp_path: Path) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Neg", ["v"], ["w"], name="neg")],
        "b",
        [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("v", [2])],
        [value("on", [], TensorProto.BOOL), value("w", [2])],
    )
    loop = helper.make_node("Loop", ["n", "", "x"], ["y"], name="loop", body=body)
    model = model_of([loop], [value("x", [2])], [value("y", [2])], {"n": np.array(2, np.int64)})
    onnx.save(model, tmp_path / "m.onnx")
    graph = onnx_reader.read(tmp_path / "m.onnx")

    def event(name: str, ts: int, dur: int) -> dict[str, Any]:
        return {"cat": "Node", "name": f"{name}_kernel_time", "ts": ts, "dur": dur, "args": {"op_name": "Op"}}

    events = []
    for start in (1000, 2000):
        events += [
            event("0/body/1", start + 10, 5),
            event("0/body/1", start + 20, 7),
            event("0", start, 50),
            {"cat": "Session", "name": "model_run", "ts": start - 5, "dur": 60},
        ]
    found = {n.name: n.times_ns for n in node_times(events, graph, {}, warmup=1)}
    assert found == {"loop": (38_000,), "loop/body/neg": (12_000,)}


@pytest.mark.corpus
def test_each_node_of_a_network_is_covered_once(corpus: Path, tmp_path: Path) -> None:
    """Whatever onnxruntime fuses: no node's work is done twice, none is left out that depends on the input."""
    import onnxruntime as ort  # noqa: PLC0415 - skipped where it is not there

    model = onnx.load(corpus / "models" / "light_squeezenet.onnx")
    mark(model)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    places = covered(model.graph, onnx.load(tmp_path / "optimised.onnx").graph)
    every = [place for group in places.values() for place in group]
    wanted = {n.name for n in model.graph.node if n.op_type != "ConstantOfShape"}
    gone = {n.name for n in model.graph.node if n.op_type == "Dropout"}
    assert len(every) == len(set(every))
    assert wanted - gone <= set(every) <= wanted


def test_modules_of_the_current_folder_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout of a stranger's pull request may hold a numpy.py."""
    monkeypatch.chdir(tmp_path)
    for name in ("numpy", "json", "onnxruntime", "convcost"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(7)\n", "utf-8")
    assert timed(small(), tmp_path)
