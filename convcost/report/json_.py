"""The report as JSON: the format that every other one can be drawn from."""

from __future__ import annotations

from typing import Any

import msgspec

from convcost.record import Fleet, Report, encode
from convcost.report.text import COMMAND, INVISIBLE, visible

EVERY_LINE = ("schema_version", "tool", "command", "convention", "environment")
"""What each line of JSON Lines repeats."""


def render(report: Report) -> str:
    """Indented JSON, a newline at the end. Characters that a terminal would act on, or not show, are escaped."""
    try:
        return inert(encode(report).decode())
    except UnicodeEncodeError:
        return inert(encode(msgspec.convert(repaired(msgspec.to_builtins(report)), Report)).decode())


def compact(report: Report) -> str:
    """The same on one line, without the newline."""
    return inert(msgspec.json.encode(msgspec.json.decode(render(report))).decode())


def render_lines(report: Report) -> str:
    """JSON Lines: one line a model, each line a whole report; what belongs to no model stands on the first."""
    bare = Report(**{name: getattr(report, name) for name in EVERY_LINE}, models=[])
    if report.fleet is not None:
        lines = fleet_lines(report, report.fleet, bare)
    else:
        head = msgspec.structs.replace(report, models=report.models[:1])
        lines = [head, *(msgspec.structs.replace(bare, models=[model]) for model in report.models[1:])]
    return "".join(compact(line) + "\n" for line in lines)


def fleet_lines(report: Report, fleet: Fleet, bare: Report) -> list[Report]:
    """A line for each entry of a fleet, with its model, if the report has it, and why it failed."""
    models = iter(report.models)
    errors = [d for d in report.diagnostics if d.severity == "error"]
    others = [d for d in report.diagnostics if d.severity != "error"]
    lines = []
    for entry in fleet.entries:
        done = entry.status == "counted"
        model = next(models, None) if done else None
        why = [d for d in errors if not done and d.location is not None and d.location.file == entry.path]
        one = Fleet(counted=int(done), failed=int(not done), entries=[entry])
        lines.append(
            msgspec.structs.replace(bare, models=[model] if model else [], fleet=one, diagnostics=why + others)
        )
        others = []
    return lines


def inert(text: str) -> str:
    """`text` with JSON's own escapes for control, bidi, zero-width and private characters, and for CI commands."""
    if "##" in text:
        text = COMMAND.sub(r"\\u0023#", text)
    if text.isascii() and "\x7f" not in text:
        return text
    risky = {c for c in set(text) if not c.isprintable() or c in INVISIBLE} - {"\n"}
    return text.translate({ord(c): escape(c) for c in risky})


def escape(c: str) -> str:
    r"""\u202e; beyond the basic plane as a surrogate pair, as JSON wants it."""
    units = c.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def repaired(value: Any) -> Any:
    """`value` without lone surrogates, which JSON cannot carry: odd bytes of a file name become visible escapes."""
    if isinstance(value, str):
        return "".join(visible(c) if "\ud800" <= c <= "\udfff" else c for c in value)
    if isinstance(value, list):
        return [repaired(v) for v in value]
    if isinstance(value, dict):
        return {repaired(k): repaired(v) for k, v in value.items()}
    return value
