"""Verdicts as JUnit XML, which CI systems show as tests: a suite for each model, a case for each budget."""

from __future__ import annotations

from convcost.errors import ReportError
from convcost.record import Check, Report
from convcost.report.findings import advice, verdict
from convcost.report.text import html


def render(report: Report) -> str:
    """An XML document. Raises ReportError where nothing was checked."""
    if not report.checks and report.command != "check":
        raise ReportError(
            "JUnit needs verdicts, and nothing was checked", code="C504", help="convcost check gives some"
        )
    suites: dict[str, list[Check]] = {model.source: [] for model in report.models}
    for check in report.checks:
        suites.setdefault(check.model, []).append(check)
    lines = [f'<testsuites name="convcost" {tally(report.checks)}>']
    for model, checks in suites.items():
        lines.append(f'  <testsuite name="{html(model)}" {tally(checks)}>')
        lines += [line for check in checks for line in case(check)]
        lines.append("  </testsuite>")
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *lines, "</testsuites>", ""])


def tally(checks: list[Check]) -> str:
    """Numbers of cases. A warning passes."""
    failed = sum(check.status == "fail" for check in checks)
    skipped = sum(check.status == "skip" for check in checks)
    return f'tests="{len(checks)}" failures="{failed}" errors="0" skipped="{skipped}" time="0"'


def case(check: Check) -> list[str]:
    """One budget: nothing inside where it is kept."""
    where = check.location
    place = ""
    if where is not None and where.file is not None:
        place = f' file="{html(where.file)}"' + (f' line="{where.line}"' if where.line is not None else "")
    head = f'    <testcase name="{html(check.rule)}" classname="{html(check.model)}"{place} time="0"'
    message, more = html(verdict(check)), html(advice(check))
    if check.status == "fail":
        return [head + ">", f'      <failure type="budget" message="{message}">{more}</failure>', "    </testcase>"]
    if check.status == "skip":
        reason = html(check.reason or verdict(check))
        return [head + ">", f'      <skipped message="{reason}"/>', "    </testcase>"]
    if check.status == "warn":
        out = f"      <system-out>warning: {message}{'; ' if more else ''}{more}</system-out>"
        return [head + ">", out, "    </testcase>"]
    return [head + "/>"]
