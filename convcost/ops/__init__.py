"""The operator table: one record per operator, found by domain and name. Families load on first use."""

from __future__ import annotations

import importlib

from convcost.ops.base import Attrs, Call, Kind, NoAttrs, Op, Work
from convcost.ops.index import ALIASES, FAMILIES

__all__ = ["Attrs", "Call", "Kind", "NoAttrs", "Op", "Work", "all_keys", "canonical_domain", "family_of", "find"]


def _keys() -> dict[tuple[str, str], str]:
    out: dict[tuple[str, str], str] = {}
    for family, names in FAMILIES.items():
        for entry in names:
            domain, _, name = entry.rpartition(":")
            if (domain, name) in out:
                raise AssertionError(f"{entry} is listed twice: {out[domain, name]}, {family}")
            out[domain, name] = family
    return out


_FAMILY = _keys()
_LOADED: dict[tuple[str, str], Op] = {}


def canonical_domain(domain: str) -> str:
    """The domain as the table spells it: `ai.onnx` is the empty domain."""
    return ALIASES.get(domain, domain)


def family_of(domain: str, name: str) -> str | None:
    """The file that holds the operator, or None where there is no rule."""
    return _FAMILY.get((domain, name))


def all_keys() -> tuple[tuple[str, str], ...]:
    """(domain, name) of every operator with a record."""
    return tuple(_FAMILY)


def find(domain: str, name: str) -> Op | None:
    """The record of an operator, or None: it is then reported as not counted."""
    key = (domain, name)
    op = _LOADED.get(key)
    if op is None and key in _FAMILY:
        _load(_FAMILY[key])
        op = _LOADED[key]
    return op


def _load(family: str) -> None:
    module = importlib.import_module(f"convcost.ops.{family}")
    for op in module.OPS:
        key = (op.domain, op.name)
        if _FAMILY.get(key) != family:
            raise AssertionError(f"{key} stands in {family}, the index says {_FAMILY.get(key)}")
        _LOADED[key] = op
