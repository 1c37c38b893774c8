"""Biases and relu that move to other units of a compiled plan: the outputs stay those of onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import onnx_reader
from convcost.engine import Session


def fire(end: str, seed: int) -> bytes:
    """Squeeze, two expansions side by side, relu before or after, then what reads them."""
    rng = np.random.default_rng(seed)
    stored: list[Any] = []
    nodes: list[Any] = []

    def conv(x: str, y: str, c: int, m: int, k: int, group: int = 1) -> None:
        w = rng.standard_normal((m, c // group, k, k)) / np.sqrt(c * k * k / group)
        for name, value in ((f"w_{y}", w), (f"b_{y}", rng.standard_normal(m))):
            stored.append(numpy_helper.from_array(value.astype(np.float32), name))
        nodes.append(helper.make_node("Conv", [x, f"w_{y}", f"b_{y}"], [y], group=group, pads=[k // 2] * 4))

    def node(op: str, inputs: list[str], output: str, **attrs: Any) -> None:
        nodes.append(helper.make_node(op, inputs, [output], **attrs))

    conv("x", "s", 3, 4, 3)
    conv("s", "p", 4, 8, 1)
    conv("s", "q", 4, 16, 3)
    if seed % 2:
        node("Relu", ["p"], "pr")
        node("Relu", ["q"], "qr")
        node("Concat", ["pr", "qr"], "k", axis=1)
    else:
        node("MaxPool", ["q"], "qm", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        node("Concat", ["p", "qm"], "kr", axis=1)
        node("Relu", ["kr"], "k")
    pooling = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    if end in ("pool", "both"):
        node("MaxPool", ["k"], "m", **pooling)
        conv("m", "y1", 24, 6, 1)
    if end in ("single", "both"):
        conv("k", "y2", 24, 8, 1, 4)
    if end == "wide":
        conv("k", "y3", 24, 4, 3)
    if end == "depthwise":
        node("Relu", ["s"], "sr")
        conv("sr", "d", 4, 4, 3, 4)
        conv("d", "y4", 4, 6, 1)
    made = {n.output[0] for n in nodes}
    outputs = [n for n in ("y1", "y2", "y3", "y4") if n in made] or ["k"]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 9, 11])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        stored,
    )
    data: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return data


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("end", ["pool", "single", "both", "wide", "depthwise", "none"])
def test_biases_that_are_handed_on_agree_with_onnxruntime(
    end: str, seed: int, threads: int, onnxruntime_outputs: Any
) -> None:
    data = fire(end, seed)
    raw = onnx_reader.from_bytes(data).raw
    session = Session(onnx_reader.resolve_model(raw, assume=False).graph, threads=threads)
    x = np.random.default_rng(seed).standard_normal((2, 3, 9, 11), np.float32)
    for _ in range(2):
        for ours, theirs in zip(session.run(None, {"x": x}), onnxruntime_outputs(data, {"x": x}), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
