"""Limits as people write them: 600M, 12 MiB, 2%, +0, 5 ms. Exact: no number passes through a float."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Literal

import msgspec

from convcost import units
from convcost.ci.metrics import Metric

Form = Literal["total", "layer", "growth"]

TIMES = {"ns": 1, "us": 1000, "µs": 1000, "ms": 10**6, "s": 10**9}

LARGEST = 10**30
"""No count comes near."""


class Limit(msgspec.Struct, frozen=True):
    """`amount` in the metric's unit, or a part of a whole where it is a `share`; `written` as it stood there."""

    amount: Fraction
    share: bool
    written: str

    def above(self, old: int) -> int:
        """The most that something may grow to from `old`."""
        return old + floor(old * self.amount if self.share else self.amount)


def limit(given: object, metric: Metric, form: Form) -> Limit:
    """The limit that a value of a config, or the text of an option, says. Raises ValueError, which says what it wants.

    A share is a part of the model's total for a layer, of the baseline for growth, of all nodes for coverage.
    """
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError(f"{metric.key} takes {expected(metric, form)}")  # noqa: TRY004 - all mistakes are one kind
    if isinstance(given, float):
        if not given.is_integer() or abs(given) >= 2**53:
            raise ValueError(f"a number with a point is not exact: write {expected(metric, form)}")
        given = int(given)
    written = str(given) if not isinstance(given, int) or abs(given) <= LARGEST else "a huge number"
    sign, text = signed(written) if form == "growth" else (1, written.strip())
    if text.endswith("%"):
        return Limit(sign * share(text, metric, form), share=True, written=written)
    if metric.unit == "share":
        raise ValueError(f"{metric.key} takes {expected(metric, form)}")
    if metric.unit == "ns":
        return Limit(sign * time(text, metric, form), share=False, written=written)
    read = units.read(text)
    if read is None or read[0] > LARGEST:
        raise ValueError(f"{metric.key} takes {expected(metric, form)}")
    if metric.unit == "count" and read[1].endswith("b"):
        raise ValueError(f"{metric.key} is a count, not bytes: write {expected(metric, form)}")
    return Limit(sign * read[0], share=False, written=written)


def signed(text: str) -> tuple[int, str]:
    """Growth may be written with a sign: +0, -5%."""
    text = text.strip()
    if text[:1] in ("+", "-", "−"):
        return (1 if text[0] == "+" else -1), text[1:].strip()
    return 1, text


def share(text: str, metric: Metric, form: Form) -> Fraction:
    """2.5% as a part of 1."""
    read = units.read(text[:-1])
    if form == "total" and metric.unit != "share":
        raise ValueError(f"{metric.key} of a whole model takes {expected(metric, form)}")
    if read is None or read[1]:
        raise ValueError(f"{metric.key} takes {expected(metric, form)}")
    part = read[0] / 100
    if form != "growth" and part > 1:
        raise ValueError("a share is at most 100%")
    return part


def time(text: str, metric: Metric, form: Form) -> Fraction:
    """5 ms in nanoseconds."""
    digits = text.rstrip("nuµms ")
    unit = text[len(digits) :].strip()
    read = units.read(digits)
    if read is None or read[1] or unit not in TIMES:
        raise ValueError(f"{metric.key} takes {expected(metric, form)}")
    return read[0] * TIMES[unit]


def expected(metric: Metric, form: Form) -> str:
    """What one would write."""
    if form == "growth":
        return '"2%" or "1MiB"' if metric.unit == "bytes" else '"2%" or "1M"'
    amount = {"bytes": '"12MiB"', "share": '"95%"', "ns": '"5 ms"'}.get(metric.unit, 'a count: 600_000_000 or "600M"')
    return f'{amount} or a share: "10%"' if form == "layer" else amount
