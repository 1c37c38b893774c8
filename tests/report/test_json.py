"""JSON: exact, valid against its own schema, safe on a terminal, the same bytes everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convcost import record
from convcost.report import render
from convcost.report.schema import report_schema

Make = Callable[..., Any]
ANY = st.text(st.characters(exclude_categories=()), max_size=20)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(report_schema())
    return jsonschema.Draft202012Validator(report_schema())


def test_big_integers_are_exact(layer: Make, model: Make, report: Make) -> None:
    huge = (2**63 - 1) ** 4
    drawn = render(report(model([layer(0, "conv", huge)])), "json")
    assert json.loads(drawn)["models"][0]["totals"]["macs"] == huge


def test_infinity_and_nan_become_null(layer: Make, model: Make, report: Make) -> None:
    attributes = {"low": float("-inf"), "odd": float("nan"), "high": [float("inf"), 1.5]}
    drawn = render(report(model([layer(0, "clip", attributes=attributes)])), "json")

    def refuse(name: str) -> None:
        pytest.fail(f"JSON has {name}")

    seen = json.loads(drawn, parse_constant=refuse)
    assert seen["models"][0]["layers"][0]["attributes"] == {"low": None, "odd": None, "high": [None, 1.5]}


@given(ANY)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_survives_and_nothing_acts(
    validator: jsonschema.Draft202012Validator, named: Callable[[str], record.Report], name: str
) -> None:
    drawn = render(named(name), "json")
    assert all(c.isprintable() for c in drawn.replace("\n", ""))
    seen = json.loads(drawn)
    validator.validate(seen)
    if not any("\ud800" <= c <= "\udfff" for c in name):
        assert seen["models"][0]["layers"][0]["name"] == name


def test_round_trip(named: Callable[[str], record.Report]) -> None:
    whole = named("a\u202eb\x1b層")
    assert record.decode(render(whole, "json").encode()) == whole


def test_lines_are_reports(named: Callable[[str], record.Report], model: Make, layer: Make) -> None:
    first = named("x")
    both = record.Report(
        **{f: getattr(first, f) for f in first.__struct_fields__} | {"models": [*first.models, model([layer(0, "y")])]}
    )
    lines = render(both, "jsonl").rstrip("\n").split("\n")
    reports = [record.decode(line.encode()) for line in lines]
    assert [one.models[0].source for one in reports] == ["x", "net.onnx"]
    assert [len(one.diagnostics) for one in reports] == [1, 0]


def test_schema_describes_every_quantity() -> None:
    properties = report_schema()["$defs"]["Cost"]["properties"]
    assert set(record.FIELDS) == set(properties)
    assert all(properties[name]["description"] for name in properties)


def test_schema_rejects_what_is_no_report(validator: jsonschema.Draft202012Validator) -> None:
    good = json.loads(render(record.Report(**MINIMAL), "json"))
    validator.validate(good)
    for key in ("models", "tool", "convention"):
        bad = {k: v for k, v in good.items() if k != key}
        assert not validator.is_valid(bad)
    assert not validator.is_valid(good | {"models": [{"source": 1}]})


MINIMAL: dict[str, Any] = {
    "schema_version": record.SCHEMA_VERSION,
    "tool": record.Tool(name="convcost", version="0"),
    "command": "count",
    "convention": record.CONVENTION,
    "models": [],
}


@pytest.mark.parametrize("hash_seed", ["0", "7"])
def test_same_bytes_in_any_place(tmp_path: Any, hash_seed: str) -> None:
    command = [sys.executable, "-m", "convcost", "12x12x3 -(5x5x3x256)-> -(relu)->", "-f", "json"]
    odd = os.environ | {"LC_ALL": "C", "TZ": "Asia/Kolkata", "PYTHONHASHSEED": hash_seed, "COLUMNS": "33"}
    here = subprocess.run(command, capture_output=True, check=True).stdout
    there = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path, env=odd).stdout
    assert here == there
    assert json.loads(here)["models"][0]["totals"]["macs"] == 1_228_800
