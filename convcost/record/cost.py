"""The base of all records, and the quantities."""

from __future__ import annotations

import msgspec

COUNTED = (
    "multiplications",
    "macs",
    "macs_effective",
    "additions",
    "divisions",
    "comparisons",
    "special",
    "flops",
    "params",
    "buffers",
    "weight_bytes",
    "read_bytes",
    "write_bytes",
)
"""Quantities that add up over layers."""


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all parts of a report. They hold no cycles, so the garbage collector need not look at them."""


class Cost(Record, frozen=True):
    """All quantities of one layer or a total. docs/counting.md defines each.

    In a total whose report is not complete, integers and formulas are bounds. `symbolic` holds formulas of quantities
    that depend on dimensions left open, whose own fields are then None, or on a batch that was taken as 1. `intensity`
    is FLOP per byte read or written.
    """

    multiplications: int | None
    macs: int | None
    macs_effective: int | None
    additions: int | None
    divisions: int | None
    comparisons: int | None
    special: int | None
    flops: int | None
    params: int | None
    buffers: int | None
    weight_bytes: int | None
    read_bytes: int | None
    write_bytes: int | None
    peak_memory_bytes: int | None
    intensity: float | None
    symbolic: dict[str, str] = {}
