"""Sizes of resized images against onnxruntime, for random scales and sizes of every operator set."""

from __future__ import annotations

import os
import random
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from convcost.errors import ShapeError, Unknown
from convcost.ir import symbol
from convcost.onnx_reader import from_bytes

SCALES = (0.5, 2.0, 2.6, 1.3, 0.7, 0.1, 3.3, 1 / 3, 0.9, 1.1)


class Image(msgspec.Struct, frozen=True):
    """One use of an operator: the input's shape, and the inputs and attributes that say how to resize it."""

    op: str
    version: int
    shape: list[int]
    inputs: list[Any]
    attributes: dict[str, Any]

    def model(self) -> bytes:
        names = ["x", *(f"i{j}" if v is not None else "" for j, v in enumerate(self.inputs))]
        node = helper.make_node(self.op, names, ["y"])
        node.attribute.extend(helper.make_attribute(k, v) for k, v in self.attributes.items())
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)
        graph = helper.make_graph([node], "g", [x], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
        stored = {f"i{j}": v for j, v in enumerate(self.inputs) if v is not None}
        graph.initializer.extend(onnx.numpy_helper.from_array(v, n) for n, v in stored.items())
        imports = [helper.make_opsetid("", self.version)]
        out: bytes = helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()
        return out


def drawn(rng: random.Random, op: str, version: int) -> Image:
    """Random scales, or sizes where the operator set has them."""
    shape = [1, 1, rng.randint(1, 40), rng.randint(1, 40)]
    attributes: dict[str, Any] = {"mode": rng.choice(("nearest", "linear"))}
    axes = [2, 3] if version >= 18 and rng.random() < 0.5 else []
    if axes:
        attributes["axes"] = axes
    lead = 0 if axes else 2
    empty = np.array([], dtype=np.float32)
    if op == "Resize" and version >= 11 and rng.random() < 0.5:
        if axes:
            attributes["keep_aspect_ratio_policy"] = rng.choice(("stretch", "not_larger", "not_smaller"))
        sizes = np.array([1] * lead + [rng.randint(1, 50) for _ in range(2)], dtype=np.int64)
        return Image(op, version, shape, [empty, empty, sizes] if version == 11 else [None, None, sizes], attributes)
    chosen = [rng.choice((*SCALES, rng.random() * 3 + 0.05)) for _ in range(2)]
    least = 1.0 if op == "Upsample" else 0.0
    scales = np.array([1.0] * lead + [max(least, s) for s in chosen], dtype=np.float32)
    return Image(op, version, shape, [scales] if version < 11 else [empty, scales], attributes)


def real_shape(model: bytes, shape: list[int]) -> tuple[int, ...]:
    """The shape that comes out of onnxruntime."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    y = runtime.InferenceSession(model, options).run(None, {"x": np.zeros(shape, dtype=np.float32)})[0]
    return tuple(y.shape)


@pytest.mark.parametrize(
    ("op", "version"), [("Resize", 19), ("Resize", 13), ("Resize", 11), ("Resize", 10), ("Upsample", 9)]
)
def test_sizes(op: str, version: int) -> None:
    rng = random.Random(f"{op}{version}")
    for _ in range(100):
        image = drawn(rng, op, version)
        if min(real := real_shape(image.model(), image.shape)) > 0:
            assert from_bytes(image.model()).graph.tensors["y"].shape == real, image


@pytest.mark.parametrize(
    ("version", "attributes", "shape"),
    [
        (7, {"scales": (1.0, 1.0, 2.0, 3.0)}, (1, 3, 16, 24)),
        (1, {"height_scale": 2.0, "width_scale": 1.5, "mode": "bilinear"}, (1, 3, 16, 12)),
    ],
)
def test_scales_as_attributes(version: int, attributes: dict[str, Any], shape: Any, apply: Any) -> None:
    assert apply("Upsample", (1, 3, 8, 8), version=version, **attributes).y.shape == shape


def test_an_open_size_is_kept(apply: Any) -> None:
    h = symbol("H")
    scales = np.array([1, 1, 2, 2], dtype=np.float32)
    assert apply("Resize", (1, 3, h, 8), None, scales).y.shape == (1, 3, 2 * h, 16)


@pytest.mark.parametrize(("mode", "taps"), [("nearest", 0), ("linear", 4), ("cubic", 16)])
def test_work_for_each_output(mode: str, taps: int, apply: Any) -> None:
    work = apply("Resize", (1, 3, 4, 4), None, np.array([1, 1, 2, 2], dtype=np.float32), mode=mode).cost()
    n = 3 * 8 * 8
    assert (work.multiplications, work.additions) == (n * taps, n * max(taps - 1, 0))


def test_an_axis_that_keeps_its_size_is_not_resampled(apply: Any) -> None:
    work = apply("Resize", (1, 3, 4, 4), None, np.array([1, 1, 1, 2], dtype=np.float32), mode="linear").cost()
    assert work.multiplications == 3 * 4 * 8 * 2


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_scales_must_be_positive(scale: float, apply: Any) -> None:
    with pytest.raises(ShapeError, match="positive"):
        apply("Resize", (1, 3, 4, 4), None, np.array([1, 1, scale, 2], dtype=np.float32))


def test_scales_from_data_are_not_known(apply: Any) -> None:
    with pytest.raises(Unknown, match="scales"):
        apply("Resize", (1, 3, 4, 4), None, (4,))
