"""Normalisation, softmax, losses, reductions and attention against their function bodies in the ONNX standard.

A body computes some single numbers and masks once, whatever the batch: so what one more batch costs is compared.
"""

from __future__ import annotations

from typing import Any

import onnx
import onnx.defs
import pytest
from onnx import TensorProto, helper

from convcost.analysis import count
from convcost.onnx_reader import from_bytes

B = -1
"""Stands for the batch in the shapes below."""

F, I = TensorProto.FLOAT, TensorProto.INT64
X = (F, (B, 6, 4, 5))

CASES: list[tuple[str, list[tuple[int, tuple[int, ...]] | None], dict[str, Any]]] = [
    ("LayerNormalization", [X, (F, (5,)), (F, (5,))], {}),
    ("LayerNormalization", [X, (F, (4, 5))], {"axis": 2}),
    ("RMSNormalization", [X, (F, (4, 5))], {"axis": -2}),
    ("GroupNormalization", [X, (F, (6,)), (F, (6,))], {"num_groups": 3}),
    ("Softmax", [X], {"axis": 1}),
    ("Softmax", [X], {}),
    ("LogSoftmax", [X], {"axis": -2}),
    ("ReduceL1", [X], {"keepdims": 0}),
    ("ReduceL2", [X], {"keepdims": 0}),
    ("ReduceSumSquare", [X], {}),
    ("ReduceLogSum", [X], {}),
    ("ReduceLogSumExp", [X], {}),
    ("RotaryEmbedding", [(F, (B, 3, 4, 8)), (F, (B, 4, 4)), (F, (B, 4, 4))], {}),
    ("RotaryEmbedding", [(F, (B, 4, 24)), (F, (B, 4, 4)), (F, (B, 4, 4))], {"num_heads": 3}),
    ("RotaryEmbedding", [(F, (B, 3, 4, 8)), (F, (B, 4, 2)), (F, (B, 4, 2))], {"rotary_embedding_dim": 4}),
    ("Attention", [(F, (B, 2, 3, 4)), (F, (B, 2, 5, 4)), (F, (B, 2, 5, 6)), (F, (3, 5))], {}),
    ("Attention", [(F, (B, 4, 3, 8)), (F, (B, 2, 5, 8)), (F, (B, 2, 5, 6))], {"is_causal": 1}),
    ("Attention", [(F, (B, 2, 3, 4)), (F, (B, 2, 5, 4)), (F, (B, 2, 5, 6)), (F, (3, 5))], {"softcap": 2.0}),
    (
        "Attention",
        [(F, (B, 3, 8)), (F, (B, 5, 8)), (F, (B, 5, 12)), (F, (3, 9)), (F, (B, 2, 4, 4)), (F, (B, 2, 4, 6))],
        {"q_num_heads": 2, "kv_num_heads": 2},
    ),
]


def model_of(name: str, inputs: Any, attributes: dict[str, Any], batch: int, *, inline: bool) -> onnx.ModelProto:
    """A model with one node: the operator, or a function with the operator's body."""
    shapes = [(kind, [batch if d == B else d for d in shape]) for kind, shape in inputs]
    names = [f"x{i}" for i in range(len(inputs))]
    schema: Any = onnx.defs.get_schema(name)
    outputs = ["y", "mean", "inverse"] if name == "LayerNormalization" else ["y"]
    node = helper.make_node(name, names, outputs)
    node.attribute.extend(helper.make_attribute(k, v) for k, v in attributes.items())
    body = onnx.FunctionProto()
    if schema.has_function:
        body.CopyFrom(schema.function_body)
    else:
        types = [helper.make_tensor_type_proto(kind, shape).SerializeToString() for kind, shape in shapes]
        body.ParseFromString(schema.get_context_dependent_function(node.SerializeToString(), types))
    del body.output[len(outputs) :]
    body.domain = "test"
    if inline:
        node.domain = "test"
        defaults = {a: v.default_value for a, v in schema.attributes.items()}
        node.attribute.extend(v for a, v in defaults.items() if v.name and a not in attributes)
    given = [helper.make_tensor_value_info(n, kind, shape) for n, (kind, shape) in zip(names, shapes, strict=True)]
    graph = helper.make_graph([node], "g", given, [helper.make_empty_tensor_value_info(o) for o in outputs])
    imports = [helper.make_opsetid("", max(schema.since_version, 18)), helper.make_opsetid("test", 1)]
    return helper.make_model(graph, functions=[body] if inline else [], opset_imports=imports, ir_version=10)


def work_of(model: onnx.ModelProto) -> dict[str, Any]:
    """What a model costs."""
    counted = count(from_bytes(model.SerializeToString()).graph)
    assert counted.coverage.complete, counted.coverage.unknown
    w = counted.total.work
    kinds = ("macs", "multiplications", "additions", "divisions", "comparisons", "special")
    return {k: getattr(w, k) for k in kinds}


def one_more_batch(name: str, inputs: Any, attributes: dict[str, Any], *, inline: bool) -> dict[str, int]:
    """What the third batch adds."""
    two, three = (work_of(model_of(name, inputs, attributes, n, inline=inline)) for n in (2, 3))
    return {k: three[k] - two[k] for k in two}


@pytest.mark.parametrize(("name", "inputs", "attributes"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_an_operator_costs_what_its_body_costs(name: str, inputs: Any, attributes: dict[str, Any]) -> None:
    own = one_more_batch(name, inputs, attributes, inline=False)
    assert own == one_more_batch(name, inputs, attributes, inline=True)
