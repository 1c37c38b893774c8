"""LSTM on integers against onnxruntime, and its rounding against the definition of DynamicQuantizeLinear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from convcost import Session, onnx_reader
from convcost.engine.kernels.packed import levels

FLOATS = arrays.arrays(
    np.float32,
    arrays.array_shapes(max_dims=2, max_side=9),
    elements=st.floats(-1000, 1000, width=32, allow_subnormal=False),
)


@given(FLOATS)
def test_levels_are_those_of_dynamic_quantisation(x: Any) -> None:
    info = helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)
    outputs = [helper.make_empty_tensor_value_info(n) for n in ("y", "scale", "zero")]
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])
    model = helper.make_model(helper.make_graph([node], "g", [info], outputs), ir_version=8)
    q, scale, zero = (np.asarray(v) for v in ReferenceEvaluator(model).run(None, {"x": x}))
    found = np.empty_like(x)
    step = levels(x, found)
    if x.any():  # of zeros any scale is right
        assert step == scale
    np.testing.assert_array_equal(found, q.astype(np.float32) - zero)


def test_the_highest_level_is_kept_within_eight_bits() -> None:
    """With ends of 127.5 steps both round outwards, to 128 and -128: 257 levels, of which the last does not exist."""
    x = np.array([-127.5, 127.5], np.float32)
    found = np.empty_like(x)
    assert levels(x, found) == 1
    assert found.tolist() == [-128, 127]


def lstm(
    d: int, hidden: int, kind: Any, *, by_column: bool, bias: bool, state: bool, direction: str
) -> tuple[bytes, dict[str, Any]]:
    """A DynamicQuantizeLSTM with random weights, for inputs of 3 steps and 2 sequences; and inputs."""
    draw = np.random.default_rng(hidden + d)
    size, scales = 5, (d, 4 * hidden) if by_column else (d,)
    info = np.iinfo(kind)
    weights: dict[str, Any] = {
        "w": draw.integers(info.min, info.max + 1, (d, size, 4 * hidden)).astype(kind),
        "r": draw.integers(info.min, info.max + 1, (d, hidden, 4 * hidden)).astype(kind),
        "b": draw.standard_normal((d, 8 * hidden)).astype(np.float32),
        "h": draw.uniform(-1, 1, (d, 2, hidden)).astype(np.float32),
        "c": draw.standard_normal((d, 2, hidden)).astype(np.float32),
        "ws": draw.uniform(0.002, 0.01, scales).astype(np.float32),
        "wz": np.full(scales, info.min + 128, kind),
        "rs": draw.uniform(0.002, 0.01, scales).astype(np.float32),
        "rz": np.full(scales, info.min + 128, kind),
    }
    names = ["x", "w", "r", "b" if bias else "", "", *(("h", "c") if state else ("", "")), "", "ws", "wz", "rs", "rz"]
    node = helper.make_node(
        "DynamicQuantizeLSTM",
        names,
        ["y", "yh", "yc"],
        domain="com.microsoft",
        hidden_size=hidden,
        direction=direction,
    )
    x = draw.standard_normal((3, 2, size)).astype(np.float32)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("y", "yh", "yc")],
        [numpy_helper.from_array(v, n) for n, v in weights.items() if n in names],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return data, {"x": x}


@pytest.mark.parametrize("kind", [np.int8, np.uint8])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("by_column", [False, True])
@pytest.mark.parametrize(("hidden", "bias", "state"), [(1, False, True), (8, True, True), (16, True, False)])
def test_lstm_on_integers_agrees_with_onnxruntime(
    kind: Any, direction: str, by_column: bool, hidden: int, bias: bool, state: bool, onnxruntime_outputs: Any
) -> None:
    d = 2 if direction == "bidirectional" else 1
    data, feeds = lstm(d, hidden, kind, by_column=by_column, bias=bias, state=state, direction=direction)
    found = Session(onnx_reader.from_bytes(data).graph, threads=1).run(None, feeds)
    for ours, theirs in zip(found, onnxruntime_outputs(data, feeds), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)


@pytest.fixture
def tashkeel(corpus: Path) -> onnx.ModelProto:
    """A model that quantises its inputs at every step of two bidirectional layers, with all tensors as outputs."""
    model = onnx.load(corpus / "models" / "tashkeel_rawi_v3_int8.onnx")
    given = {o.name for o in model.graph.output}
    names = [o for n in model.graph.node for o in n.output if o and o not in given and n.op_type != "Constant"]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return model


def letters(seed: int) -> dict[str, Any]:
    return {"input": np.random.default_rng(seed).integers(1, 30, (1, 64))}


@pytest.mark.corpus
def test_each_node_agrees_where_onnxruntime_reads_the_same(
    corpus: Path, tashkeel: onnx.ModelProto, onnxruntime_outputs: Any
) -> None:
    """The layers are as exact as their activation functions; integers, and what is made of them, agree exactly."""
    names = [o.name for o in tashkeel.graph.output]
    session = Session(corpus / "models" / "tashkeel_rawi_v3_int8.onnx", threads=1)
    feeds = letters(1)
    theirs = dict(zip(names, onnxruntime_outputs(tashkeel.SerializeToString(), feeds), strict=True)) | feeds
    constants = {name: session.plan.constants.get(slot) for name, slot in session.plan.slots.items()}
    seen = 0
    for step in session.plan.steps:
        assert step.bound is not None
        given_ = [theirs.get(name, constants.get(name)) if name else None for name in step.node.inputs]
        for name, ours in zip(step.node.outputs, step.bound(given_), strict=True):
            if name in theirs:
                seen += 1
                exact = theirs[name].dtype.kind != "f" or "LSTM" not in step.node.op
                np.testing.assert_allclose(ours, theirs[name], rtol=1e-6 * exact, atol=0 if exact else 5e-6)
    assert seen > 25


@pytest.mark.corpus
def test_the_last_bits_of_a_bias_move_onnxruntime_as_far_from_itself(corpus: Path, onnxruntime_outputs: Any) -> None:
    """Mostly the whole model agrees to the last bits; where one value is rounded to the next of 256 levels, it moves.

    So no program can agree with another on every input, nor onnxruntime with itself after a change of the last bits.
    """
    path = corpus / "models" / "tashkeel_rawi_v3_int8.onnx"
    moved = onnx.load(path)
    (bias,) = (t for t in moved.graph.initializer if t.name == "onnx::LSTM_359")
    value = numpy_helper.to_array(bias)
    bits = np.random.default_rng(0).integers(-2, 3, value.shape)
    bias.CopyFrom(numpy_helper.from_array((value + bits * np.spacing(value)).astype(np.float32), bias.name))
    data = moved.SerializeToString()
    session = Session(path, threads=1)
    ours: list[float] = []
    itself: list[float] = []
    for seed in range(16):
        feeds = letters(seed)
        theirs = onnxruntime_outputs(path, feeds)[1]
        for gaps, other in ((ours, session.run(None, feeds)[1]), (itself, onnxruntime_outputs(data, feeds)[1])):
            gaps.append(float(np.abs(other - theirs).max() / np.abs(theirs).max()))
    assert max(np.median(ours), np.median(itself)) < 1e-6
    assert max(itself) > 1e-3
    assert max(ours) < 0.05
