"""Graphs of shape strings as ONNX models: the operator-set versions, and what onnxruntime makes of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from convcost.ir import Graph, known
from convcost.notation import parse
from convcost.notation.lowering.build import OPSET, SINCE


@pytest.mark.parametrize("op", SINCE)
def test_since_versions(op: str) -> None:
    assert onnx.defs.get_schema(op, OPSET).since_version == SINCE[op]


RUN = [
    "12x12x3 -(5x5x3x8)-> 12x12x8",
    "14x13x3 -(7x7x3x4)-> 7x7x4",
    "8x5x2 -(3x2x2x7)-> 6x4x7",
    "8x8x4 -(3x3x1x2)-> 6x6x8",
    "8x8x6 -(3x3x2x12 g3 bias)->",
    "16x1 -(3x1x4 d2 full)->",
    "5x6x7x2 -(2x3x2x2x4 s2 same_lower)->",
    "4x4x3 -(3x3x3x8 T bias)-> 8x8x8",
    "4x4x4 -(3x3x2x8 T g2 s2 p=0/1/1/0)->",
    "7x7x3 -(3x3x3x8 sep same)-> -(3x3x8x4 spatial)->",
    "8x8x6 -(maxpool 3x3 s2 p1)-> -(avgpool 2)-> -(bn)-> -(shuffle g3)-> -(fc 10)-> -(relu)-> 10",
    "6x6x2 -{ (1x1x2x3) | (3x3x2x2 same)-> (relu) | (maxpool 3x3 s1 same) }-> -{ (id) + (1x1x7x7) + (relu) }-> -(gap)->",
    "5x4x3 -(up 2x3)-> -(3x3x3x2 same)->",
    "784 -(784x10 bias)-> 10",
]


@pytest.mark.parametrize("text", RUN)
def test_onnxruntime_makes_the_same_shapes(text: str, as_onnx: Callable[[Graph], onnx.ModelProto]) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    graph = parse(text, batch=2)
    session = runtime.InferenceSession(as_onnx(graph).SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {
        name: np.ones([known(d, "a size") for d in t.dims], np.float32)
        for name, t in graph.tensors.items()
        if (t.stored and t.value is None) or t in graph.inputs
    }
    (result,) = session.run(None, feeds)
    assert result.shape == graph.tensors[graph.outputs[0]].shape
