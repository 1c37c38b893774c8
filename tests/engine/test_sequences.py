"""Every sequence of three steps after a convolution, put together as `run` does, agrees with onnxruntime."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from convcost import api
from convcost.engine import Session
from convcost.errors import NotationError

STEPS = (
    "(relu)",
    "(bn)",
    "(gap)",
    "(maxpool 3x3 s2)",
    "(avgpool 2x2)",
    "(shuffle g2)",
    "(1x1x8x8 bias)",
    "(3x3x8x8 same bias)",
    "(3x3 dw same)",
)


@pytest.mark.parametrize("first", STEPS)
def test_three_steps(first: str, tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    path, done = tmp_path / "net.onnx", 0
    x = np.random.default_rng(0).standard_normal((1, 3, 13, 12), dtype=np.float32)
    for second, third in product(STEPS, STEPS):
        text = f"13x12x3 -(3x3x3x8 same)-> -{first}-> -{second}-> -{third}->"
        try:
            api.export(text, output=str(path), weights="random")
        except NotationError:
            continue  # a window larger than its input
        runtime = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        name = runtime.get_inputs()[0].name
        (expected,) = runtime.run(None, {name: x})
        scale = np.abs(expected).max() + 1e-6
        for threads in (1, 2):
            (got,) = Session(path, threads=threads).run(None, {name: x})
            assert np.abs(got - expected).max() <= 1e-4 * scale, (text, threads)
        done += 1
    assert done >= 36
