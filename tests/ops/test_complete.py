"""Every operator of the ONNX standard has a record, and every record is well-formed."""

from __future__ import annotations

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
    assert op.inputs[0] <= min(s.min_input for s in versions)
    assert min(op.inputs[1], MANY) >= max(s.max_input for s in versions)
    assert op.outputs[1] >= max(s.max_output for s in versions)
