"""Times: clock, statistics, advice, the machine's roof, and the measurement of a model."""

from __future__ import annotations

from convcost.timing.advice import Advice, Warning, advise  # noqa: A004 - the field's word
from convcost.timing.measure import Job, LayerWork, Measured, Options, time_model, time_together
from convcost.timing.roof import Roof, measure_roof
from convcost.timing.stats import Interval, Summary, ratio, summarize

__all__ = [
    "Advice",
    "Interval",
    "Job",
    "LayerWork",
    "Measured",
    "Options",
    "Roof",
    "Summary",
    "Warning",
    "advise",
    "measure_roof",
    "ratio",
    "summarize",
    "time_model",
    "time_together",
]
