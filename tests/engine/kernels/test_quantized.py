"""Quantisation against onnxruntime, from the first version of the operators on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from convcost import onnx_reader
from convcost.engine import Session

SCALES = np.array([0.5, 0.25, 0.125], np.float32)
INTEGERS = {
    "uint8": np.array([[0, 1, 7], [100, 200, 255]], np.uint8),
    "int8": np.array([[-128, -1, 0], [1, 5, 127]], np.int8),
    "int32": np.array([[-70_000, -1, 0], [1, 5, 70_000]], np.int32),
}
SCALE = np.array(0.5, np.float32)
FLOATS = np.array([[-200.0, 0.25, 0.75], [1.25, 40.0, 500.0]], np.float32)


def model_of(op: str, opset: int, inputs: dict[str, Any], **attributes: Any) -> bytes:
    """One node, all of whose inputs are inputs of the graph."""
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in inputs.items()
    ]
    kind = TensorProto.FLOAT if op == "DequantizeLinear" else TensorProto.UINT8
    if op == "QuantizeLinear" and "zero" in inputs:
        kind = helper.np_dtype_to_tensor_dtype(inputs["zero"].dtype)
    node = helper.make_node(op, list(inputs), ["y"], name="n", **attributes)
    graph = helper.make_graph([node], "g", infos, [helper.make_tensor_value_info("y", kind, None)])
    data: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8
    ).SerializeToString()
    return data


def same(data: bytes, inputs: dict[str, Any], onnxruntime_outputs: Any) -> None:
    (found,) = Session(onnx_reader.from_bytes(data).graph).run(None, inputs)
    expected = onnxruntime_outputs(data, inputs)[0]
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("opset", [10, 13, 18, 19, 21])
@pytest.mark.parametrize("kind", INTEGERS)
def test_no_zero_point_is_zero(opset: int, kind: str, onnxruntime_outputs: Any) -> None:
    inputs = {"x": INTEGERS[kind], "scale": SCALE}
    same(model_of("DequantizeLinear", opset, inputs), inputs, onnxruntime_outputs)


@pytest.mark.parametrize("opset", [13, 18, 21])
@pytest.mark.parametrize("kind", INTEGERS)
def test_a_scale_for_each_channel(opset: int, kind: str, onnxruntime_outputs: Any) -> None:
    inputs = {"x": INTEGERS[kind], "scale": SCALES}
    same(model_of("DequantizeLinear", opset, inputs, axis=1), inputs, onnxruntime_outputs)
    inputs = {"x": INTEGERS[kind], "scale": SCALES[:2]}
    same(model_of("DequantizeLinear", opset, inputs, axis=0), inputs, onnxruntime_outputs)


@pytest.mark.parametrize("opset", [10, 13, 19])
@pytest.mark.parametrize("op", ["QuantizeLinear", "DequantizeLinear"])
@pytest.mark.parametrize("zero", [np.array(3, np.uint8), np.array(-3, np.int8)])
def test_a_zero_point_that_is_computed(op: str, opset: int, zero: Any, onnxruntime_outputs: Any) -> None:
    x = FLOATS if op == "QuantizeLinear" else INTEGERS[str(zero.dtype)]
    inputs = {"x": x, "scale": SCALE, "zero": zero}
    same(model_of(op, opset, inputs), inputs, onnxruntime_outputs)


@pytest.mark.parametrize("opset", [10, 13, 19])
def test_without_a_zero_point_the_result_is_uint8(opset: int, onnxruntime_outputs: Any) -> None:
    inputs = {"x": FLOATS, "scale": SCALE}
    same(model_of("QuantizeLinear", opset, inputs), inputs, onnxruntime_outputs)
