"""Costs of operators against their function bodies in the ONNX standard, counted primitive by primitive.

Work on single numbers inside a body is not work per element: the difference between two sizes is compared.
"""

from __future__ import annotations

from typing import Any

import onnx
import onnx.defs
import pytest
from onnx import TensorProto, helper

from convcost.analysis import count
from convcost.onnx_reader import from_bytes

N = 64
ONE_INPUT = [
    "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid", "HardSwish", "Swish", "Mish", "Softplus", "Softsign",
    "ThresholdedRelu", "Shrink", "Gelu", "DynamicQuantizeLinear",
]  # fmt: skip
CASES = [
    *((name, 1, {}) for name in ONE_INPUT),
    ("Gelu", 1, {"approximate": "tanh"}),
    ("PRelu", 2, {}),
    ("SwiGLU", 2, {}),
    ("HannWindow", 0, {}),
    ("HammingWindow", 0, {}),
    ("BlackmanWindow", 0, {}),
]


def body_of(name: str, n_inputs: int, attributes: dict[str, Any]) -> Any:
    """The function body of an operator."""
    schema: Any = onnx.defs.get_schema(name)
    if schema.has_function:
        return schema.function_body
    node = helper.make_node(name, [f"x{i}" for i in range(n_inputs)], ["y"], **attributes)
    x = helper.make_tensor_type_proto(TensorProto.FLOAT, [N]).SerializeToString()
    body = schema.get_context_dependent_function(node.SerializeToString(), [x] * n_inputs)
    return onnx.FunctionProto.FromString(body)


def model_of(name: str, n_inputs: int, attributes: dict[str, Any], size: int, *, inline: bool) -> onnx.ModelProto:
    """A model with one node, which calls the operator or a function of the same body."""
    body = onnx.FunctionProto()
    body.CopyFrom(body_of(name, n_inputs, attributes))
    body.domain = "test"
    inputs = [helper.make_tensor_value_info(f"x{i}", TensorProto.FLOAT, [size]) for i in range(n_inputs)]
    stored = [] if n_inputs else [helper.make_tensor("size", TensorProto.INT64, [], [size])]
    names = [v.name for v in inputs] or ["size"]
    outputs = [f"y{i}" for i in range(len(body.output))]
    defaults = {a: v.default_value for a, v in onnx.defs.get_schema(name).attributes.items()}
    node = helper.make_node(name, names, outputs, domain="test" if inline else "", **attributes)
    if inline:
        node.attribute.extend(v for a, v in defaults.items() if v.name and a in body.attribute and a not in attributes)
    graph = helper.make_graph([node], "g", inputs, [helper.make_empty_tensor_value_info(o) for o in outputs], stored)
    opset = onnx.defs.get_schema(name).since_version
    imports = [helper.make_opsetid("", max(opset, 18)), helper.make_opsetid("test", 1)]
    return helper.make_model(graph, functions=[body] if inline else [], opset_imports=imports, ir_version=10)


def work(model: onnx.ModelProto) -> list[int]:
    """Multiplications, additions, divisions, comparisons, special functions of a model."""
    counted = count(from_bytes(model.SerializeToString()).graph)
    assert counted.coverage.complete
    w = counted.total.work
    numbers = [w.multiplications, w.additions, w.divisions, w.comparisons, w.special]
    return [n for n in numbers if isinstance(n, int)]


def work_per_element(name: str, n_inputs: int, attributes: dict[str, Any], *, inline: bool) -> list[int]:
    """What N more elements cost, for each of them."""
    small, large = (work(model_of(name, n_inputs, attributes, size, inline=inline)) for size in (N, 2 * N))
    return [(b - a) // N for a, b in zip(small, large, strict=True)]


@pytest.mark.parametrize(("name", "n_inputs", "attributes"), CASES, ids=str)
def test_an_operator_costs_what_its_body_costs(name: str, n_inputs: int, attributes: dict[str, Any]) -> None:
    own = work_per_element(name, n_inputs, attributes, inline=False)
    assert own == work_per_element(name, n_inputs, attributes, inline=True)
    assert sum(own) > 0
