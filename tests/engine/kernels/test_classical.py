"""Operators of ai.onnx.ml against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from convcost import Session, onnx_reader


def one(op: str, shape: tuple[int, ...], **attributes: Any) -> bytes:
    """A model of one node with one input and one output in single precision."""
    node = helper.make_node(op, ["x"], ["y"], domain="ai.onnx.ml", **attributes)
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", shape), ("y", None)))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    model = helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=opsets, ir_version=8)
    data: bytes = model.SerializeToString()
    return data


@pytest.mark.parametrize("norm", ["L1", "L2"])
@pytest.mark.parametrize("rows", [1, 4])
def test_normalizer(norm: str, rows: int, onnxruntime_outputs: Any) -> None:
    x = np.random.default_rng(0).uniform(0, 2, (rows, 5)).astype(np.float32)
    x[0, 1:3] *= -1
    x[-1, :] = 0 if rows > 1 else x[-1]
    data = one("Normalizer", x.shape, norm=norm)
    session = Session(onnx_reader.from_bytes(data).graph)
    (found,), (expected,) = session.run(None, {"x": x}), onnxruntime_outputs(data, {"x": x})
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert session.plan.steps[0].algorithm == "ufunc"
