"""What a report finds wrong, in one list: budgets that are not kept, then warnings and notes, the worst first."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import msgspec

from convcost.record import Check, CheckedLayer, Diagnostic, Report

Severity = Literal["error", "warning", "note"]
WORST: tuple[Severity, ...] = ("error", "warning", "note")
OF_STATUS: dict[str, Severity] = {"fail": "error", "warn": "warning"}


class Finding(msgspec.Struct, frozen=True):
    """One thing to look at. Its texts may be foreign, and each format makes them inert.

    `rule` is a budget's name or a diagnostic's code; `file` is what there is to point at: the budget's file, else the
    model's; `model` is a source, which need not be a file. `fingerprint` stays the same when lines move or figures
    change, and differs within a report.
    """

    severity: Severity
    rule: str
    message: str
    help: str
    file: str | None
    line: int | None
    model: str | None
    node: str | None
    fingerprint: str
    check: Check | None = None


def findings(report: Report) -> list[Finding]:
    """All of them, worst first, otherwise as the report has them."""
    seen: dict[str, int] = {}
    found = [of_check(check, seen) for check in report.checks if check.status in OF_STATUS]
    found += [of_diagnostic(d, report, seen) for d in report.diagnostics]
    return sorted(found, key=lambda finding: WORST.index(finding.severity))


def of_check(check: Check, seen: dict[str, int]) -> Finding:
    """A budget that is not kept."""
    where = check.location
    return Finding(
        severity=OF_STATUS[check.status],
        rule=check.rule,
        message=verdict(check),
        help=advice(check),
        file=where.file if where is not None else None,
        line=where.line if where is not None else None,
        model=check.model,
        node=where.node if where is not None else None,
        fingerprint=fingerprint(seen, "check", check.rule, check.metric or "", check.pattern or "", check.model),
        check=check,
    )


def of_diagnostic(d: Diagnostic, report: Report, seen: dict[str, int]) -> Finding:
    """A warning or a note; one without a place belongs to the first model."""
    where = d.location
    first = report.models[0].source if report.models else None
    node = where.node if where is not None else None
    model = where.file if where is not None and where.file is not None else first
    is_shape = any(m.kind == "shape" and m.source == model for m in report.models)
    return Finding(
        severity=d.severity,
        rule=d.code,
        message=d.message,
        help=d.help or "",
        file=None if is_shape else model,
        line=where.line if where is not None else None,
        model=model,
        node=node,
        fingerprint=fingerprint(seen, "diagnostic", d.code, model or "", node or ""),
    )


def verdict(check: Check) -> str:
    """What became of a budget, in one line."""
    limit = check.limit if check.written is None else check.written
    said = check.message or f"{shown(check.value)}, the limit is {shown(limit)}"
    said = f"{check.rule} of {check.model}: {said}"
    return f"{said}; {check.reason}" if check.reason else said


def shown(value: float | str | None) -> str:
    """A figure with all its digits; `?` where it is not known."""
    return "?" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def advice(check: Check) -> str:
    """Which layers cause it, where the budget can be changed, and how the value is accepted."""
    parts = []
    if check.layers:
        names = ", ".join(f"{layer.name} {part(layer, check)}" for layer in check.layers)
        parts.append(f"caused by {names}" + (f" and {check.more} more" if check.more else ""))
    parts += [check.help] if check.help else []
    parts += [f"to accept it: {check.accept}"] if check.accept else []
    return "; ".join(parts)


def part(layer: CheckedLayer, check: Check) -> str:
    """What a layer costs, or, where growth is limited, how much more than before."""
    if check.old is None or layer.value is None:
        return shown(layer.value)
    return f"+{shown(layer.value - (layer.old or 0))}"


def fingerprint(seen: dict[str, int], *parts: str) -> str:
    """A hash of what a finding is about; one that came before has a number added."""
    text = "\0".join(parts)
    seen[text] = seen.get(text, 0) + 1
    return sha256(f"{text}\0{seen[text]}".encode("utf-8", "backslashreplace")).hexdigest()
