"""A whole report, and its JSON."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from convcost.record.comparisons import Comparison
from convcost.record.cost import Record
from convcost.record.models import Model

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


class Check(Record, frozen=True):
    """The verdict on one budget."""

    rule: str
    level: Literal["error", "warn"]
    status: Literal["pass", "warn", "fail", "skip"]
    model: str
    limit: int | float | str | None
    value: int | float | str | None
    location: Location | None = None


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
    diff: dict[str, Any] | None = None
    checks: list[Check] = []
    diagnostics: list[Diagnostic] = []
    environment: Environment | None = None


def encode(report: Report) -> bytes:
    """The JSON of a report: UTF-8, indented, one newline at the end, the same bytes for equal reports."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode(data: bytes) -> Report:
    """The report that `encode` wrote. Raises msgspec.ValidationError or msgspec.DecodeError."""
    return msgspec.json.decode(data, type=Report)
