"""Every operator of the ONNX standard has a record, and every record is well-formed."""

from __future__ import annotations

import re
from typing import Any

import onnx.defs
import pytest

from convcost.ops import all_keys, find
from convcost.ops.base import KINDS, MANY, free
from convcost.ops.index import FAMILIES


def standard() -> list[tuple[str, str]]:
    """(domain, name) of every operator that the installed onnx knows, deprecated ones too."""
    return sorted({(s.domain, s.name) for s in onnx.defs.get_all_schemas_with_history() if s.domain != "ai.onnx.test"})


def test_every_standard_operator_has_a_record() -> None:
    missing = [f"{domain}:{name}" if domain else name for domain, name in standard() if find(domain, name) is None]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_name_of_a_family_is_found(family: str) -> None:
    for entry in FAMILIES[family]:
        domain, _, name = entry.rpartition(":")
        op = find(domain, name)
        assert op is not None
        assert (op.domain, op.name) == (domain, name)


@pytest.mark.parametrize("key", all_keys(), ids=":".join)
def test_every_cost_rule_says_what_it_counts(key: tuple[str, str]) -> None:
    op = find(*key)
    assert op is not None
    text = op.cost.__doc__ or ""
    if op.cost is not free:
        assert "ounted:" in text
        assert "Source:" in text
    assert op.shape.__doc__ or op.shape.__name__ == "<lambda>"


@pytest.mark.parametrize("key", all_keys(), ids=":".join)
def test_every_kind_is_explained(key: tuple[str, str]) -> None:
    op = find(*key)
    assert op is not None
    if isinstance(op.kind, str):
        assert op.kind in dict(KINDS)


@pytest.mark.parametrize("key", standard(), ids=":".join)
def test_records_take_as_many_inputs_as_the_standard_allows(key: tuple[str, str]) -> None:
    op = find(*key)
    if op is None:
        pytest.skip("no record: another test says so")
    versions = [s for s in onnx.defs.get_all_schemas_with_history() if (s.domain, s.name) == key]
    assert op.inputs == (min(s.min_input for s in versions), min(max(s.max_input for s in versions), MANY))
    fewest = min(s.min_output for s in versions)
    assert op.outputs in {(few, min(max(s.max_output for s in versions), MANY)) for few in (fewest, min(fewest, 1))}


OTHERWISE = {"MoE", "Pad", "QLinearConcat"}
"""Records that stand for more than one version, or say more exactly what onnxruntime checks when it runs."""


def schemas_of_onnxruntime() -> dict[str, Any]:
    """Those of its own domain, by name."""
    runtime = pytest.importorskip("onnxruntime.capi.onnxruntime_pybind11_state")
    return {s.name: s for s in runtime.get_all_operator_schema() if s.domain == "com.microsoft"}


def test_records_take_as_many_inputs_as_onnxruntime_allows() -> None:
    compared = 0
    for name, schema in schemas_of_onnxruntime().items():
        op = find("com.microsoft", name)
        if op is None or name in OTHERWISE:
            continue
        assert op.inputs == (schema.min_input, min(schema.max_input, MANY)), name
        assert op.outputs[1] == schema.max_output, name
        assert op.outputs[0] in (schema.min_output, 1), name
        compared += 1
    assert compared > 50


NAMED = re.compile(r"w|r|b|p|weights?|bias|slope|gamma|beta|scale|[a-z]+_embedding|fc\d_experts_\w+", re.IGNORECASE)
"""What the schemas call the inputs that take weights."""

TABLES_AND_PRODUCTS = {
    ("", "Gather"): {0},
    ("com.microsoft", "GatherBlockQuantized"): {0},
    ("", "Einsum"): {0, 1, 2, 3},
    ("", "MatMul"): {0, 1},
    ("", "MatMulInteger"): {0, 1},
    ("", "QLinearMatMul"): {0, 3},
    ("", "Gemm"): {0, 1, 2},
    ("com.microsoft", "FusedMatMul"): {0, 1},
    ("com.microsoft", "MatMulIntegerToFloat"): {0, 1, 6},
    ("com.microsoft", "QGemm"): {0, 3, 6},
    ("com.microsoft", "FusedGemm"): {0, 1, 2},
    ("com.microsoft", "GemmFloat8"): {0, 1, 2},
}
"""Either side of a product may be the weight; the names A, B, C say nothing."""


def test_weights_are_the_inputs_that_the_schemas_name_so() -> None:
    schemas = {("", s.name): s for s in onnx.defs.get_all_schemas() if not s.domain}
    schemas |= {("com.microsoft", name): s for name, s in schemas_of_onnxruntime().items()}
    compared = 0
    for key, schema in schemas.items():
        op = find(*key)
        if op is None:
            continue
        if key in TABLES_AND_PRODUCTS:
            assert set(op.weights) == TABLES_AND_PRODUCTS[key], key
        elif op.weights:
            named = {i for i, x in enumerate(schema.inputs) if NAMED.fullmatch(x.name)}
            either = {i for i, x in enumerate(schema.inputs) if x.name in ("A", "C")}
            assert named - either == set(op.weights) - either, key
        elif not key[1].endswith("Loss"):  # the weights of classes
            assert not {x.name.lower() for x in schema.inputs} & {"w", "weight", "weights", "slope"}, key
        assert op.weights or op.inputs[1] == 1 or op.kind not in ("matmul", "recurrent"), key
        compared += bool(op.weights)
    assert compared > 50
