"""The quantities that a budget can limit: their names in a config, their fields in a report, their units."""

from __future__ import annotations

from typing import Literal

import msgspec

from convcost.record import COUNTED, Cost

Unit = Literal["count", "bytes", "share", "ns"]


class Metric(msgspec.Struct, frozen=True):
    """`key` is how people write it; `field` its name in `Cost`, None where it is not a cost; `title` in a sentence."""

    key: str
    field: str | None
    unit: Unit
    title: str

    def of(self, cost: Cost) -> int | None:
        """This quantity of a cost."""
        value = getattr(cost, self.field) if self.field is not None else None
        assert value is None or isinstance(value, int)
        return value


def _metric(field: str) -> Metric:
    key = "peak-memory" if field == "peak_memory_bytes" else field.replace("_", "-")
    titles = {"macs": "MACs", "macs_effective": "effective MACs", "flops": "FLOPs", "peak_memory_bytes": "peak memory"}
    title = titles.get(field, field.replace("_", " "))
    return Metric(key, field, "bytes" if field.endswith("_bytes") else "count", title)


COSTS = {m.key: m for m in map(_metric, (*COUNTED, "peak_memory_bytes"))}
"""What is counted, by the key of a config."""

PER_LAYER = {key: m for key, m in COSTS.items() if key != "peak-memory"}
"""What one layer has."""

COVERAGE = Metric("coverage", None, "share", "coverage")
TIME = Metric("time", None, "ns", "median time")

METRICS = {**COSTS, "coverage": COVERAGE, "time": TIME}
"""All that a budget of a whole model can limit."""

BY_FIELD = {m.field: m for m in COSTS.values()}
