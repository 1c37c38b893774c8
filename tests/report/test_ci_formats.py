"""Formats that CI systems read, each looked at with a reader that they use or by the fields that they publish."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from convcost import record
from convcost.errors import ReportError
from convcost.report import github, render
from convcost.report.view import View

Make = Callable[..., Any]
PARSE: Callable[[str], Any] = text_string_to_metric_families


def check(rule: str, status: Any, value: int | None, limit: int, **other: Any) -> record.Check:
    fields: dict[str, Any] = {
        "rule": rule,
        "level": "warn" if status == "warn" else "error",
        "status": status,
        "model": "net.onnx",
        "limit": limit,
        "value": value,
        "metric": rule,
        "location": record.Location(file="ci/convcost.toml", line=4),
        "message": f"{rule} {value} > {limit}",
    }
    return record.Check(**fields | other)


@pytest.fixture
def judged(model: Make, layer: Make, report: Make) -> record.Report:
    """One budget of each verdict, and a note that stands at a layer."""
    big = record.CheckedLayer(name="conv1", op="Conv", kind="standard", value=1000)
    checks = [
        check("params", "warn", 16, 15),
        check("macs", "fail", 1000, 900, help="line 4 of ci/convcost.toml", accept="macs = 1000", layers=[big]),
        check("weight_bytes", "pass", 64, 100),
        check("peak_memory_bytes", "skip", None, 100, reason="a dimension is open"),
    ]
    note = record.Diagnostic(
        code="C240",
        severity="note",
        message="100 % of it, twice: a, b",
        location=record.Location(file="net.onnx", node="conv1"),
    )
    made: record.Report = report(model([layer(0, "conv1")]), command="check", checks=checks, diagnostics=[note])
    return made


def moved(one: record.Report, lines: int) -> record.Report:
    """The report after lines were put in above the budgets, and another value."""
    checks = [
        replace(c, location=record.Location(file="ci/convcost.toml", line=4 + lines), value=None) for c in one.checks
    ]
    return replace(one, checks=checks)


# GitHub


def test_annotations_the_worst_first(judged: record.Report) -> None:
    """Written as "Workflow commands for GitHub Actions" has them, by hand."""
    more = "caused by conv1 1,000; line 4 of ci/convcost.toml; to accept it: macs = 1000"
    assert github.commands(judged).splitlines() == [
        "::error file=ci/convcost.toml,line=4,title=convcost%3A macs::macs of net.onnx: macs 1000 > 900%0A" + more,
        "::warning file=ci/convcost.toml,line=4,title=convcost%3A params::params of net.onnx: params 16 > 15",
        "::notice file=net.onnx,title=convcost%3A C240::100 %25 of it, twice: a, b",
    ]


def test_at_most_ten_annotations_and_the_rest_counted(judged: record.Report) -> None:
    many = replace(judged, checks=[check(f"b{i}", "fail" if i % 2 else "warn", 2, 1) for i in range(24)])
    lines = github.commands(many).splitlines()
    assert len(lines) == 10
    assert all(line.startswith("::error ") for line in lines)
    assert "_15 more findings without an annotation._" in render(many, "github")


def test_a_summary_fits_into_what_github_takes(judged: record.Report, model: Make, layer: Make, tmp_path: Path) -> None:
    wide = [model([layer(j, f"{'x' * 150}{j}") for j in range(30)], source=f"{i}.onnx") for i in range(600)]
    many = replace(judged, models=wide, checks=[], command="count")
    drawn = render(many, "github")
    assert 10**6 < len(drawn.encode()) < 2**20
    assert re.search(r"_\d+ parts do not fit into a summary; the JSON report has all\._\n$", drawn)
    file = tmp_path / "summary.md"
    file.write_bytes(b"x" * (2**20 - 5000))
    github.add_summary(str(file), many, View())
    assert file.stat().st_size < 2**20
    assert file.read_text().endswith("the JSON report has all._\n")


def test_a_summary_that_cannot_be_written_is_an_error(judged: record.Report, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be written"):
        github.add_summary(str(tmp_path / "none" / "summary.md"), judged, View())


# GitLab


def test_code_quality_fields(judged: record.Report) -> None:
    """The fields that "Code Quality report format" of GitLab requires, and its words for severity."""
    found = json.loads(render(judged, "gitlab"))
    for issue in found:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert set(issue["location"]) == {"path", "lines"}
        assert not issue["location"]["path"].startswith(("./", "/"))
        assert isinstance(issue["location"]["lines"]["begin"], int)
    assert [(i["check_name"], i["severity"], i["location"]["path"]) for i in found] == [
        ("macs", "major", "ci/convcost.toml"),
        ("params", "minor", "ci/convcost.toml"),
        ("C240", "info", "net.onnx"),
    ]
    assert len({issue["fingerprint"] for issue in found}) == 3


@pytest.mark.parametrize("format", ["gitlab", "sarif"])
def test_fingerprints_stay_where_lines_and_values_move(format: str, judged: record.Report) -> None:
    pattern = r'"(?:fingerprint|convcost/v1)": "(\w+)"'
    before = re.findall(pattern, render(judged, format))
    assert len(before) == 3
    assert re.findall(pattern, render(moved(judged, 7), format)) == before
    assert re.findall(pattern, render(replace(judged, checks=judged.checks * 2), format))[:1] == before[:1]
    assert len(set(re.findall(pattern, render(replace(judged, checks=judged.checks * 2), format)))) == 5


# SARIF

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
ARTIFACT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["uri"],
    "properties": {
        "uri": {"type": "string", "pattern": "^(file://)?[A-Za-z0-9/._~%-]+$"},
        "uriBaseId": {"const": "%SRCROOT%"},
    },
}
SUBSET: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["$schema", "version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "version", "rules"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "additionalProperties": False,
                                            "required": ["id", "shortDescription", "help", "defaultConfiguration"],
                                            "properties": {
                                                "id": {"type": "string", "minLength": 1},
                                                "shortDescription": TEXT,
                                                "fullDescription": TEXT,
                                                "help": TEXT,
                                                "defaultConfiguration": {"properties": {"level": LEVEL}},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "originalUriBaseIds": {"type": "object"},
                    "automationDetails": {"type": "object", "required": ["id"]},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": LEVEL,
                                "message": TEXT,
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                                "properties": {"type": "object"},
                                "locations": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "additionalProperties": False,
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "artifactLocation": ARTIFACT,
                                                    "region": {
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}}
                                                    },
                                                },
                                            },
                                            "logicalLocations": {"type": "array"},
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
"""What the standard demands of the parts that are used here, written anew: its own schema is not ours to keep."""


def sarif_schema() -> Any:
    """The standard's own schema where CONVCOST_SARIF_SCHEMA names a copy of it, else the subset above."""
    path = os.environ.get("CONVCOST_SARIF_SCHEMA")
    return json.loads(Path(path).read_text("utf-8")) if path else SUBSET


