"""LSTM and GRU with constant weights against onnxruntime: one direction or two, side by side or one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import Session, onnx_reader
from convcost.engine.kernels.common import SMALL

GATES = {"LSTM": 4, "GRU": 3}
LARGE = 140


def layer(
    op: str, steps: int, batch: int, hidden: int, *, full: bool, **attributes: Any
) -> tuple[bytes, dict[str, Any]]:
    """A layer of random weights and its input; `full` with biases and first states."""
    draw = np.random.default_rng(steps + batch + hidden)
    d, size, rows = 2 if attributes["direction"] == "bidirectional" else 1, 3, GATES[op] * hidden
    weights = {
        "w": draw.uniform(-0.5, 0.5, (d, rows, size)),
        "r": draw.uniform(-0.5, 0.5, (d, rows, hidden)) / np.sqrt(hidden),
        "b": draw.uniform(-0.5, 0.5, (d, 2 * rows)),
        "h": draw.uniform(-1, 1, (d, batch, hidden)),
        "c": draw.uniform(-1, 1, (d, batch, hidden)),
    }
    names = ["x", "w", "r", *(("b", "", "h", "c") if full else ())][: 7 if op == "LSTM" else 6]
    outputs = ["y", "yh", "yc"][: 3 if op == "LSTM" else 2]
    node = helper.make_node(op, names, outputs, hidden_size=hidden, **attributes)
    x = draw.standard_normal((steps, batch, size)).astype(np.float32)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(v.astype(np.float32), n) for n, v in weights.items() if n in names],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data, {"x": x}


def agree(data: bytes, feeds: dict[str, Any], onnxruntime_outputs: Any) -> None:
    session = Session(onnx_reader.from_bytes(data).graph, threads=1)
    expected = onnxruntime_outputs(data, feeds)
    for _ in range(2):
        for found, other in zip(session.run(None, feeds), expected, strict=True):
            np.testing.assert_allclose(found, other, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("steps", "batch", "hidden"), [(1, 2, 5), (3, 1, 8), (20, 3, 8), (4, 2, LARGE)])
def test_layers(
    op: str, direction: str, full: bool, steps: int, batch: int, hidden: int, onnxruntime_outputs: Any
) -> None:
    agree(*layer(op, steps, batch, hidden, full=full, direction=direction), onnxruntime_outputs)


@pytest.mark.parametrize("direction", ["reverse", "bidirectional"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("hidden", [6, LARGE])
def test_reset_after_the_product(direction: str, full: bool, hidden: int, onnxruntime_outputs: Any) -> None:
    given = layer("GRU", 18, 2, hidden, full=full, direction=direction, linear_before_reset=1)
    agree(*given, onnxruntime_outputs)


def test_the_large_layers_are_too_large_to_run_side_by_side() -> None:
    assert 4 * GATES["GRU"] * LARGE * LARGE * 4 > SMALL > 4 * GATES["LSTM"] * 8 * 8 * 4
