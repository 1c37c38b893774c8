"""Operators as older operator sets had them, against the outputs of onnx's reference evaluator or onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from convcost.onnx_reader import from_bytes

X = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
CASES: list[tuple[int, str, list[Any], dict[str, Any], int]] = [
    (11, "Squeeze", [X], {"axes": [0]}, 1),
    (11, "Squeeze", [X], {}, 1),
    (11, "Unsqueeze", [X], {"axes": [0, 5]}, 1),
    (9, "Slice", [X], {"starts": [1, -3], "ends": [2, 1000], "axes": [2, 3]}, 1),
    (9, "Slice", [X], {"starts": [0, 1], "ends": [1, 2]}, 1),
    (11, "Split", [X], {"axis": 3, "split": [1, 3]}, 2),
    (11, "Split", [X], {"axis": 3}, 2),
    (10, "Pad", [X], {"pads": [0, 0, 1, 2, 0, 0, 3, -1]}, 1),
    (9, "TopK", [X], {"k": 2, "axis": 3}, 2),
    (10, "Clip", [X], {"min": 1.0, "max": 5.0}, 1),
    (10, "Dropout", [X], {"ratio": 0.5}, 1),
    (7, "Flatten", [X], {"axis": 2}, 1),
    (12, "Softmax", [X], {"axis": 1}, 1),
    (7, "Upsample", [X], {"scales": [1.0, 1.0, 2.0, 1.5]}, 1),
    (9, "Cast", [X], {"to": 7}, 1),
    (12, "ReduceSum", [X], {"axes": [1], "keepdims": 0}, 1),
]


def model(version: int, name: str, inputs: list[Any], attributes: dict[str, Any], n_outputs: int) -> onnx.ModelProto:
    """A model with one node."""
    outputs = [f"y{i}" for i in range(n_outputs)]
    names = [f"x{i}" for i in range(len(inputs))]
    given = [helper.make_tensor_value_info(n, TensorProto.FLOAT, x.shape) for n, x in zip(names, inputs, strict=True)]
    node = helper.make_node(name, names, outputs, **attributes)
    graph = helper.make_graph([node], "g", given, [helper.make_empty_tensor_value_info(o) for o in outputs])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=4)


@pytest.mark.parametrize(("version", "name", "inputs", "attributes", "n_outputs"), CASES, ids=lambda v: str(v)[:12])
def test_shapes_are_those_of_onnxruntime(
    version: int, name: str, inputs: list[Any], attributes: dict[str, Any], n_outputs: int
) -> None:
    data = model(version, name, inputs, attributes, n_outputs).SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    real = session.run(None, {f"x{i}": x for i, x in enumerate(inputs)})
    graph = from_bytes(data).graph
    ours = [graph.tensors[o] for o in graph.outputs]
    assert [t.shape for t in ours] == [y.shape for y in real]
    assert [t.dtype.label if t.dtype else None for t in ours] == [y.dtype.name for y in real]


@pytest.mark.parametrize(
    ("name", "inputs", "attributes", "version", "shape"),
    [
        ("Add", [(2, 3, 4, 5), (3, 4)], {"broadcast": 1, "axis": 1}, 6, (2, 3, 4, 5)),
        ("Add", [(2, 3, 4, 5), (2,)], {"broadcast": 1, "axis": 0}, 1, (2, 3, 4, 5)),
        ("PRelu", [(2, 3, 4, 5), (3,)], {}, 6, (2, 3, 4, 5)),
        ("Concat", [(2, 3), (2, 4)], {}, 1, (2, 7)),
        ("Reshape", [(2, 3, 4)], {"shape": (0, -1)}, 1, (2, 12)),
        ("Pad", [(2, 3)], {"paddings": (0, 1, 0, 2)}, 1, (2, 6)),
    ],
)
def test_the_first_versions(
    name: str, inputs: list[Any], attributes: dict[str, Any], version: int, shape: Any, apply: Any
) -> None:
    """Shapes worked out by hand from the documents of operator sets 1 to 6, which no runtime runs any more."""
    assert apply(name, *inputs, version=version, **attributes).y.shape == shape
