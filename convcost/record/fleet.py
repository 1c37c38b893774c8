"""Many models in one table."""

from __future__ import annotations

from typing import Literal

from convcost.record.cost import Cost, Record


class FleetEntry(Record, frozen=True):
    """One model of a fleet, without its layers. Why it failed is the report's diagnostic whose file is `path`.

    `path` is the model's as it was found, `options` the fingerprint of how it was counted; with `sha256` and the
    tool's version they decide whether a count may be taken over. What a failed model does not have is None.
    """

    path: str
    status: Literal["counted", "failed"]
    sha256: str | None
    options: str
    layers: int | None = None
    nodes: int | None = None
    counted: int | None = None
    complete: bool | None = None
    lower_bound: bool = False
    upper_bound: bool = False
    totals: Cost | None = None


class Fleet(Record, frozen=True):
    """All models of a fleet in the order in which they were given."""

    counted: int
    failed: int
    entries: list[FleetEntry]
