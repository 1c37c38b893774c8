"""Small models for the reader's tests, built with the onnx library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

Build = Callable[..., onnx.ModelProto]


def _build(
    nodes: Iterable[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str | None] | None],
    outputs: Iterable[str] = ("y",),
    weights: Iterable[onnx.TensorProto] = (),
    *,
    opset: int | Sequence[onnx.OperatorSetIdProto] = 17,
    ir: int = 8,
    **more: Any,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_empty_tensor_value_info(n) for n in outputs],
        list(weights),
    )
    imports = [helper.make_opsetid("", opset)] if isinstance(opset, int) else list(opset)
    return helper.make_model(graph, opset_imports=imports, ir_version=ir, **more)


@pytest.fixture
def build() -> Build:
    """`build(nodes, {input: shape}, outputs, weights)` makes a model."""
    return _build


@pytest.fixture
def conv() -> onnx.ModelProto:
    """y = Conv(x, W, B): 1x3x8x8 and 4x3x3x3 give 1x4x6x6."""
    return _build(
        [helper.make_node("Conv", ["x", "W", "B"], ["y"], name="conv0")],
        {"x": [1, 3, 8, 8]},
        weights=[
            helper.make_tensor("W", TensorProto.FLOAT, [4, 3, 3, 3], [0.5] * 108),
            helper.make_tensor("B", TensorProto.FLOAT, [4], [0.0] * 4),
        ],
    )
