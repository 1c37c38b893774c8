"""For GitLab: the findings as a code quality report, which merge requests show beside the changed lines.

A list of objects with `description`, `check_name`, `fingerprint`, `severity` and `location` ("Code Quality report
format", docs.gitlab.com). Metrics for GitLab are the openmetrics format.
"""

from __future__ import annotations

from typing import Any

import msgspec

from convcost.record import Report
from convcost.report.findings import Finding, findings
from convcost.report.json_ import inert
from convcost.report.text import visible

SEVERITY = {"error": "major", "warning": "minor", "note": "info"}


def render(report: Report) -> str:
    """Indented JSON."""
    found = [issue(finding) for finding in findings(report)]
    return inert(msgspec.json.format(msgspec.json.encode(found), indent=2).decode()) + "\n"


def issue(finding: Finding) -> dict[str, Any]:
    """One finding. GitLab wants a line; what has none stands at the first."""
    more = f" ({finding.help})" if finding.help else ""
    path = visible(finding.file or finding.model or "convcost")
    return {
        "description": visible(finding.message + more),
        "check_name": visible(finding.rule),
        "fingerprint": finding.fingerprint,
        "severity": SEVERITY[finding.severity],
        "location": {"path": path, "lines": {"begin": finding.line or 1}},
    }
