"""Operator-set imports, and what is looked up once for each operator of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from convcost.errors import ModelError
from convcost.onnx_reader.library import schemas
from convcost.onnx_reader.names import quoted, text
from convcost.onnx_reader.notes import Notes
from convcost.ops import Op, canonical_domain, find

CUSTOM_VERSION = 1
"""Taken for a domain that is used but not imported: contrib operators are at version 1."""

FIRST_WITH_OPSETS = 3
"""The version of the format since which a model has to say which opsets it uses."""


class Known(msgspec.Struct, frozen=True):
    """An operator at the version that a model uses.

    `names` are the attributes that this version defines; None where no schema says so.
    """

    op: Op | None
    version: int
    since_version: int
    names: frozenset[str] | None


def imports_of(entries: Any, notes: Notes, *, ir_version: int = FIRST_WITH_OPSETS) -> dict[str, int]:
    """Domain -> version. Raises `ModelError` for versions that cannot be."""
    newest = schemas().schema_version_map()[""][1]
    out: dict[str, int] = {}
    for entry in entries:
        domain, version = canonical_domain(text(entry.domain)), entry.version
        if version < 1:
            raise ModelError(f"opset version {version} of domain {quoted(domain)} does not exist", code="C214")
        if out.get(domain, version) != version:
            notes.add("C234", f"opset of domain {quoted(domain)} is imported twice: {version} is taken")
        out[domain] = version
    if not out and ir_version < FIRST_WITH_OPSETS:
        out[""] = 1
    if not out:
        raise ModelError("not a valid ONNX model: it imports no opset", code="C214")
    if out.get("", 1) > newest:
        notes.add(
            "C234", f"opset {out['']} is newer than {newest}, the newest known: its operators are read as that one's"
        )
    return out


class Operators:
    """The operators of one model, each looked up once."""

    def __init__(self, notes: Notes) -> None:
        self._known: dict[tuple[str, str, int], Known] = {}
        self._notes = notes

    def known(self, domain: str, name: str, imports: Mapping[str, int]) -> Known:
        """What is known about an operator under these imports."""
        version = imports.get(domain)
        if version is None:
            if not domain:
                raise ModelError(f"{quoted(name)} is an ONNX operator, but no ONNX opset is imported", code="C214")
            version = CUSTOM_VERSION
        key = (domain, name, version)
        found = self._known.get(key)
        if found is None:
            op = find(domain, name)
            since, names = _schema(domain, name, version) if op is not None else (version, None)
            found = self._known[key] = Known(op, version, since, names)
        return found

    def check_names(self, known: Known, raw: Mapping[str, Any], node: str) -> None:
        """Say which attributes the operator does not have; refuse those that an older version had."""
        assert known.op is not None
        assert known.names is not None
        for name in raw:
            if name in known.names:
                continue
            if name and name in _ever(known.op.domain, known.op.name):
                raise ModelError(
                    f"{known.op.name}: attribute {quoted(name)} does not exist in opset {known.version}",
                    node=node,
                    code="C211",
                )
            self._notes.add("C233", f"{known.op.name} has no attribute {quoted(name)}: it is ignored", location=node)


def _schema(domain: str, name: str, version: int) -> tuple[int, frozenset[str] | None]:
    """(version since which the operator is as it is, its attribute names), from the schemas of the onnx library."""
    try:
        schema = schemas().get_schema(name, min(version, 2**31 - 1), domain)
    except schemas().SchemaError:
        return version, None
    return schema.since_version, frozenset(schema.attributes)


def _ever(domain: str, name: str) -> frozenset[str]:
    """Attribute names that any version of an operator had."""
    return frozenset(
        attribute
        for schema in schemas().get_all_schemas_with_history()
        if schema.name == name and schema.domain == domain
        for attribute in schema.attributes
    )
