"""Our kernels against onnx's reference operators and onnxruntime on random cases."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from convcost import onnx_reader
from convcost.engine import Session, kernels
from convcost.engine.kernels.activation import erf
from convcost.engine.weights import varints
from convcost.ops import find

Arrays = dict[str, Any]


def model_of(op: str, inputs: Arrays, outputs: int = 1, opset: int = 17, **attributes: Any) -> onnx.ModelProto:
    names = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, list(inputs), names, name="n", **attributes)
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in inputs.items()
    ]
    graph = helper.make_graph([node], "g", infos, [helper.make_empty_tensor_value_info(n) for n in names])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def ours(model: onnx.ModelProto, inputs: Arrays) -> list[Any]:
    return Session(onnx_reader.from_bytes(model.SerializeToString()).graph).run(None, inputs)


def typed(model: onnx.ModelProto, outputs: list[Any]) -> bytes:
    """The model with its outputs typed, as onnxruntime wants it."""
    for info, array in zip(model.graph.output, outputs, strict=True):
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        info.CopyFrom(helper.make_tensor_value_info(info.name, kind, None))
    data: bytes = model.SerializeToString()
    return data


def reference(model: onnx.ModelProto, inputs: Arrays) -> Any:
    """The first output of onnx's reference evaluator."""
    outputs: Any = ReferenceEvaluator(model).run(None, inputs)
    return outputs[0]


def draw(rng: np.random.Generator, *shape: int) -> Any:
    return rng.standard_normal(shape).astype(np.float32)


def test_every_kernel_belongs_to_an_operator_of_the_table() -> None:
    missing = [key for key in kernels.all_keys() if find(*key) is None]
    assert not missing


@st.composite
def windows(draw_: st.DrawFn) -> tuple[dict[str, Any], tuple[int, ...], tuple[int, ...], int]:
    rank = draw_(st.integers(1, 3))
    axis = st.integers(1, 3)
    kernel = tuple(draw_(axis) for _ in range(rank))
    dilations = [draw_(st.integers(1, 2)) for _ in range(rank)]
    pads = [draw_(st.integers(0, k - 1)) for k in kernel] + [draw_(st.integers(0, k - 1)) for k in kernel]
    least = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    spatial = tuple(draw_(st.integers(n, n + 4)) for n in least)
    attributes = {"dilations": dilations, "pads": pads, "strides": [draw_(axis) for _ in range(rank)]}
    return attributes, kernel, spatial, draw_(st.integers(0, 2**16))


