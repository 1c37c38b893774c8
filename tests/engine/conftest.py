"""Models with random weights, and onnxruntime as the second opinion."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.backend.test
import pytest
from onnx import numpy_helper

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

Reference = Callable[[Any, dict[str, Any]], list[Any]]


@pytest.fixture(scope="session")
def onnxruntime_outputs() -> Reference:
    """Outputs of a model (a path or bytes) in onnxruntime, optimisations off."""
    ort = pytest.importorskip("onnxruntime")

    def run(model: Any, feeds: dict[str, Any]) -> list[Any]:
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        source = model if isinstance(model, bytes) else str(model)
        outputs: list[Any] = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"]).run(None, feeds)
        return outputs

    return run


@pytest.fixture(scope="session")
def gone() -> Callable[[int], bool]:
    """Whether a process ends within some time."""

    def ends(pid: int) -> bool:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.01)
        return False

    return ends


@pytest.fixture(scope="session")
def light_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A copy of one of onnx's light models whose constant weights are drawn at random.

    The constants of the original give the same number everywhere, which hides what a kernel gets wrong.
    """
    folder = tmp_path_factory.mktemp("light")
    data = Path(onnx.backend.test.__file__).parent / "data" / "light"

    def make(name: str) -> Path:
        path = folder / f"{name}.onnx"
        if path.exists():
            return path
        model = onnx.load(data / f"light_{name}.onnx")
        draw = np.random.default_rng(7)
        shapes = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        kept = []
        for node in model.graph.node:
            if node.op_type != "ConstantOfShape":
                kept.append(node)
                continue
            shape = tuple(int(d) for d in shapes[node.input[0]])
            if len(shape) > 1:
                weight = draw.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
            else:
                weight = draw.uniform(0.5, 1.5, shape)
            model.graph.initializer.append(numpy_helper.from_array(weight.astype(np.float32), node.output[0]))
        if kept[-1].op_type == "Softmax" and name != "squeezenet":
            model.graph.output[0].name = kept.pop().input[0]  # after it one class would have everything
        del model.graph.node[:]
        model.graph.node.extend(kept)
        onnx.save(model, path)
        return path

    return make
