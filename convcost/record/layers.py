"""One node that is counted, with all that is known of it."""

from __future__ import annotations

from typing import Any, Literal

from convcost.record.cost import Cost, Record


class Share(Record, frozen=True):
    """Part of the model's total, 0 to 1."""

    macs: float | None


class AxisField(Record, frozen=True):
    """Receptive field along one spatial axis of the input, in input elements."""

    size: int
    stride: str
    padding: str


class ReceptiveField(Record, frozen=True):
    """The part of one input of the model that an element of a layer's first output depends on, axis by axis."""

    input: str
    axes: list[AxisField]
    aligned: bool = True


class LayerTiming(Record, frozen=True):
    """Measured time of one layer, in nanoseconds."""

    algorithm: str
    runs: int
    median_ns: int
    mad_ns: int
    min_ns: int
    gflops: float | None = None
    roof_share: float | None = None
    bound: Literal["compute", "memory"] | None = None


class AlgorithmCost(Record, frozen=True):
    """A convolution under one algorithm. `multiplications` is None where the algorithm does not apply: `skipped`.

    Transforms are FLOPs apart from the multiplications; the filter's are done once. `buffer_elements` are elements of
    scratch memory.
    """

    name: str
    multiplications: int | None
    data_transform_flops: int = 0
    filter_transform_flops: int = 0
    inverse_transform_flops: int = 0
    buffer_elements: int = 0
    skipped: str | None = None


class Layer(Record, frozen=True):
    """One node that is counted."""

    index: int
    name: str
    scope: list[str]
    op: str
    domain: str
    kind: str
    traits: list[str]
    inputs: list[list[int | str] | None]
    outputs: list[list[int | str] | None]
    dtype: str | None
    attributes: dict[str, Any]
    cost: Cost
    share: Share
    notation: str | None = None
    reading: list[str] = []
    shared_weights: bool = False
    repeats: int | None = 1
    receptive_field: list[ReceptiveField] | None = None
    algorithms: list[AlgorithmCost] | None = None
    timing: LayerTiming | None = None
