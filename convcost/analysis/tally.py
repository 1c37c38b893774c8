"""Sums of costs that know what they could not count, and their form in the report."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from convcost.ir import Dim, Expr
from convcost.ops import Work
from convcost.record import Cost, UnknownNode

WORK = ("multiplications", "macs", "additions", "divisions", "comparisons", "special", "flops")


class Tally(msgspec.Struct, frozen=True):
    """The cost of some nodes. None: not known; `unknown` lists the nodes whose work is missing.

    `bytes_missing` and `effective_missing` say that traffic, or effective MACs, lack a part.
    """

    work: Work = Work()
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


MAX_LISTED = 1000
"""Unknown nodes listed by name; more are only counted."""


def add(a: Tally, b: Tally) -> Tally:
    """Both together."""
    return Tally(
        a.work + b.work,
        a.params + b.params,
        a.buffers + b.buffers,
        a.weight_bytes + b.weight_bytes,
        a.read_bytes + b.read_bytes,
        a.write_bytes + b.write_bytes,
        a.nodes + b.nodes,
        (a.unknown + b.unknown)[:MAX_LISTED] if b.unknown else a.unknown,
        a.n_unknown + b.n_unknown,
        a.bytes_missing or b.bytes_missing,
        a.weights_missing or b.weights_missing,
        a.lower_bound or b.lower_bound,
    )


def repeated(t: Tally, n: Dim) -> Tally:
    """`t` done n times: its work and traffic n-fold, its weights and nodes once."""
    return msgspec.structs.replace(t, work=t.work.times(n), read_bytes=t.read_bytes * n, write_bytes=t.write_bytes * n)


def cost_of(t: Tally, *, single: bool, peak: Dim | None = None) -> Cost:
    """The report's form of a tally. For a `single` row what is missing is None; in a total it is a lower bound."""
    lost = single and t.n_unknown > 0
    w = t.work
    symbolic: dict[str, str] = {}

    def number(name: str, value: Dim, *, missing: bool) -> int | None:
        if missing:
            return None
        if isinstance(value, Expr):
            symbolic[name] = str(value)
            return None
        return value

    effective_gone = lost or w.effective_unknown
    numbers = {name: number(name, getattr(w, name), missing=lost) for name in WORK}
    read = number("read_bytes", t.read_bytes, missing=single and t.bytes_missing)
    write = number("write_bytes", t.write_bytes, missing=single and t.bytes_missing)
    gone = single and t.weights_missing
    return Cost(
        multiplications=numbers["multiplications"],
        macs=numbers["macs"],
        macs_effective=number("macs_effective", w.effective, missing=effective_gone),
        additions=numbers["additions"],
        divisions=numbers["divisions"],
        comparisons=numbers["comparisons"],
        special=numbers["special"],
        flops=numbers["flops"],
        params=number("params", t.params, missing=gone),
        buffers=number("buffers", t.buffers, missing=gone),
        weight_bytes=number("weight_bytes", t.weight_bytes, missing=gone),
        read_bytes=read,
        write_bytes=write,
        peak_memory_bytes=None if peak is None else number("peak_memory_bytes", peak, missing=False),
        intensity=intensity(numbers["flops"], read, write),
        symbolic=symbolic,
    )


def intensity(flops: int | None, read: int | None, write: int | None) -> float | None:
    """FLOP per byte read or written, to six significant digits."""
    if flops is None or read is None or write is None or read + write == 0:
        return None
    exact = Fraction(flops, read + write)
    return float(f"{float(exact):.6g}")
