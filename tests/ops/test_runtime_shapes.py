"""Operators of onnxruntime's own domain: shapes and types against what onnxruntime really gives."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from convcost.ir import DType

A = dict[str, Any]


def f32(*shape: int) -> np.ndarray[Any, Any]:
    """Floats between 0 and 1."""
    return np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def u8(*shape: int) -> np.ndarray[Any, Any]:
    """Bytes."""
    return np.arange(int(np.prod(shape))).astype(np.uint8).reshape(shape)


def i32(*values: int) -> np.ndarray[Any, Any]:
    """Small integers."""
    return np.array(values, dtype=np.int32)


ONE = np.float32(0.5)
U = np.uint8(3)
SCALED = (ONE, U)
IDS = np.array([[0, 1, 2, 1], [2, 0, 1, 1]], dtype=np.int32)
NORM = (f32(6), f32(6))
CONV: A = {"kernel_shape": [3, 3], "pads": [1, 0, 2, 1], "strides": [2, 1]}
HEADS: A = {"num_heads": 2}

CASES: list[tuple[str, tuple[Any, ...], A, int]] = [
    ("FusedConv", (f32(1, 4, 7, 9), f32(6, 4, 3, 3), f32(6)), {**CONV, "activation": "Relu"}, 1),
    ("FusedConv", (f32(1, 4, 5, 5), f32(6, 4, 3, 3), f32(6), f32(1, 6, 3, 3)), {"activation": "Relu"}, 1),
    ("QLinearConv", (u8(1, 7, 9, 4), *SCALED, u8(6, 4, 3, 3), *SCALED, *SCALED), {**CONV, "channels_last": 1}, 1),
    (
        "ConvTransposeWithDynamicPads",
        (f32(1, 4, 5, 5), f32(4, 3, 3, 3), np.array([0, 0, 1, 1])),
        {"strides": [2, 2]},
        1,
    ),
    ("NhwcMaxPool", (u8(1, 7, 9, 4),), CONV, 1),
    ("QLinearAveragePool", (u8(1, 4, 7, 9), *SCALED, *SCALED), {**CONV, "ceil_mode": 1}, 1),
    ("QLinearAveragePool", (u8(1, 7, 9, 4), *SCALED, *SCALED), {**CONV, "channels_last": 1}, 1),
    ("QLinearGlobalAveragePool", (u8(2, 4, 7, 9), *SCALED, *SCALED), {}, 1),
    ("QLinearGlobalAveragePool", (u8(2, 7, 9, 4), *SCALED, *SCALED), {"channels_last": 1}, 1),
    ("FusedMatMul", (f32(2, 5, 3), f32(2, 5, 4)), {"transA": 1, "alpha": 0.5}, 1),
    ("FusedMatMul", (f32(2, 3, 5), f32(4, 5)), {"transB": 1}, 1),
    ("FusedMatMul", (f32(3, 2, 5), f32(2, 5, 4)), {"transBatchA": 1}, 1),
    ("FusedMatMul", (f32(2, 3, 5), f32(5, 2, 4)), {"transBatchB": 1}, 1),
    ("FusedMatMul", (f32(3, 2, 5), f32(2, 3, 4)), {"transBatchA": 1, "transA": 1}, 1),
    ("TransposeMatMul", (f32(2, 5, 3), f32(2, 5, 4)), {"transA": 1}, 1),
    ("FusedGemm", (f32(3, 5), f32(5, 4), f32(4)), {"activation": "Relu"}, 1),
    ("MatMulNBits", (f32(2, 3, 64), u8(5, 2, 16), f32(10)), {"K": 64, "N": 5, "bits": 4, "block_size": 32}, 1),
    ("MatMulBnb4", (f32(2, 3, 64), u8(160), f32(20)), {"K": 64, "N": 5, "block_size": 16, "quant_type": 1}, 1),
    ("DynamicQuantizeMatMul", (f32(2, 3, 5), u8(5, 4), ONE.reshape(1), u8(4)[3:], f32(4)), {}, 1),
    ("MatMulIntegerToFloat", (u8(2, 3, 5), u8(5, 4), ONE, ONE, U, U, f32(4)), {}, 1),
    ("QGemm", (u8(3, 5), *SCALED, u8(5, 4), *SCALED, None, *SCALED), {}, 1),
    ("QGemm", (u8(3, 5), *SCALED, u8(4, 5), *SCALED), {"transB": 1}, 1),
    ("QLinearAdd", (u8(2, 1, 4), *SCALED, u8(3, 1), *SCALED, *SCALED), {}, 1),
    ("QLinearMul", (u8(2, 1, 4), *SCALED, u8(3, 1), *SCALED, *SCALED), {}, 1),
    ("QLinearSigmoid", (u8(2, 3), *SCALED, *SCALED), {}, 1),
    ("QLinearLeakyRelu", (u8(2, 3), *SCALED, *SCALED), {}, 1),
    ("QLinearSoftmax", (u8(2, 3), *SCALED, *SCALED), {"opset": 13}, 1),
    ("QLinearConcat", (*SCALED, u8(2, 3), *SCALED, u8(2, 5), *SCALED), {"axis": 1}, 1),
    ("QLinearWhere", (np.array([[True], [False]]), u8(2, 3), *SCALED, u8(3), *SCALED, *SCALED), {}, 1),
    ("Attention", (f32(2, 4, 6), f32(6, 18), f32(18)), HEADS, 1),
    ("Attention", (f32(2, 4, 6), f32(6, 18), f32(18), None, f32(2, 2, 2, 5, 3)), {**HEADS, "unidirectional": 1}, 2),
    ("Attention", (f32(2, 4, 6), f32(6, 20), f32(20)), {**HEADS, "qkv_hidden_sizes": [8, 8, 4]}, 1),
    ("QAttention", (u8(2, 4, 6), u8(6, 18), f32(18), ONE, ONE, None, U, U), HEADS, 1),
    ("MultiHeadAttention", (f32(2, 4, 6), f32(2, 5, 6), f32(2, 5, 8)), HEADS, 1),
    ("MultiHeadAttention", (f32(2, 4, 6), f32(2, 2, 5, 3), f32(2, 2, 5, 3)), HEADS, 1),
    (
        "MultiHeadAttention",
        (f32(2, 4, 6), f32(2, 4, 6), f32(2, 4, 6), None, None, None, f32(2, 2, 7, 3), f32(2, 2, 7, 3)),
        HEADS,
        3,
    ),
    (
        "GroupQueryAttention",
        (f32(1, 4, 32), f32(1, 4, 16), f32(1, 4, 16), f32(1, 2, 0, 8), f32(1, 2, 0, 8), i32(3), i32(4)),
        {"num_heads": 4, "kv_num_heads": 2},
        3,
    ),
    (
        "GroupQueryAttention",
        (f32(1, 1, 32), f32(1, 1, 16), f32(1, 1, 16), f32(1, 2, 6, 8), f32(1, 2, 6, 8), i32(6), i32(7)),
        {"num_heads": 4, "kv_num_heads": 2},
        3,
    ),
    ("RotaryEmbedding", (f32(1, 4, 16), np.array([[0, 1, 2, 3]]), f32(10, 4), f32(10, 4)), {"num_heads": 2}, 1),
    ("MoE", (f32(4, 8), f32(4, 3), f32(3, 16, 8), None, f32(3, 8, 16)), {"k": 2}, 1),
    ("SkipLayerNormalization", (f32(2, 3, 6), f32(2, 3, 6), *NORM, f32(6)), {}, 1),
    ("SkipLayerNormalization", (f32(2, 3, 6), f32(2, 3, 6), *NORM), {}, 4),
    ("SkipSimplifiedLayerNormalization", (f32(2, 3, 6), f32(2, 3, 6), f32(6)), {}, 4),
    ("EmbedLayerNormalization", (IDS, IDS, f32(9, 6), f32(5, 6), f32(3, 6), *NORM), {}, 3),
    ("Gelu", (f32(2, 3),), {}, 1),
    ("BiasGelu", (f32(2, 6), f32(6)), {}, 1),
    ("FastGelu", (f32(2, 6), f32(6)), {}, 1),
    ("QuickGelu", (f32(2, 6),), {}, 1),
    ("GridSample", (f32(2, 3, 5, 5), f32(2, 4, 6, 2)), {}, 1),
    ("CropAndResize", (f32(2, 3, 8, 8), f32(4, 4), i32(0, 1, 0, 1), i32(5, 6)), {}, 1),
    ("CausalConvWithState", (f32(2, 3, 7), f32(3, 1, 4)), {}, 2),
    ("QuantizeLinear", (f32(2, 3), *SCALED), {}, 1),
    ("QuantizeLinear", (f32(2, 3), ONE, np.uint16(3)), {}, 1),
    ("DequantizeLinear", (u8(2, 3), f32(3), u8(3)), {"axis": 1}, 1),
    ("Pad", (f32(2, 3), np.array([0, 1, 2, 0])), {}, 1),
    ("GatherND", (f32(2, 3), np.array([[1], [0]])), {}, 1),
    ("Trilu", (f32(3, 3),), {}, 1),
    ("GatherBlockQuantized", (u8(5, 16), np.array([[1, 2, 0]]), f32(5, 2)), {"block_size": 16, "bits": 4}, 1),
    ("GatherBlockQuantized", (u8(5, 32), np.array([1, 2]), f32(5, 2)), {"block_size": 16, "bits": 8}, 1),
    (
        "DynamicQuantizeLSTM",
        (
            f32(5, 2, 3),
            u8(1, 3, 16),
            u8(1, 4, 16),
            None,
            None,
            None,
            None,
            None,
            ONE.reshape(1),
            u8(4)[3:],
            ONE.reshape(1),
            u8(4)[3:],
        ),
        {"hidden_size": 4},
        3,
    ),
]


COPIES = ("Pad", "GatherND", "Trilu")


def run(name: str, inputs: tuple[Any, ...], attributes: A, n_outputs: int) -> list[Any]:
    """The outputs of onnxruntime for a model of one node."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    runtime = pytest.importorskip("onnxruntime")
    arrays = {f"x{i}": np.asarray(x) for i, x in enumerate(inputs) if x is not None}
    names = [f"x{i}" if x is not None else "" for i, x in enumerate(inputs)]
    outputs = [f"y{i}" for i in range(n_outputs)]
    node = helper.make_node(name, names, outputs, domain="com.microsoft")
    node.attribute.extend(helper.make_attribute(k, v) for k, v in attributes.items())
    graph = helper.make_graph([node], "g", [], [helper.make_empty_tensor_value_info(o) for o in outputs])
    graph.initializer.extend(onnx.numpy_helper.from_array(v, n) for n, v in arrays.items())
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return list(runtime.InferenceSession(model.SerializeToString(), options).run(None, {}))


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "n_outputs"), CASES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_outputs_are_the_real_ones(
    name: str, inputs: tuple[Any, ...], attributes: A, n_outputs: int, apply: Any
) -> None:
    real = run(name, inputs, attributes, n_outputs)
    stored = {k: tuple(v) if isinstance(v, list) else v for k, v in attributes.items()}
    used = apply(name, *inputs, domain="com.microsoft", n_outputs=n_outputs, **stored)
    for ours, theirs in zip(used.outputs, real, strict=False):
        if theirs is not None and theirs.size:
            assert ours.shape == theirs.shape
            assert ours.dtype is DType.from_label(theirs.dtype.name)
    assert (used.cost().flops > 0) is (name not in COPIES)
