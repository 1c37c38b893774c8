"""Reports that were written before: read with suspicion, and put together."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from convcost import record
from convcost.api.result import Report
from convcost.errors import ModelError, UsageError
from convcost.version import __version__

MAX_BYTES = 128 * 2**20
"""A report larger than this is not read."""
MAX_VALUES = 5_000_000
"""Nor one with more values: of a small one Python would make gigabytes."""
MAX_DIGITS = 4000
"""Digits of a number. Python refuses to print more than 4,300."""
MAX_DEPTH = 100
"""Lists and objects within one another."""
STANDARD_INPUT = "standard input"


def read_report(path: str) -> Report:
    """The report in a JSON file, or in JSON Lines, whose lines are put together; `-` is standard input.

    Raises ModelError where it is none, or more than is ever written.
    """
    name = STANDARD_INPUT if path == "-" else path
    data = bytes_of(path, name)
    if len(data) > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES} bytes", file=name, code="C206")
    if data.count(b",") > MAX_VALUES:
        raise ModelError(f"more than {MAX_VALUES:,} values", file=name, code="C206")
    head, _, rest = data.partition(b"\n")
    if head.rstrip().endswith(b"}") and rest.strip():
        lines = enumerate(data.split(b"\n"), 1)
        return merged([(f"{name}:{i}", decoded(line, f"{name}:{i}")) for i, line in lines if line.strip()])
    return decoded(data, name)


def bytes_of(path: str, name: str) -> bytes:
    """What a file holds, or its first part where it holds too much."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin is not None else b""
        from convcost.onnx_reader.source import open_regular  # noqa: PLC0415 - a pipe or a device is not waited for

        with os.fdopen(open_regular(path), "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ModelError(error.strerror or "cannot be read", file=name, code="C201") from None
    except ValueError as error:  # a NUL in the name
        raise ModelError(f"cannot be read: {error}", file=name, code="C201") from None


class Head(msgspec.Struct, frozen=True):
    """What any report begins with, whatever its schema."""

    schema_version: str
    tool: record.Tool


def decoded(data: bytes, name: str) -> Report:
    """One report. `name` stands in errors."""
    head = None
    try:
        head = msgspec.json.decode(data, type=Head)
        if major(head.schema_version) != major(record.SCHEMA_VERSION):
            raise another_schema(head, name)
        report = msgspec.json.decode(data, type=Report)
        json.loads(data, object_pairs_hook=once, parse_int=short, parse_float=skip)
    except RecursionError:
        raise ModelError("not a convcost report: nested too deeply", file=name, code="C206") from None
    except (msgspec.MsgspecError, ValueError) as wrong:
        if head is not None and head.schema_version != record.SCHEMA_VERSION:
            raise another_schema(head, name) from None
        raise ModelError(f"not a convcost report: {wrong}", file=name, code="C206") from None
    if report.diff is not None and not {d.metric for d in report.diff.totals} >= {*record.COUNTED, "peak_memory_bytes"}:
        raise ModelError(
            "not a convcost report: the totals of its difference are not all there", file=name, code="C206"
        )
    return report


def major(version: str) -> str:
    """The part of a version that changes when fields change their meaning."""
    return version.partition(".")[0]


def another_schema(head: Head, name: str) -> ModelError:
    """What is said about a report of a schema that is not read."""
    its = f"{head.schema_version[:20]}, written by {head.tool.name[:40]} {head.tool.version[:20]}"
    ours = f"this convcost reads {record.SCHEMA_VERSION}"
    return ModelError(f"a report of schema version {its}; {ours}", file=name, code="C205")


class Depth(int):
    """How deeply an object of JSON is nested."""


def once(pairs: list[tuple[str, Any]]) -> Depth:
    """An object whose keys differ (others mean different things to different readers) and that is not too deep."""
    if len(dict(pairs)) < len(pairs):
        again = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {again[:80]!r} stands twice in an object")
    found = Depth(1 + max([depth(value) for _, value in pairs], default=0))
    if found > MAX_DEPTH:
        raise RecursionError
    return found


def depth(value: Any) -> int:
    """How deeply a value is nested."""
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return value if isinstance(value, Depth) else 0


def short(digits: str) -> None:
    """An integer of JSON that is not too long."""
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number with more than {MAX_DIGITS} digits")


def skip(_: str) -> None:
    """A number of JSON that was looked at before."""


def merged(parts: Sequence[tuple[str, Report]]) -> Report:
    """Reports as one: their models, comparisons, checks and diagnostics in the order given.

    Raises UsageError where they use different conventions or hold more than one difference. Where they were measured
    on different machines, none is named.
    """
    if len(parts) == 1:
        return parts[0][1]
    if not parts:
        raise UsageError("no report to read")
    (first_name, first), *others = parts
    for name, other in others:
        if other.convention != first.convention:
            raise UsageError(f"{first_name} and {name} count by different conventions and cannot be one report")
    reports = [report for _, report in parts]
    fields: dict[str, Any] = {}
    for field in record.Report.__struct_fields__:
        values = [getattr(report, field) for report in reports]
        if isinstance(values[0], list):
            fields[field] = [one for value in values for one in value]
        elif field == "diff":
            fields[field] = the_only(field, parts)
        elif field == "fleet":
            fields[field] = whole_fleet([fleet for fleet in values if fleet is not None])
    tools = {report.tool for report in reports}
    names = {report.command for report in reports}
    environment, notes = machine(reports)
    return replace(
        first,
        **fields | {"diagnostics": fields["diagnostics"] + notes},
        tool=first.tool if len(tools) == 1 else record.Tool(name="convcost", version=__version__),
        command=first.command if len(names) == 1 else "render",
        environment=environment,
    )


def whole_fleet(parts: Sequence[record.Fleet]) -> record.Fleet | None:
    """Fleets as one; the lines of a fleet's file are fleets of one model each."""
    if not parts:
        return None
    return record.Fleet(
        counted=sum(part.counted for part in parts),
        failed=sum(part.failed for part in parts),
        entries=[entry for part in parts for entry in part.entries],
    )


def the_only(field: str, parts: Sequence[tuple[str, Report]]) -> Any:
    """The value of a field that at most one report may have."""
    having = [(name, getattr(report, field)) for name, report in parts if getattr(report, field) is not None]
    if len(having) > 1:
        raise UsageError(f"{having[0][0]} and {having[1][0]} both hold a {field}; one report holds one")
    return having[0][1] if having else None


def machine(reports: Sequence[Report]) -> tuple[record.Environment | None, list[record.Diagnostic]]:
    """Where all times were taken; else nothing, and a warning."""
    seen: list[record.Environment] = []
    for report in reports:
        if report.environment is not None and report.environment not in seen:
            seen.append(report.environment)
    if len(seen) < 2:
        return (seen[0] if seen else None), []
    said = f"times were taken in {len(seen)} environments and cannot be compared; none of them is named here"
    warning = record.Diagnostic(code="C260", severity="warning", message=said, help="the single reports name theirs")
    return None, [warning]
