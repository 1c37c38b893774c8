"""A model with some of its layers replaced."""

from __future__ import annotations

from typing import Literal

from convcost.record.comparisons import Skipped
from convcost.record.cost import Cost, Record


class CostRatio(Record, frozen=True):
    """New divided by old; None where one of them is not known or the old one is 0."""

    macs: float | None
    params: float | None
    weight_bytes: float | None
    peak_memory_bytes: float | None
    moved_bytes: float | None
    intensity: float | None


class Replaced(Record, frozen=True):
    """One layer and the form in its place. Costs of a layer in a loop are those of all its iterations.

    `weights`: `fitted` to the layer's by least squares, with the relative Frobenius `error` of the kernels; `copied`;
    `generated`, for the reason in `why`; None where no model is written. `error` is about the inside of images:
    `borders_differ` where steps pad what is between them. `why` of fitted weights says what their error does not prove.
    """

    index: int
    name: str
    op: str
    idea: str
    form: str
    notation: str
    old: Cost
    new: Cost
    ratio: CostRatio
    weights: Literal["fitted", "copied", "generated"] | None = None
    error: float | None = None
    why: str = ""
    borders_differ: bool = False


class Saving(Record, frozen=True):
    """What replacing one layer alone would save. `share` is that part of the model's MACs."""

    index: int
    name: str
    idea: str
    form: str
    macs: int | None
    saved_macs: int | None
    saved_params: int | None
    share: float | None


class IdeaTotal(Record, frozen=True):
    """What one idea would do to all selected layers together: how many it applies to, and the totals then."""

    idea: str
    layers: int
    macs: int | None
    params: int | None
    ratio_macs: float | None
    ratio_params: float | None


class Rewrite(Record, frozen=True):
    """One model under one replacement; `new` and `ratio` are None where only the ranking was asked for.

    `convolutions` is how many layers there are to select from, `selected` how many `where` selects.
    """

    of: str
    to: str | None
    where: str | None
    convolutions: int
    selected: int
    old: Cost
    new: Cost | None
    ratio: CostRatio | None
    replaced: list[Replaced]
    skipped: list[Skipped]
    ranking: list[Saving]
    ideas: list[IdeaTotal] = []
