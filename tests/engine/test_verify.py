"""Verification against onnxruntime in a child process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import EngineError, notation
from convcost.engine import Session, guest
from convcost.engine.feeds import random_feeds
from convcost.engine.verify import compare, probes, verify
from convcost.ir import Graph
from convcost.ops.resolve import resolve


def graph_of(text: str) -> Graph:
    graph = notation.parse(text)
    return graph if graph.resolved else resolve(graph)


@pytest.mark.parametrize("text", ["12x12x3 -(5x5x3x16)->", "8x8x4 -(3x3x4x8 sep, bias)->", "9x9x4 -(3x3x4x6 T s2)->"])
def test_shape_string_is_verified_through_a_file(text: str) -> None:
    pytest.importorskip("onnxruntime")
    graph = graph_of(text)
    found = verify(Session(graph, threads=1), random_feeds(graph))
    assert found.passed
    assert found.backend == "onnxruntime"
    assert "float32" in found.tolerance


def test_a_wrong_output_does_not_pass() -> None:
    right = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    wrong = right.copy()
    wrong[2, 3] += 0.01
    assert compare(right, right).passed
    assert not compare(wrong, right).passed
    assert compare(wrong, right).absolute == pytest.approx(0.01, rel=1e-3)
    assert not compare(np.where(right > 0, np.nan, right).astype(np.float32), right).passed


def test_outputs_of_another_type_are_an_error() -> None:
    with pytest.raises(EngineError, match="outputs differ in type"):
        compare(np.zeros(3, np.float32), np.zeros(3, np.float64))


def request(folder: Path) -> guest.Request:
    return guest.Request(
        model=str(folder / "m.onnx"), names=("x",), inputs=str(folder / "i.npz"), outputs=str(folder / "o.npz")
    )


def test_a_model_that_the_guest_refuses_is_a_clean_error(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "m.onnx").write_bytes(b"\x08\x07")
    with pytest.raises(EngineError, match="onnxruntime cannot run this model"):
        guest.ask(request(tmp_path), {"x": np.zeros(1, np.float32)}, tmp_path, seconds=60)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_the_death_of_the_guest_is_a_clean_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")

    def die(*_: Any, **__: Any) -> Any:
        return subprocess.CompletedProcess([], -signal.SIGSEGV, b"", b"")

    monkeypatch.setattr(subprocess, "run", die)
    with pytest.raises(EngineError, match="onnxruntime died of signal 11"):
        guest.ask(request(tmp_path), {"x": np.zeros(1, np.float32)}, tmp_path, seconds=60)


def saturated_model(folder: Path, *, external: bool) -> Path:
    """A network whose Softmax gives 0 and 1 whatever is a little wrong before it."""
    rng = np.random.default_rng(0)
    weights = {"w": rng.standard_normal((4, 3, 3, 3)), "f": 1e4 * rng.standard_normal((4, 5))}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["l"]),
        helper.make_node("Gemm", ["l", "f"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
        [numpy_helper.from_array(v.astype(np.float32), n) for n, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "saturated.onnx"
    onnx.save(model, path, save_as_external_data=external, size_threshold=0, location="saturated.bin")
    return path


@pytest.mark.parametrize("external", [False, True])
def test_what_a_flat_last_layer_hides_is_compared(external: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = saturated_model(tmp_path, external=external)
    session = Session(path, threads=1)
    feeds = random_feeds(session.graph)
    assert probes(session.graph) == ("logits",)
    found = verify(session, feeds, path)
    assert found.passed
    assert found.max_abs_error > 0, "the logits are large, and rounded"
    assert np.ptp(session.run(None, feeds)[0]) == 1


def test_nothing_is_probed_where_the_last_layer_keeps_differences() -> None:
    assert probes(graph_of("8x8x4 -(3x3x4x8)->")) == ()
