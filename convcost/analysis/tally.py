"""Sums of costs that know what they could not count, and their form in the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from convcost.ir import Dim, Expr, total
from convcost.ops import Work
from convcost.ops.base import NOTHING
from convcost.record import COUNTED, Cost, UnknownNode

NAMES = (*COUNTED, "peak_memory_bytes")
"""The numbers of a `Cost`, in the order of its fields."""


class Tally(msgspec.Struct, frozen=True, gc=False):
    """The cost of some nodes. None: not known; `unknown` lists the nodes whose work is missing.

    `bytes_missing` and `weights_missing` say that traffic or parameters lack a part; `lower_bound` that a loop counts
    once; `upper_bound` that a size is the most that the data allow.
    """

    work: Work = NOTHING
    params: Dim = 0
    buffers: Dim = 0
    weight_bytes: Dim = 0
    read_bytes: Dim = 0
    write_bytes: Dim = 0
    nodes: int = 0
    unknown: tuple[UnknownNode, ...] = ()
    n_unknown: int = 0
    bytes_missing: bool = False
    weights_missing: bool = False
    lower_bound: bool = False
    upper_bound: bool = False


MAX_LISTED = 1000
"""Unknown nodes listed by name; more are only counted."""


def summed(tallies: Sequence[Tally]) -> Tally:
    """All together, quantity by quantity."""
    work = NOTHING
    for t in tallies:
        if t.work is not NOTHING:
            work = work + t.work
    return Tally(
        work,
        total([t.params for t in tallies]),
        total([t.buffers for t in tallies]),
        total([t.weight_bytes for t in tallies]),
        total([t.read_bytes for t in tallies]),
        total([t.write_bytes for t in tallies]),
        sum([t.nodes for t in tallies]),
        tuple([missing for t in tallies if t.unknown for missing in t.unknown][:MAX_LISTED]),
        sum([t.n_unknown for t in tallies]),
        any(t.bytes_missing for t in tallies),
        any(t.weights_missing for t in tallies),
        any(t.lower_bound for t in tallies),
        any(t.upper_bound for t in tallies),
    )


def repeated(t: Tally, n: Dim) -> Tally:
    """`t` done n times: its work and traffic n-fold, its weights and nodes once."""
    return msgspec.structs.replace(t, work=t.work.times(n), read_bytes=t.read_bytes * n, write_bytes=t.write_bytes * n)


def cost_of(t: Tally, *, single: bool, peak: Dim | None = None) -> Cost:
    """The report's form of a tally. For a `single` row what is missing is None; in a total it is a lower bound."""
    w = t.work
    values: list[Dim | None] = [
        w.multiplications,
        w.macs,
        None if w.effective_unknown else w.effective,
        w.additions,
        w.divisions,
        w.comparisons,
        w.special,
        w.flops,
        t.params,
        t.buffers,
        t.weight_bytes,
        t.read_bytes,
        t.write_bytes,
        peak,
    ]
    if single:
        if t.n_unknown:
            values[:8] = [None] * 8
        if t.weights_missing:
            values[8:11] = [None] * 3
        if t.bytes_missing:
            values[11:13] = [None] * 2
    symbolic: dict[str, str] = {}
    if Expr in map(type, values):
        symbolic = {name: str(value) for name, value in zip(NAMES, values, strict=True) if isinstance(value, Expr)}
        values = [None if isinstance(value, Expr) else value for value in values]
    numbers = cast("list[Any]", values)
    return Cost(*[*numbers, intensity(numbers[7], numbers[11], numbers[12]), symbolic])


def intensity(flops: int | None, read: int | None, write: int | None) -> float | None:
    """FLOP per byte read or written, to six significant digits."""
    if flops is None or read is None or write is None or read + write == 0:
        return None
    return float(f"{flops / (read + write):.6g}") if flops else 0.0
