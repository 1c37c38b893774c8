"""How far the kernels of a model come apart: their singular values, and what splitting them would save."""

from __future__ import annotations

from typing import Literal

from convcost.record.comparisons import Skipped
from convcost.record.cost import Record

Form = Literal["slices", "joint", "by_output", "by_input", "outputs", "inputs"]


class RankCost(Record, frozen=True):
    """A kernel cut off after `rank` singular values. `energy`: the part of the sum of squares that is kept, 0 to 1.

    `macs` are those of both steps together; `saved` is how many fewer than the layer's, negative for more. None where
    shapes are not numbers, or where the form is no pair of steps.
    """

    rank: int
    energy: float
    macs: int | None = None
    saved: int | None = None


class Unfolding(Record, frozen=True):
    """A kernel as `matrices` matrices of `rows` by `columns`, and their singular values.

    `slices`: each pair of an input and an output channel by itself. `joint`, `by_output`, `by_input`: what a step along
    the spatial axes `first` and one along the others need, with `rank` channels between them for each group, for each
    output channel, for each input channel. `outputs`, `inputs`: across channels, for a step of the whole kernel and a
    pointwise one after or before it.

    `rank` is the largest that one of the matrices needs, so that what is left is at most `tolerance` of it. Singular
    values are roots of the mean square over all matrices, the largest first. `pays_to` is the largest rank at which
    the steps have fewer MACs than the layer, 0 where none has.
    """

    form: Form
    first: list[int]
    matrices: int
    rows: int
    columns: int
    rank: int
    tolerance: float
    singular_values: list[float]
    ranks: list[RankCost]
    pays_to: int | None = None


class Split(Record, frozen=True):
    """A pair of steps in a layer's place: their kernels, and the channels between them."""

    form: Form
    first: list[int]
    kernels: list[list[int]]
    rank: int
    inner: int
    energy: float
    exact: bool
    macs: int
    saved: int
    params: int


class Separation(Record, frozen=True):
    """One layer. `separable`: every slice is numerically of rank 1.

    `exact` is the pair of steps with the fewest MACs that does the same; where there is none, `reason` says why.
    `split` is the pair that the written model has.
    """

    name: str
    op: str
    weight: list[int]
    group: int
    dtype: str
    macs: int | None
    params: int
    separable: bool
    unfoldings: list[Unfolding]
    exact: Split | None = None
    reason: str = ""
    split: Split | None = None


class SplitModel(Record, frozen=True):
    """The model that was written, against the one it was made from, both run on the same random input.

    Differences are the largest over all outputs; the relative one is to the largest output. None: not run, `reason`.
    """

    file: str
    bytes: int
    layers: int
    approximate: bool
    macs_before: int | None
    macs_after: int | None
    params_before: int | None
    params_after: int | None
    max_abs_difference: float | None = None
    max_rel_difference: float | None = None
    tolerance: str = ""
    reason: str = ""


class Separations(Record, frozen=True):
    """All kernels of one model. `tolerance` says when a singular value counts as zero."""

    source: str
    tolerance: str
    layers: list[Separation]
    skipped: list[Skipped]
    written: SplitModel | None = None
