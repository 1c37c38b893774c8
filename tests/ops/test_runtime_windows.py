"""Windows against onnxruntime: output sizes under automatic padding, rounding up and wanted output shapes, and the
products inside: with ones in the input and in the weight, the sum of the output is the number of them.
"""

from __future__ import annotations

import os
import random
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import analysis
from convcost.errors import ModelError
from convcost.onnx_reader import from_bytes

LAYERS = 150


def drawn(rng: random.Random, op: str) -> tuple[list[int], list[int], dict[str, Any]]:
    """(input, kernel, attributes). No dilation beside SAME: onnxruntime refuses it or forgets it there."""
    axes = range(rng.choice((1, 2, 3)))
    spatial, kernel = [rng.randint(1, 12) for _ in axes], [rng.randint(1, 4) for _ in axes]
    a: dict[str, Any] = {"strides": [rng.randint(1, 4) for _ in axes]}
    auto = rng.choice(("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"))
    if auto == "NOTSET":
        a["pads"] = [rng.randint(0, k - 1) for k in kernel * 2]
    else:
        a["auto_pad"] = auto
    if not auto.startswith("SAME") and rng.random() < 0.5:
        a["dilations"] = [rng.randint(1, 3) for _ in axes]
    if op.endswith("Pool"):
        if auto.startswith("SAME"):  # onnxruntime refuses gaps between such windows
            a["strides"] = [min(s, k) for s, k in zip(a["strides"], kernel, strict=True)]
        a |= {"kernel_shape": kernel, "ceil_mode": rng.randint(0, 1)}
    if op == "ConvTranspose" and rng.random() < 0.5:
        a["output_padding"] = [rng.randint(0, s - 1) for s in a["strides"]]
    elif op == "ConvTranspose":
        wide = [(k - 1) * d + 1 for k, d in zip(kernel, a.get("dilations", [1] * len(kernel)), strict=True)]
        most = [(i - 1) * s + k for i, s, k in zip(spatial, a["strides"], wide, strict=True)]
        a = {**a, "output_shape": [max(1, o - rng.randint(0, 3)) for o in most]}
        a.pop("pads", None)
    return spatial, kernel, a


def model_of(op: str, spatial: list[int], kernel: list[int], attributes: dict[str, Any]) -> bytes:
    """A model of one layer."""
    shape = [1, 4 if op == "ConvTranspose" else 2, *spatial]
    weight = numpy_helper.from_array(np.ones((4, 2, *kernel), dtype=np.float32), "w")
    weights = [] if op.endswith("Pool") else [weight]
    node = helper.make_node(op, ["x", *(w.name for w in weights)], ["y"])
    node.attribute.extend(helper.make_attribute(k, v) for k, v in attributes.items())
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "g", [x], [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    out: bytes = model.SerializeToString()
    return out


@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool"])
def test_sizes(op: str) -> None:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    rng, compared = random.Random(op), 0
    for _ in range(LAYERS):
        spatial, kernel, attributes = drawn(rng, op)
        model = model_of(op, spatial, kernel, attributes)
        try:
            ours = from_bytes(model).graph.tensors["y"].dims
        except ModelError as refused:
            assert "larger than the padded input" in refused.message or "exceeds the output" in refused.message  # noqa: PT017 - others are wrong
            continue
        session = runtime.InferenceSession(model, options)
        x = np.ones([1, 4 if op == "ConvTranspose" else 2, *spatial], dtype=np.float32)
        y = session.run(None, {"x": x})[0]
        assert y.shape == ours, (spatial, kernel, attributes)
        if op.startswith("Conv"):
            cost = analysis.count(from_bytes(model).graph).layers[0].cost
            assert cost.macs_effective == y.sum(), (spatial, kernel, attributes)
        compared += 1
    assert compared > LAYERS // 2
