"""One line of a fleet's file: a whole report of one model, or of its failure."""

from __future__ import annotations

import hashlib
import json
import os

import msgspec

from convcost import record
from convcost.api.models import model_of, report
from convcost.api.sources import Options, load_file
from convcost.errors import ConvcostError, FleetError, ModelError, internal
from convcost.onnx_reader.limits import MAX_FILE_BYTES
from convcost.onnx_reader.source import open_regular
from convcost.report.json_ import compact
from convcost.report.text import visible

SAME = b"=\n"
"""Instead of a line: the file is still the one that was counted."""


class Head(msgspec.Struct, frozen=True):
    """What a fleet's table needs of a line. The layers are skipped without being built."""

    tool: record.Tool
    fleet: record.Fleet
    diagnostics: list[record.Diagnostic] = []

    @property
    def entry(self) -> record.FleetEntry:
        """The line's model."""
        return self.fleet.entries[0]

    @property
    def error(self) -> record.Diagnostic | None:
        """Why the model failed."""
        return next((d for d in self.diagnostics if d.severity == "error"), None)


HEADS = msgspec.json.Decoder(Head)


def head_of(line: bytes) -> Head:
    """A line's head. Raises msgspec.MsgspecError or ValueError for anything else."""
    head = HEADS.decode(line)
    if len(head.fleet.entries) != 1:
        raise ValueError("not one model")
    return head


def fingerprint(opts: Options) -> str:
    """Equal for equal options, whatever their order: 16 hexadecimal digits."""
    plain = json.dumps(msgspec.to_builtins(opts), sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def line_of(path: str, opts: Options, known: str | None) -> bytes:
    """A model's line, or SAME where its hash is `known`. A model's own mistakes become the line; it never raises."""
    try:
        if known is not None and digest(path) == known:
            return SAME
        model, notes = model_of(load_file(path, opts), opts)
    except ConvcostError as wrong:
        return failure_line(path, wrong, opts)
    except MemoryError:
        return failure_line(path, FleetError("not enough memory to count it", code="C603"), opts)
    except Exception as wrong:  # noqa: BLE001 - one model's misfortune is not the fleet's; the line tells it
        return failure_line(path, internal(wrong), opts)
    seen = model.coverage
    entry = record.FleetEntry(
        path=shown(path),
        status="counted",
        sha256=model.sha256,
        options=fingerprint(opts),
        layers=len(model.layers),
        nodes=seen.nodes,
        counted=seen.counted,
        complete=seen.complete,
        lower_bound=seen.lower_bound,
        upper_bound=seen.upper_bound,
        totals=model.totals,
    )
    return encoded(entry, [model], notes)


def failure_line(path: str, wrong: ConvcostError, opts: Options) -> bytes:
    """The line of a model that cannot be counted."""
    entry = record.FleetEntry(path=shown(path), status="failed", sha256=digest(path), options=fingerprint(opts))
    where = record.Location(file=shown(path), node=getattr(wrong, "node", None))
    said = record.Diagnostic(code=wrong.code, severity="error", message=wrong.message, help=wrong.help, location=where)
    return encoded(entry, [], [said])


def encoded(entry: record.FleetEntry, models: list[record.Model], notes: list[record.Diagnostic]) -> bytes:
    """The line, with its newline."""
    fleet = record.Fleet(counted=len(models), failed=1 - len(models), entries=[entry])
    return compact(msgspec.structs.replace(report("fleet", models, diagnostics=notes), fleet=fleet)).encode() + b"\n"


def digest(path: str) -> str | None:
    """SHA-256 of a file, whatever it holds; None where it cannot be read or is too large to be a model."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                return None
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (ModelError, OSError):
        return None


def shown(path: str) -> str:
    """A path as JSON can carry it: bytes that are not UTF-8 become visible escapes."""
    return "".join(visible(c) if "\ud800" <= c <= "\udfff" else c for c in path)
