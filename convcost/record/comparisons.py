"""Other ways to do a layer, beside it."""

from __future__ import annotations

from convcost.record.cost import Cost, Record
from convcost.record.layers import AlgorithmCost, ReceptiveField
from convcost.record.models import ModelTiming, Output


class Ratio(Record, frozen=True):
    """Cost of an alternative divided by the cost of what it replaces.

    `time_error` is the median absolute deviation of `time`, from those of both times.
    """

    macs: float | None
    params: float | None
    time: float | None = None
    time_error: float | None = None


class Alternative(Record, frozen=True):
    """One way to do a layer. `notation` is None where it is the same layer under another algorithm.

    `pareto`: no other row with the same output shape has as few MACs and parameters and, where all are measured, as
    little time, and less of one; None for rows that are not compared: other outputs, other algorithms.
    """

    name: str
    notation: str | None
    cost: Cost
    ratio: Ratio
    outputs: list[Output] = []
    receptive_field: list[ReceptiveField] | None = None
    timing: ModelTiming | None = None
    summary: str = ""
    keeps: list[str] = []
    loses: str = ""
    source: str = ""
    pareto: bool | None = None
    algorithm: AlgorithmCost | None = None


class Skipped(Record, frozen=True):
    """An alternative that does not apply, and why."""

    name: str
    reason: str


class Comparison(Record, frozen=True):
    """Alternatives beside one original. Ratios are to the first.

    `scanned` names the parameters that differ where the rows are a scan; `more` is how many forms are not listed.
    """

    of: str
    alternatives: list[Alternative]
    skipped: list[Skipped]
    scanned: list[str] = []
    more: int = 0
