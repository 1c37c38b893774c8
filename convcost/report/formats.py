"""The formats there are, each once: the command line, files' endings and the documentation are made from this list."""

from __future__ import annotations

import msgspec


class Format(msgspec.Struct, frozen=True):
    """One format. `endings` are those of files that are written in it unless told; `binary` is no text."""

    name: str
    purpose: str
    endings: tuple[str, ...] = ()
    binary: bool = False


ALL = (
    Format("table", "people at a terminal", (".txt",)),
    Format("tree", "people at a terminal: the same by scope"),
    Format("json", "programs; every other format can be drawn from it", (".json",)),
    Format("jsonl", "programs that read line by line: a whole report a line, a line a model", (".jsonl", ".ndjson")),
    Format("csv", "spreadsheets and data frames", (".csv",)),
    Format("markdown", "pull requests, wikis, job summaries", (".md",)),
    Format("html", "people with a browser", (".html", ".htm")),
    Format("github", "GitHub Actions: annotations on standard error, Markdown for the summary of a job"),
    Format("gitlab", "GitLab: a code quality report"),
    Format("sarif", "code scanning: SARIF 2.1.0", (".sarif",)),
    Format("junit", "CI systems that show tests: verdicts as JUnit XML", (".xml",)),
    Format("openmetrics", "Prometheus, and GitLab's metrics reports", (".prom",)),
    Format("svg", "one chart, for documents and slides", (".svg",)),
    Format("png", "one chart as an image", (".png",), binary=True),
    Format("trace", "viewers of traces: measured layers on a time line"),
)

FORMATS = tuple(one.name for one in ALL)

BINARY = frozenset(one.name for one in ALL if one.binary)

CHARTS = ("treemap", "roofline", "share", "pareto")
"""What SVG and PNG can show."""

EXTENSIONS = {ending: one.name for one in ALL for ending in one.endings}
"""The format of a file whose name does not say otherwise."""


def format_of(path: str) -> str | None:
    """The format that a file's ending names."""
    return EXTENSIONS.get("." + path.rpartition(".")[2].lower())
