"""Reports made by hand, so that renderers are tested without counting anything."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import pytest
from msgspec.structs import replace

from convcost import record

Make = Callable[..., Any]


def make_cost(macs: int | None, params: int | None = 0, **other: Any) -> record.Cost:
    work = None if macs is None else 2 * macs
    fields: dict[str, Any] = {
        "multiplications": macs,
        "macs": macs,
        "macs_effective": macs,
        "additions": macs,
        "divisions": 0,
        "comparisons": 0,
        "special": 0,
        "flops": work,
        "params": params,
        "buffers": 0,
        "weight_bytes": None if params is None else 4 * params,
        "read_bytes": 4000,
        "write_bytes": 2000,
        "peak_memory_bytes": None,
        "intensity": None,
    }
    return record.Cost(**(fields | other))


def make_layer(index: int, name: str, macs: int | None = 1000, **other: Any) -> record.Layer:
    fields: dict[str, Any] = {
        "index": index,
        "name": name,
        "scope": [],
        "op": "Conv",
        "domain": "",
        "kind": "standard",
        "traits": [],
        "inputs": [[1, 3, 8, 8]],
        "outputs": [[1, 16, 8, 8]],
        "dtype": "float32",
        "attributes": {},
        "cost": make_cost(macs, 16),
        "share": record.Share(macs=None),
    }
    return record.Layer(**(fields | other))


def make_model(layers: list[record.Layer], **other: Any) -> record.Model:
    macs = sum(layer.cost.macs or 0 for layer in layers)
    params = sum(layer.cost.params or 0 for layer in layers)
    fields: dict[str, Any] = {
        "source": "net.onnx",
        "kind": "onnx",
        "sha256": None,
        "opset": {"": 17},
        "dims": {},
        "totals": make_cost(macs, params, peak_memory_bytes=9000),
        "coverage": record.Coverage(complete=True, nodes=len(layers), counted=len(layers), unknown=[]),
        "outputs": [],
        "layers": layers,
    }
    return record.Model(**(fields | other))


def make_report(*models: record.Model, **other: Any) -> record.Report:
    fields: dict[str, Any] = {
        "schema_version": record.SCHEMA_VERSION,
        "tool": record.Tool(name="convcost", version="0"),
        "command": "count",
        "convention": record.CONVENTION,
        "models": list(models),
    }
    return record.Report(**(fields | other))


@pytest.fixture
def cost() -> Make:
    """cost(macs, params, **fields)."""
    return make_cost


@pytest.fixture
def layer() -> Make:
    """layer(index, name, macs, **fields)."""
    return make_layer


@pytest.fixture
def model() -> Make:
    """model(layers, **fields)."""
    return make_model


@pytest.fixture
def report() -> Make:
    """report(*models, **fields)."""
    return make_report


@pytest.fixture(scope="session")
def named() -> Callable[[str], record.Report]:
    """A report in which everything that a stranger may name has this name."""

    def build(name: str) -> record.Report:
        layers = [
            make_layer(0, name, scope=[name], kind="standard", notation=name),
            make_layer(1, name, None, op=name, domain=name, kind="unknown", outputs=[None], traits=[]),
        ]
        unknown = record.UnknownNode(name=name, op=name, reason=f"no rule for {name}")
        one = make_model(
            layers,
            source=name,
            dims={name: 1},
            coverage=record.Coverage(complete=False, nodes=2, counted=1, unknown=[unknown]),
            outputs=[record.Output(name=name, dtype=None, shape=[1, name])],
        )
        note = record.Diagnostic(
            code="C240", severity="note", message=f"about {name}", location=record.Location(file=name, node=name)
        )
        way = record.Alternative(
            name=name, notation=name, cost=make_cost(10, 1), ratio=record.Ratio(macs=1.0, params=1.0)
        )
        comparison = record.Comparison(
            of=name, alternatives=[way, way], skipped=[record.Skipped(name=name, reason=name)]
        )
        return make_report(one, comparisons=[comparison], diagnostics=[note])

    return build


@pytest.fixture(scope="session")
def filled() -> Callable[[str], record.Report]:
    """A report with every field of every record filled, and this text in every place that takes any text.

    Whoever writes a report by hand can make such a one, so none of its texts may be taken for ours. Lists at the top
    have four members, which differ in the words of a fixed choice.
    """

    def build(text: str) -> record.Report:
        report = fill(record.Report, text, 0, 0)
        assert isinstance(report, record.Report)
        assert report.diff is not None
        one = report.diff.totals[0]
        totals = [replace(one, metric=metric) for metric in (*record.COUNTED, "peak_memory_bytes")]
        return replace(report, diff=replace(report.diff, totals=totals))

    return build


def fill(kind: Any, text: str, turn: int, depth: int) -> Any:
    """A value of a type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return inner[turn % len(inner)]
    if origin in (typing.Union, types.UnionType):
        return fill(str if str in inner else inner[0], text, turn, depth)
    if origin is list:
        if depth > 7:
            return []
        many = 4 if depth < 2 else 1 if hasattr(inner[0], "__struct_fields__") else 2
        return [fill(inner[0], text, i, depth + 1) for i in range(many)]
    if origin is dict:
        return {text: fill(inner[1], text, turn, depth + 1)}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        return kind(**{name: fill(hints[name], text, turn, depth + 1) for name in kind.__struct_fields__})
    return {str: text, int: 3, float: 0.5, bool: True, Any: text}[kind]
