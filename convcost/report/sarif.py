"""The findings as SARIF 2.1.0, for code scanning: one run, a rule for each budget and each code, a result a finding.

"Static Analysis Results Interchange Format (SARIF) Version 2.1.0", OASIS Standard. Places are relative to the root of
the sources; spans in shape strings are code points.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from convcost.record import FIELDS, Report
from convcost.report.findings import Finding, findings
from convcost.report.json_ import inert
from convcost.report.text import shorten, visible

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LONGEST = 4000
"""Columns of a message."""
ROOT = "%SRCROOT%"
FINGERPRINT = "convcost/v1"


def render(report: Report) -> str:
    """Indented JSON."""
    found = findings(report)
    first: dict[str, Finding] = {}
    for finding in found:
        first.setdefault(visible(finding.rule), finding)
    places = {name: i for i, name in enumerate(first)}
    rules = [rule(name, one) for name, one in first.items()]
    driver = {"name": "convcost", "version": visible(report.tool.version), "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the sources."}}},
        "automationDetails": {"id": f"convcost/{visible(report.command)}/"},
        "results": [result(finding, places) for finding in found],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return inert(msgspec.json.format(msgspec.json.encode(log), indent=2).decode()) + "\n"


def rule(name: str, first: Finding) -> dict[str, Any]:
    """What a rule is about. A budget's help is its quantity's definition; a code's, what its first finding advises."""
    check = first.check
    about = f"Diagnostic {name}" if check is None else f"Budget {name}"
    more = first.help if check is None else FIELDS.get(check.metric or check.rule, "")
    return {
        "id": name,
        "shortDescription": {"text": plain(about)},
        "fullDescription": {"text": plain(first.message if check is None else f"What is allowed of {check.rule}.")},
        "help": {"text": plain(more or f"Run: convcost explain {name}")},
        "defaultConfiguration": {"level": first.severity},
    }


def result(finding: Finding, places: dict[str, int]) -> dict[str, Any]:
    """One finding."""
    name = visible(finding.rule)
    message = f"{finding.message}; {finding.help}" if finding.help else finding.message
    out: dict[str, Any] = {
        "ruleId": name,
        "ruleIndex": places[name],
        "level": finding.severity,
        "message": {"text": plain(message)},
        "locations": [location(finding)],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
    }
    if (c := finding.check) is not None:
        figures = {"limit": inertly(c.limit), "value": inertly(c.value), "unit": c.unit}
        out["properties"] = {"model": visible(c.model), **figures}
    return out


def inertly(value: float | str | None) -> float | str | None:
    """A figure as it is, words made visible."""
    return visible(value) if isinstance(value, str) else value


def location(finding: Finding) -> dict[str, Any]:
    """The line of the budget, or the model; the layer as a logical place."""
    physical: dict[str, Any] = {"artifactLocation": artifact(finding.file or finding.model or "convcost")}
    if finding.line is not None and finding.line > 0:
        physical["region"] = {"startLine": finding.line}
    out: dict[str, Any] = {"physicalLocation": physical}
    parts = [text for text in (finding.model, finding.node) if text is not None]
    if finding.node is not None:
        names = {"name": visible(finding.node), "fullyQualifiedName": visible("/".join(parts)), "kind": "element"}
        out["logicalLocations"] = [names]
    return out


def artifact(path: str) -> dict[str, Any]:
    """A file as a URI: relative to the root of the sources unless the path is absolute."""
    uri = quote(visible(path), safe="/")
    return {"uri": f"file://{uri}"} if uri.startswith("/") else {"uri": uri, "uriBaseId": ROOT}


def plain(text: str) -> str:
    """Text in which nothing is a link or a placeholder."""
    safe = visible(shorten(text, LONGEST))
    return safe.replace("](", "]\\x28").replace("{", "\\x7b").replace("}", "\\x7d")
