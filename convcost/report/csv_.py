"""The report as CSV (RFC 4180): a line a layer, an alternative, a kernel's rank or a fleet's model."""

from __future__ import annotations

from convcost.record import Report
from convcost.report.rows import Value, table
from convcost.report.text import csv


def render(report: Report) -> str:
    """Numbers exact, not known empty. Lines end in CR LF, as RFC 4180 has it."""
    columns, rows = table(report)
    return "".join(",".join(map(field, line)) + "\r\n" for line in (columns, *rows))


def field(value: Value) -> str:
    """A word, a number, true or false, or nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return csv(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)
