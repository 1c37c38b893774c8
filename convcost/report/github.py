"""For GitHub Actions: annotations on standard error, and Markdown for the summary of a job.

Annotations are workflow commands: `::error file=F,line=N,title=T::MESSAGE`, where `%`, line ends, and in properties
also `:` and `,` are percent-encoded. GitHub shows ten of a kind a step and takes 1 MiB of summary a step
("Workflow commands for GitHub Actions", docs.github.com).
"""

from __future__ import annotations

from convcost.errors import ReportError
from convcost.record import Report
from convcost.report.document import document
from convcost.report.findings import Finding, findings
from convcost.report.markdown import draw
from convcost.report.text import shorten, visible
from convcost.report.view import View

MOST = 10
"""Annotations of a step."""
LIMIT = 2**20 - 2**10
"""Bytes of a step's summary; a little less than what GitHub takes."""
LONGEST = 1000
"""Columns of a message."""
ROWS = 20
"""Layers that a summary shows unless told: those with the most MACs."""
KINDS = {"error": "error", "warning": "warning", "note": "notice"}
VARIABLE = "GITHUB_STEP_SUMMARY"
"""Where the runner says which file holds the summary of the step."""


def commands(report: Report) -> str:
    """Workflow commands, the worst first, a line each; at most ten."""
    return "".join(annotation(finding) + "\n" for finding in findings(report)[:MOST])


def annotation(finding: Finding) -> str:
    """One command."""
    where = {"file": finding.file, "line": None if finding.line is None else str(finding.line)}
    title = f"convcost: {finding.rule}"
    given = {name: text for name, text in (where | {"title": title}).items() if text is not None}
    properties = ",".join(f"{name}={encoded(shorten(text, LONGEST), more=True)}" for name, text in given.items())
    message = encoded(shorten(finding.message, LONGEST))
    if finding.help:
        message += "%0A" + encoded(shorten(finding.help, LONGEST))
    return f"::{KINDS[finding.severity]} {properties}::{message}"


def encoded(text: str, *, more: bool = False) -> str:
    """`text` as the data of a command, or with `more` as a property."""
    out = visible(text).replace("%", "%25")
    return out.replace(":", "%3A").replace(",", "%2C") if more else out


def render(report: Report, view: View, room: int = LIMIT) -> str:
    """The summary in at most `room` bytes: what does not fit is left out from the end, and named."""
    if view.top is None and view.by == "layer":
        from msgspec.structs import replace  # noqa: PLC0415 - as a reader's choice

        view = replace(view, top=ROWS, sort=view.sort or "macs")
    blocks = ["\n".join(draw(block)) for block in document(report, view)]
    lines = left_out(report)
    return fitting([*blocks[:-1], *lines, blocks[-1]], room)


def fitting(blocks: list[str], room: int) -> str:
    """Blocks with empty lines between them, as many as fit into `room` bytes of UTF-8."""
    note = "_{} parts do not fit into a summary; the JSON report has all._\n"
    left = room - len(note) - 20
    for i, block in enumerate(blocks):
        left -= len(block.encode("utf-8", "backslashreplace")) + 2
        if left < 0:
            shown = [*blocks[:i], note.format(len(blocks) - i)]
            return "\n\n".join(shown) if room > len(note) + 20 else ""
    return "\n\n".join(blocks) + "\n"


def left_out(report: Report) -> list[str]:
    """How many annotations GitHub would not show."""
    others = len(findings(report)) - MOST
    return [f"_{others} more finding{'s' if others > 1 else ''} without an annotation._"] if others > 0 else []


def add_summary(path: str, report: Report, view: View) -> None:
    """Append the summary to the file that the runner named. Raises ReportError."""
    try:
        with open(path, "ab") as file:  # noqa: PTH123 - a path as the environment has it
            before = file.tell()
            text = ("\n" if before else "") + render(report, view, max(LIMIT - before, 0))
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as wrong:
        raise ReportError(f"{path}: cannot be written: {wrong.strerror or wrong}") from None
