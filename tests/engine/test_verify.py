"""Verification against onnxruntime in a child process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convcost import EngineError, notation
from convcost.engine import Session, guest
from convcost.engine.feeds import random_feeds
from convcost.engine.verify import compare, verify
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
