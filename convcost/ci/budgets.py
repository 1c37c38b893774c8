"""Budgets: what is limited, to how much, for which layers, and how seriously."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from convcost.ci.limits import Form, Limit, limit
from convcost.ci.metrics import COSTS, METRICS, Metric
from convcost.errors import UsageError
from convcost.record import Layer, Location

Level = Literal["error", "warn", "off"]
LEVELS: tuple[Level, ...] = ("error", "warn", "off")

GROWING = ("macs", "params", "weight-bytes", "peak-memory")
"""What `max-growth = "2%"` limits; a table names others."""


class Pattern(msgspec.Struct, frozen=True):
    """Which layers: shell patterns, all of which must match. `any` is tried on name, operator and kind."""

    any: str | None = None
    name: str | None = None
    op: str | None = None
    kind: str | None = None

    def matches(self, layer: Layer) -> bool:
        """Whether a layer is one of them."""
        words = (layer.name, layer.op, layer.kind)
        if self.any is not None and not any(fnmatchcase(word, self.any) for word in words):
            return False
        own = zip((self.name, self.op, self.kind), words, strict=True)
        return all(pattern is None or fnmatchcase(word, pattern) for pattern, word in own)

    def __str__(self) -> str:
        named = [f"{k} {v}" for k, v in (("name", self.name), ("op", self.op), ("kind", self.kind)) if v is not None]
        return " ".join(([self.any] if self.any is not None else []) + named)


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """One limit. `pattern` is for budgets of layers; without a location it comes from the command line."""

    metric: Metric
    limit: Limit
    form: Form = "total"
    level: Level = "error"
    pattern: Pattern | None = None
    location: Location | None = None

    @property
    def rule(self) -> str:
        """Its name in a report."""
        if self.form == "layer":
            return f"layer {self.pattern} {self.metric.key}"
        return f"{self.metric.key} growth" if self.form == "growth" else self.metric.key

    @property
    def subject(self) -> tuple[str, str, str]:
        """What it is about: a later budget with the same subject takes its place."""
        return self.form, self.metric.key, str(self.pattern)


def from_option(text: str) -> Budget:
    """`macs=600M`, the value of `--budget`."""
    key, equals, value = text.partition("=")
    metric = METRICS.get(key.strip())
    if not equals or metric is None:
        raise UsageError(f"--budget {text}: expected METRIC=LIMIT, as in macs=600M; metrics are {', '.join(METRICS)}")
    try:
        return Budget(metric=metric, limit=limit(value, metric, "total"))
    except ValueError as wrong:
        raise UsageError(f"--budget {text}: {wrong}") from None


def growing(text: str) -> list[Budget]:
    """`2%` for the usual quantities or `macs=2%` for one: the value of `--max-growth`."""
    key, equals, value = text.rpartition("=")
    if equals and key.strip() not in COSTS:
        raise UsageError(f"--max-growth {text}: expected METRIC=LIMIT, as in macs=2%; metrics are {', '.join(COSTS)}")
    metrics = [COSTS[key.strip()]] if equals else [COSTS[name] for name in GROWING]
    try:
        return [Budget(metric=metric, limit=limit(value, metric, "growth"), form="growth") for metric in metrics]
    except ValueError as wrong:
        raise UsageError(f"--max-growth {text}: {wrong}") from None


def merged(*groups: list[Budget]) -> list[Budget]:
    """All budgets; of those about the same, the last."""
    return list({budget.subject: budget for group in groups for budget in group}.values())
