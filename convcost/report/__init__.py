"""The report drawn in many ways. Each renderer takes the same `record.Report` and nothing else."""

from __future__ import annotations

from convcost.record import Report
from convcost.report.formats import BINARY, EXTENSIONS, FORMATS
from convcost.report.style import Style
from convcost.report.view import View

__all__ = ["BINARY", "EXTENSIONS", "FORMATS", "content", "render"]


def content(report: Report, format: str, view: View | None = None, style: Style | None = None) -> bytes:
    """`report` in any of `FORMATS`, as the bytes of a file: text as UTF-8, and what is binary as it is."""
    if format == "png":
        from convcost.report import charts  # noqa: PLC0415 - each format loads only itself

        return charts.png(report, view or View())
    return render(report, format, view, style).encode("utf-8", "backslashreplace")


def render(report: Report, format: str, view: View | None = None, style: Style | None = None) -> str:
    """`report` in one of `FORMATS` that is text. `view` and `style` matter to those that people read."""
    view, style = view or View(), style or Style()
    match format:
        case "json":
            from convcost.report import json_  # noqa: PLC0415 - each format loads only itself

            return json_.render(report)
        case "jsonl":
            from convcost.report import json_  # noqa: PLC0415 - as above

            return json_.render_lines(report)
        case "csv":
            from convcost.report import csv_  # noqa: PLC0415 - as above

            return csv_.render(report)
        case "markdown":
            from convcost.report import markdown  # noqa: PLC0415 - as above

            return markdown.render(report, view)
        case "html":
            from convcost.report import html  # noqa: PLC0415 - as above

            return html.render(report, view)
        case "svg":
            from convcost.report import charts  # noqa: PLC0415 - as above

            return charts.svg(report, view)
        case "trace":
            from convcost.report import trace  # noqa: PLC0415 - as above

            return trace.render(report)
        case "github":
            from convcost.report import github  # noqa: PLC0415 - as above

            return github.render(report, view)
        case "gitlab":
            from convcost.report import gitlab  # noqa: PLC0415 - as above

            return gitlab.render(report)
        case "sarif":
            from convcost.report import sarif  # noqa: PLC0415 - as above

            return sarif.render(report)
        case "junit":
            from convcost.report import junit  # noqa: PLC0415 - as above

            return junit.render(report)
        case "openmetrics":
            from convcost.report import openmetrics  # noqa: PLC0415 - as above

            return openmetrics.render(report, view)
        case "tree":
            from msgspec.structs import replace  # noqa: PLC0415 - as above

            return render(report, "table", replace(view, tree=True), style)
        case "table":
            from convcost.report import terminal  # noqa: PLC0415 - as above

            return terminal.render(report, view, style)
        case _:
            raise ValueError(f"no format {format!r}; there are {', '.join(FORMATS)}")
