"""One layer of a model compared with its alternatives, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import api
from convcost.errors import UsageError


@pytest.fixture
def branches(tmp_path: Path) -> str:
    """A convolution in both branches of an If, whose input and weight lie outside of them."""
    made = [helper.make_tensor_value_info("r", TensorProto.FLOAT, [1, 4, 6, 6])]
    conv = helper.make_node("Conv", ["x", "w"], ["r"], name="c", pads=[1] * 4)
    bodies = {name: helper.make_graph([conv], name, [], made) for name in ("then_branch", "else_branch")}
    graph = helper.make_graph(
        [helper.make_node("If", ["yes"], ["y"], name="if", **bodies)],
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 6, 6]),
            helper.make_tensor_value_info("yes", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones((4, 2, 3, 3), np.float32), "w")],
    )
    path = tmp_path / "if.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return str(path)


@pytest.mark.parametrize("branch", ["then_branch", "else_branch"])
def test_a_layer_in_a_branch_sees_what_lies_outside(branch: str, branches: str) -> None:
    (found,) = api.compare(branches, layer=f"if/{branch}/c").comparisons
    assert found.of == f"if.onnx: if/{branch}/c"
    assert (found.alternatives[0].cost.macs, found.alternatives[0].cost.params) == (6 * 6 * 72, 72)


def test_a_name_that_is_not_there_has_the_nearest_beside_it(branches: str) -> None:
    with pytest.raises(UsageError, match=r"if\.onnx has no layer if/c; did you mean if/"):
        api.compare(branches, layer="if/c")
