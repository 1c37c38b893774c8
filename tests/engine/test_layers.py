"""Single layers of compiled programs against onnxruntime: concatenation, pooling, normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import onnx_reader
from convcost.engine import Session
from convcost.engine.guard import Watch
from convcost.engine.static import pool


def session_of(data: bytes, **options: Any) -> Session:
    raw = onnx_reader.from_bytes(data).raw
    return Session(onnx_reader.resolve_model(raw, assume=False).graph, **options)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("channels", [1, 5])
def test_channels_that_are_constant_are_concatenated(
    channels: int, fuse: Any, threads: int, onnxruntime_outputs: Any
) -> None:
    rng = np.random.default_rng(3)
    more = rng.standard_normal((2, channels, 6, 5))
    w, v = rng.standard_normal((4, 3, 1, 1)), rng.standard_normal((4, 4 + channels, 3, 3))
    stored = [numpy_helper.from_array(a.astype(np.float32), n) for a, n in ((more, "more"), (w, "w"), (v, "v"))]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"]),
        helper.make_node("Concat", ["a", "more"], ["b"], axis=1),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Conv", ["c", "v"], ["d"], pads=[1, 1, 1, 1]),
        helper.make_node("Concat", ["d", "more", "d"], ["y"], axis=1),
    ]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", 1, [2, 3, 6, 5])], [y], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    session = session_of(data, threads=threads)
    x = rng.standard_normal((2, 3, 6, 5)).astype(np.float32)
    for _ in range(2):
        (found,) = session.watched(None, {"x": x}, Watch(session.limits), fuse=fuse)
        np.testing.assert_allclose(found, onnxruntime_outputs(data, {"x": x})[0], rtol=1e-4, atol=1e-4)
    program = session._programs.find([x], fuse=fuse)
    assert program is not None
    assert all(e.unit.kind != "generic" for e in program.entries)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    "attrs",
    [
        {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1]},  # no tap reads the input everywhere
        {"kernel_shape": [4, 3], "pads": [3, 1, 2, 2], "strides": [1, 2]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1, "pads": [1, 0, 0, 1]},
        {"kernel_shape": [9, 7]},  # the whole map
        {"kernel_shape": [5, 3], "strides": [3, 2]},
    ],
)
@pytest.mark.parametrize("batch", [1, 2])
def test_poolings_in_bands_agree_with_onnxruntime(
    batch: int,
    attrs: dict[str, Any],
    op: str,
    threads: int,
    onnxruntime_outputs: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "BAND", 700)  # one or two rows
    rng = np.random.default_rng(4)
    weight = numpy_helper.from_array(rng.standard_normal((40, 3, 1, 1)).astype(np.float32), "w")
    nodes = [helper.make_node("Conv", ["x", "w"], ["a"]), helper.make_node(op, ["a"], ["y"], **attrs)]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", 1, [batch, 3, 9, 7])], [y], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    session = session_of(data, threads=threads)
    for _ in range(2):
        x = rng.standard_normal((batch, 3, 9, 7)).astype(np.float32)
        (found,) = session.run(None, {"x": x})
        np.testing.assert_allclose(found, onnxruntime_outputs(data, {"x": x})[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("bounds", [(0, 6), (-1, None), (0.5, 0.25)])
@pytest.mark.parametrize("fuse", [True, False])
def test_clip_agrees_with_onnxruntime(bounds: tuple[Any, Any], fuse: Any, onnxruntime_outputs: Any) -> None:
    rng = np.random.default_rng(5)
    weight = numpy_helper.from_array(rng.standard_normal((8, 3, 1, 1)).astype(np.float32), "w")
    limits = [
        numpy_helper.from_array(np.array(b, np.float32), n) for n, b in zip("ab", bounds, strict=True) if b is not None
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Clip", ["c", *(t.name for t in limits)], ["y"]),
    ]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    stored = [weight, *limits]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", 1, [1, 3, 40, 41])], [y], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    session = session_of(data)
    x = rng.standard_normal((1, 3, 40, 41)).astype(np.float32)
    x[0, :, 3, 3] = np.nan
    (found,) = session.watched(None, {"x": x}, Watch(session.limits), fuse=fuse)
    np.testing.assert_allclose(found, onnxruntime_outputs(data, {"x": x})[0], rtol=1e-5, atol=1e-5)
