"""FlexAttention with graphs that modify its scores: they keep the shape, and their work is not counted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from onnx import NodeProto, TensorProto, helper

from convcost.analysis import count
from convcost.errors import ModelError
from convcost.ir import Graph
from convcost.onnx_reader import from_bytes


def modified(role: str, node: NodeProto | None, outputs: Sequence[str] = ("o",)) -> Graph:
    """4 heads of 3 queries over 2 heads of 5 keys; `node` turns the scores `s` into `o`."""
    bodies = {}
    if node is not None:
        scores = [helper.make_tensor_value_info("s", TensorProto.FLOAT, None)]
        made = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
        bodies[role] = helper.make_graph([node], "mod", scores, made)
    flex = helper.make_node("FlexAttention", ["q", "k", "v"], ["y"], name="n", domain="ai.onnx.preview", **bodies)
    shapes = {"q": [2, 4, 3, 4], "k": [2, 2, 5, 4], "v": [2, 2, 5, 6]}
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph([flex], "g", inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.preview", 1)]
    return from_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()).graph


def test_without_modifiers_all_is_counted() -> None:
    found = count(modified("", None))
    assert found.total.work.macs == 2 * 4 * 3 * 5 * (4 + 6)
    assert not found.total.unknown


@pytest.mark.parametrize("role", ["score_mod", "prob_mod"])
def test_a_modifier_keeps_the_shape_and_is_not_counted(role: str) -> None:
    graph = modified(role, helper.make_node("Relu", ["s"], ["o"]))
    assert graph.tensors["y"].shape == (2, 4, 3, 6)
    assert count(graph).total.unknown


@pytest.mark.parametrize("role", ["score_mod", "prob_mod"])
def test_what_is_no_modifier(role: str) -> None:
    with pytest.raises(ModelError, match="the modifier mod changes the scores 2x4x3x5 to 5x3x4x2"):
        modified(role, helper.make_node("Transpose", ["s"], ["o"]))
    with pytest.raises(ModelError, match="the modifier mod gives 2 outputs, not 1"):
        modified(role, helper.make_node("Relu", ["s"], ["o"]), ("o", "s"))