@settings(max_examples=60, deadline=None)
@given(windows(), st.sampled_from([1, 2, 4]), st.sampled_from([1, 3]), st.integers(0, 1), st.integers(0, 1))
def test_conv(onnxruntime_outputs: Any, window: Any, group: int, mul: int, bias: int, transposed: int) -> None:
    attributes, kernel, spatial, seed = window
    rng = np.random.default_rng(seed)
    c, m = 4, 4 * mul
    w = draw(rng, c, m // group, *kernel) if transposed else draw(rng, m, c // group, *kernel)
    inputs = {"x": draw(rng, 2, c, *spatial), "w": w}
    if bias:
        inputs["b"] = draw(rng, m)
    if transposed:
        attributes = attributes | {"pads": [0] * len(attributes["pads"])}
    model = model_of("ConvTranspose" if transposed else "Conv", inputs, group=group, **attributes)
    found = ours(model, inputs)
    np.testing.assert_allclose(found[0], onnxruntime_outputs(typed(model, found), inputs)[0], rtol=1e-4, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(windows(), st.sampled_from(["MaxPool", "AveragePool"]), st.integers(0, 1), st.integers(0, 1))
def test_pool(onnxruntime_outputs: Any, window: Any, op: str, ceil: int, count: int) -> None:
    attributes, kernel, spatial, seed = window
    inputs = {"x": draw(np.random.default_rng(seed), 2, 3, *spatial)}
    more: dict[str, Any] = {"kernel_shape": kernel, "ceil_mode": ceil}
    if op == "AveragePool":
        more["count_include_pad"] = count
    model = model_of(op, inputs, opset=22, **attributes, **more)
    found = ours(model, inputs)
    np.testing.assert_allclose(found[0], onnxruntime_outputs(typed(model, found), inputs)[0], rtol=1e-5, atol=1e-5)


RECURRENT = {"RNN": 1, "GRU": 3, "LSTM": 4}


@pytest.mark.parametrize("op", RECURRENT)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("case", ["plain", "states", "lengths", "clip"])
def test_recurrent(op: str, direction: str, case: str, onnxruntime_outputs: Any) -> None:
    rng = np.random.default_rng(RECURRENT[op])
    t, b, i, h, g = 5, 3, 4, 6, RECURRENT[op]
    d = 2 if direction == "bidirectional" else 1
    inputs: Arrays = {
        "x": draw(rng, t, b, i),
        "w": draw(rng, d, g * h, i),
        "r": draw(rng, d, g * h, h),
        "bias": draw(rng, d, 2 * g * h),
    }
    attributes: dict[str, Any] = {"direction": direction, "hidden_size": h}
    if case in ("lengths", "states"):
        inputs["n"] = np.array([5, 2, 3] if case == "lengths" else [5, 5, 5], np.int32)
    if case == "states":
        inputs["h"] = draw(rng, d, b, h)
        if op == "LSTM":
            inputs["c"] = draw(rng, d, b, h)
    if case == "clip":
        attributes["clip"] = 0.5
    if op == "GRU":
        attributes["linear_before_reset"] = int(case == "states")
    model = model_of(op, inputs, outputs=3 if op == "LSTM" else 2, opset=14, **attributes)
    found = ours(model, inputs)
    for mine, other in zip(found, onnxruntime_outputs(typed(model, found), inputs), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["nearest", "linear", "cubic"]),
    st.sampled_from(["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"]),
    st.lists(st.integers(1, 9), min_size=2, max_size=2),
    st.lists(st.integers(1, 14), min_size=2, max_size=2),
)
def test_resize(mode: str, transform: str, size: list[int], wanted: list[int]) -> None:
    inputs: Arrays = {
        "x": draw(np.random.default_rng(0), 1, 2, *size),
        "roi": np.zeros(0, np.float32),
        "scales": np.zeros(0, np.float32),
        "sizes": np.array([1, 2, *wanted], np.int64),
    }
    model = model_of("Resize", inputs, opset=19, mode=mode, coordinate_transformation_mode=transform)
    expected = reference(model, inputs)
    np.testing.assert_allclose(ours(model, inputs)[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("opset", [1, 11, 12, 13])
@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
def test_softmax_below_opset_13_normalises_all_later_axes(op: str, opset: int, onnxruntime_outputs: Any) -> None:
    inputs = {"x": draw(np.random.default_rng(0), 2, 3, 4)}
    model = model_of(op, inputs, opset=opset)
    found = ours(model, inputs)
    np.testing.assert_allclose(found[0], onnxruntime_outputs(typed(model, found), inputs)[0], rtol=1e-5, atol=1e-6)


UNARY = ("Relu", "Sigmoid", "Tanh", "Erf", "Elu", "Selu", "HardSigmoid", "HardSwish", "Softplus", "Gelu", "LeakyRelu")


@pytest.mark.parametrize("op", UNARY)
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16])
def test_activation(op: str, kind: Any) -> None:
    inputs = {"x": np.linspace(-30, 30, 241).astype(kind)}
    model = model_of(op, inputs, opset=20)
    with np.errstate(all="ignore"):
        expected = reference(model, inputs)
    (found,) = ours(model, inputs)
    assert found.dtype == kind
    tolerance = 3e-3 if kind is np.float16 else 2e-6
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_erf_is_exact_to_the_type() -> None:
    x = np.linspace(-6, 6, 4001)
    truth = np.array([math.erf(v) for v in x])
    assert np.abs(erf(x.astype(np.float32)) - truth).max() < 2e-7
    assert np.abs(erf(x) - truth).max() == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40))
def test_varints_of_a_typed_field(values: list[int]) -> None:
    proto = TensorProto(int64_data=values).SerializeToString()
    packed = b""
    if values:
        length_bytes = next(i for i in range(1, len(proto)) if proto[i] < 128)
        packed = proto[length_bytes + 1 :]
    assert varints(packed).tolist() == values


SHORT = [TensorProto.INT4, TensorProto.UINT4, TensorProto.BFLOAT16, TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT16]


@pytest.mark.parametrize("kind", SHORT)
@pytest.mark.parametrize("count", [7, 70_001])
def test_short_types_are_read_as_onnx_reads_them(kind: int, count: int, tmp_path: Any) -> None:
    values = np.random.default_rng(0).integers(0, 8, count).astype(np.float32)
    stored = helper.make_tensor("w", kind, [count], values)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["y"])],
        "g",
        [],
        [helper.make_tensor_value_info("y", kind, [count])],
        [stored],
    )
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)
    (found,) = Session(path).run(None, {})
    assert np.array_equal(found.astype(np.float32), numpy_helper.to_array(stored).astype(np.float32))
