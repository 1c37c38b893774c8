"""A whole report, and its JSON."""

from __future__ import annotations

from typing import Literal

import msgspec

from convcost.record.comparisons import Comparison
from convcost.record.cost import Record
from convcost.record.diffs import Diff
from convcost.record.explanations import Explanation
from convcost.record.files import Written
from convcost.record.fleet import Fleet
from convcost.record.models import Model
from convcost.record.rewrites import Rewrite
from convcost.record.separations import Separations

SCHEMA_VERSION = "1.0"

CONVENTION = (
    "1 MAC = 1 multiplication + 1 addition, padding zeros included; macs count products of convolutions, matrices, "
    "recurrent gates and attention; biases and elementwise work are counted apart"
)


class Location(Record, frozen=True):
    """Where something is: a file, a line in it (from 1), a node, or a span of a shape string."""

    file: str | None = None
    line: int | None = None
    node: str | None = None
    span: list[int] | None = None


class CheckedLayer(Record, frozen=True):
    """A layer that a verdict is about: its part of the quantity, and what that was in the baseline."""

    name: str
    op: str
    kind: str
    value: int | None
    share: float | None = None
    old: int | None = None


class Check(Record, frozen=True):
    """The verdict on one budget.

    `rule` names it (`macs`, `coverage`, `macs growth`, `layer conv* macs`); `metric` is the quantity: a field of
    `Cost`, `coverage` or `time`. `limit` and `value` are in `unit` (a `share` is 1 for all), `written` is the limit
    as somebody wrote it and `location` where. `message` is the verdict in one line, with all digits where rounded
    ones would tie, and `exact_message` with all digits everywhere; `reason` says why there is none: skipped, or
    failed because the value is not known. `help` says where to change the budget, `accept` is the command or line
    that accepts the value. `pattern` chose the layers; `old` is the value in the baseline. `layers` are those that
    caused a failure, the largest first, and `more` how many others.
    """

    rule: str
    level: Literal["error", "warn", "off"]
    status: Literal["pass", "warn", "fail", "skip"]
    model: str
    limit: int | float | str | None
    value: int | float | str | None
    location: Location | None = None
    metric: str | None = None
    unit: Literal["count", "bytes", "share", "ns"] = "count"
    written: str | None = None
    message: str = ""
    exact_message: str = ""
    reason: str | None = None
    help: str | None = None
    accept: str | None = None
    pattern: str | None = None
    old: int | float | None = None
    layers: list[CheckedLayer] = []
    more: int = 0


class Diagnostic(Record, frozen=True):
    """A warning or a note about a source."""

    code: str
    severity: Literal["error", "warning", "note"]
    message: str
    help: str | None = None
    location: Location | None = None


class Tool(Record, frozen=True):
    """Who made the report."""

    name: str
    version: str


class Environment(Record, frozen=True):
    """Where times were measured."""

    python: str
    numpy: str
    blas: str
    machine: str
    processor: str
    cores: int
    threads: int
    gemm_gflops: float | None = None
    copy_gbytes_per_s: float | None = None
    versions: dict[str, str] = {}


class Report(Record, frozen=True):
    """A whole report: what `-f json` prints and what every other format is drawn from."""

    schema_version: str
    tool: Tool
    command: str
    convention: str
    models: list[Model]
    comparisons: list[Comparison] = []
    explanations: list[Explanation] = []
    diff: Diff | None = None
    checks: list[Check] = []
    rewrites: list[Rewrite] = []
    diagnostics: list[Diagnostic] = []
    environment: Environment | None = None
    written: list[Written] = []
    separations: list[Separations] = []
    fleet: Fleet | None = None


def encode(report: Report) -> bytes:
    """The JSON of a report: UTF-8, indented, one newline at the end, the same bytes for equal reports."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode(data: bytes) -> Report:
    """The report that `encode` wrote. Raises msgspec.ValidationError or msgspec.DecodeError."""
    return msgspec.json.decode(data, type=Report)
