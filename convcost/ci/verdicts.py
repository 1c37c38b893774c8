"""Verdicts: their form in the report, and how their numbers print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeAlias

import msgspec

from convcost import units
from convcost.ci.budgets import Budget
from convcost.ci.metrics import PER_LAYER, Metric
from convcost.record import Check, CheckedLayer, Layer, Model

LISTED = 5
"""Layers that a failure names; `more` counts the others."""


class Said(NamedTuple):
    """One line in the two forms that a reader may choose: rounded, and with all digits."""

    rounded: str
    exact: str


Form: TypeAlias = Callable[[Metric, int], str]
"""How a number prints."""


def said(tell: Callable[[Form], str]) -> Said:
    """What `tell` says in both forms."""
    return Said(tell(shown), tell(exactly))


def in_words(text: str) -> Said:
    """A line without a number to round."""
    return Said(text, text)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a budget is met. `value` and `limit` are exact; `reason` says why one could not simply compare."""

    met: bool
    value: int | Fraction | None
    limit: int | Fraction | None
    message: Said
    reason: str | None = None
    skipped: bool = False
    old: int | None = None
    layers: Sequence[CheckedLayer] = ()


def check(budget: Budget, name: str, verdict: Verdict) -> Check:
    """The verdict in the report's form."""
    status = "skip" if verdict.skipped or budget.level == "off" else "pass" if verdict.met else "fail"
    if status == "fail" and (budget.level == "warn" or budget.metric.unit == "ns"):
        status = "warn"
    shown = list(verdict.layers[:LISTED]) if status in ("fail", "warn") else []
    return Check(
        rule=budget.rule,
        level=budget.level,
        status=status,  # type: ignore[arg-type]
        model=name,
        limit=plain(verdict.limit),
        value=plain(verdict.value),
        location=budget.location,
        metric=budget.metric.field or budget.metric.key,
        unit="share" if isinstance(verdict.limit, Fraction) else budget.metric.unit,
        written=budget.limit.written,
        message=verdict.message.rounded,
        exact_message=verdict.message.exact,
        reason=verdict.reason,
        pattern=None if budget.pattern is None else str(budget.pattern),
        old=verdict.old,
        layers=shown,
        more=max(len(verdict.layers) - len(shown), 0) if shown else 0,
    )


def plain(value: int | Fraction | None) -> int | float | None:
    """A share as the report has it."""
    return float(value) if isinstance(value, Fraction) else value


def largest(model: Model, metric: Metric) -> list[CheckedLayer]:
    """Layers by their part of a total, largest first; for peak memory, by what they write."""
    whole = metric.of(model.totals)
    field = metric.field if metric.key in PER_LAYER else "write_bytes"
    parts = [(getattr(layer.cost, field or ""), layer) for layer in model.layers]
    found = sorted(((n, layer) for n, layer in parts if n), key=lambda one: -one[0])
    return [part(layer, n, whole) for n, layer in found]


def part(layer: Layer, value: int | None, whole: int | None, old: int | None = None) -> CheckedLayer:
    """One layer of a verdict."""
    share = value / whole if value is not None and whole else None
    return CheckedLayer(name=layer.name, op=layer.op, kind=layer.kind, value=value, share=share, old=old)


def grew(layers: Sequence[CheckedLayer]) -> list[CheckedLayer]:
    """Those that cost more, or nobody knows how much, the largest growth first."""
    more = [layer for layer in layers if layer.value is None or layer.value > (layer.old or 0)]
    return sorted(more, key=lambda layer: (layer.old or 0) - (layer.value or 0))


def shown(metric: Metric, n: int) -> str:
    """A number in its unit, rounded."""
    if metric.unit == "bytes":
        return units.size(n)
    return units.duration(n) if metric.unit == "ns" else units.si(n)


def exactly(metric: Metric, n: int) -> str:
    """All its digits."""
    return units.exact(n) + {"bytes": " B", "ns": " ns"}.get(metric.unit, "")


def compared(form: Form, metric: Metric, value: int | None, most: int, bound: str = "") -> str:
    """569 M ≤ 600 M; with all digits where both would print the same. A lower bound proves no ≤."""
    if value is None:
        return f"?, limit {form(metric, most)}"
    tie = value != most and form(metric, value) == form(metric, most)
    form = exactly if tie else form
    sign = " >" if value > most else ", limit" if bound in ("at least", "about") else " ≤"
    return f"{bound} {form(metric, value)}{sign} {form(metric, most)}".strip()


def grown(form: Form, metric: Metric, old: int, value: int) -> str:
    """+2.3 %, or what was added where there was nothing or the percentage would round to zero; exactly, both."""
    change = value - old
    if not change:
        return "unchanged"
    sign = "+" if change >= 0 else "−"
    added = f"{sign}{form(metric, abs(change))}"
    share = units.decimal(Fraction(100 * abs(change), old), 1) if old else ""
    if share in ("", "0.0"):
        return added
    relative = units.ratio(old, value) if change > 10 * old else f"{sign}{share} %"
    return f"{added} ({relative})" if form is exactly else relative
