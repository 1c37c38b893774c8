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


FIELDS = {
    "multiplications": "Scalar multiplications of all kinds: those of the MACs and of elementwise work.",
    "macs": "Multiply-accumulates of products, padding zeros included. 1 MAC = 1 multiplication + 1 addition.",
    "macs_effective": "MACs without multiplications by padding zeros.",
    "additions": "Scalar additions and subtractions, those of the MACs included.",
    "divisions": "Scalar divisions.",
    "comparisons": "Scalar comparisons, as in Relu and MaxPool.",
    "special": "Evaluations of exp, log, tanh, erf, sqrt, sin and the like, one each.",
    "flops": "Sum of multiplications, additions, divisions, comparisons and special.",
    "params": "Elements of weights, each tensor once, on its first use.",
    "buffers": "Elements of the other constants.",
    "weight_bytes": "Bytes of params as stored.",
    "read_bytes": "Bytes read: each input of a node once.",
    "write_bytes": "Bytes written: each output of a node once.",
    "peak_memory_bytes": "Most activation bytes alive at once in the graph's order, plus weights.",
    "intensity": "FLOP per byte read or written.",
    "symbolic": "Formulas of the fields that depend on dimensions left open (they are null) or on a batch taken as 1.",
}
"""What each of them is, in a sentence. docs/counting.md has more."""