@pytest.mark.parametrize(
    "name", [None, "a b\u202e[x](y){0}", "/abs/\u00fc.onnx", "C:\\x", "", "../up", "%", "//host/x"]
)
def test_sarif_is_valid(name: str | None, judged: record.Report, filled: Callable[[str], record.Report]) -> None:
    drawn = json.loads(render(judged if name is None else filled(name), "sarif"))
    if name != "":
        jsonschema.validate(drawn, sarif_schema(), format_checker=jsonschema.FormatChecker())
    for run in drawn["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
        assert not any(re.search(r"\]\(|\{\d", one["message"]["text"]) for one in run["results"])


def test_sarif_points_at_the_line_of_the_budget(judged: record.Report) -> None:
    results = json.loads(render(judged, "sarif"))["runs"][0]["results"]
    assert [(one["ruleId"], one["level"]) for one in results] == [
        ("macs", "error"), ("params", "warning"), ("C240", "note"),
    ]  # fmt: skip
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "ci/convcost.toml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 4}
    assert results[2]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "net.onnx/conv1"


# JUnit


def test_junit_as_its_parser_reads_it(judged: record.Report) -> None:
    suites = junitparser.JUnitXml.fromstring(render(judged, "junit").encode())
    (suite,) = suites
    assert (suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) == ("net.onnx", 4, 1, 0, 1)
    cases = {case.name: case for case in suite}
    assert list(cases) == ["params", "macs", "weight_bytes", "peak_memory_bytes"]
    (failure,) = cases["macs"].result
    assert isinstance(failure, junitparser.Failure)
    assert failure.message == "macs of net.onnx: macs 1000 > 900"
    assert "conv1 1,000" in failure.text
    (skipped,) = cases["peak_memory_bytes"].result
    assert isinstance(skipped, junitparser.Skipped)
    assert skipped.message == "a dimension is open"
    assert cases["params"].system_out.startswith("warning: params of net.onnx: params 16 > 15")
    assert cases["weight_bytes"].is_passed


def test_a_model_without_budgets_is_an_empty_suite(model: Make, layer: Make, report: Make) -> None:
    (suite,) = junitparser.JUnitXml.fromstring(
        render(report(model([layer(0, "conv1")]), command="check"), "junit").encode()
    )
    assert (suite.name, suite.tests) == ("net.onnx", 0)


def test_junit_needs_verdicts(model: Make, layer: Make, report: Make) -> None:
    with pytest.raises(ReportError, match="nothing was checked"):
        render(report(model([layer(0, "conv1")])), "junit")


# OpenMetrics


def values(drawn: str) -> dict[tuple[str, ...], float]:
    return {
        (s.name, *(f"{k}={v}" for k, v in sorted(s.labels.items()))): s.value
        for family in PARSE(drawn)
        for s in family.samples
    }


def test_openmetrics_as_prometheus_reads_it(judged: record.Report) -> None:
    seen = values(render(judged, "openmetrics"))
    assert seen["convcost_macs", "source=net.onnx"] == 1000
    assert seen["convcost_weight_bytes", "source=net.onnx"] == 64
    assert seen["convcost_complete", "source=net.onnx"] == 1
    assert seen["convcost_check_passed", "rule=macs", "source=net.onnx"] == 0
    assert seen["convcost_check_passed", "rule=params", "source=net.onnx"] == 1
    assert ("convcost_check_passed", "rule=peak_memory_bytes", "source=net.onnx") not in seen
    assert seen["convcost_check_limit", "rule=macs", "source=net.onnx"] == 900
    assert not any("layer" in key for labels in seen for key in labels)


def test_layers_are_metrics_where_all_are_asked_for(judged: record.Report) -> None:
    seen = values(render(judged, "openmetrics", View(all_layers=True)))
    assert seen["convcost_layer_macs", "layer=conv1", "source=net.onnx"] == 1000


def test_units_are_the_ends_of_names(judged: record.Report) -> None:
    for family in PARSE(render(judged, "openmetrics")):
        assert family.type in ("gauge", "info")
        assert family.name.endswith("_" + family.unit) or not family.unit
        assert (family.unit == "bytes") == family.name.endswith("_bytes")


def test_not_known_is_no_sample_and_twins_are_told_apart(model: Make, layer: Make, report: Make) -> None:
    odd = model([layer(0, "a", None), layer(1, "a", 5)], source='a"b\\\n')
    totals = replace(odd.totals, macs=None, params=10**400)
    drawn = render(report(replace(odd, totals=totals), odd), "openmetrics", View(all_layers=True))
    seen = values(drawn)
    name = 'a"b\\\\x0a'
    assert ("convcost_macs", f"source={name}") not in seen
    assert ("convcost_params", f"source={name}") not in seen
    assert seen["convcost_macs", f"source={name}#2"] == 5
    assert ("convcost_layer_macs", "layer=a", f"source={name}") not in seen
    assert seen["convcost_layer_macs", "layer=a#2", f"source={name}"] == 5
