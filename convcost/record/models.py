"""One source: its layers, its totals, how much of it they stand for."""

from __future__ import annotations

from typing import Literal

from convcost.record.cost import Cost, Record
from convcost.record.layers import Layer


class UnknownNode(Record, frozen=True):
    """A node that is not counted, and why."""

    name: str
    op: str
    reason: str


class Coverage(Record, frozen=True):
    """How much of the model the totals stand for.

    `complete` means that they are exact. Otherwise `lower_bound` says that something is missing from them, and
    `upper_bound` that sizes which the data decide are taken at their most.
    """

    complete: bool
    nodes: int
    counted: int
    unknown: list[UnknownNode]
    lower_bound: bool = False
    upper_bound: bool = False


class Output(Record, frozen=True):
    """One output of the model."""

    name: str
    dtype: str | None
    shape: list[int | str] | None


class Verification(Record, frozen=True):
    """Comparison of our outputs with another runtime's."""

    backend: str
    version: str
    passed: bool
    max_abs_error: float
    max_rel_error: float
    tolerance: str


class ModelTiming(Record, frozen=True):
    """Measured time of a whole run, in nanoseconds."""

    backend: str
    threads: int
    runs: int
    warmup: int
    median_ns: int
    mad_ns: int
    min_ns: int
    layers_sum_ns: int
    weights: Literal["model", "random", "mixed"]
    verification: Verification | None = None


class Figure(Record, frozen=True):
    """The model's total in one convention; `difference` is a number found elsewhere minus this one."""

    convention: str
    says: str
    figure: int
    difference: int | None = None


class Model(Record, frozen=True):
    """One source: a model file or a shape string."""

    source: str
    kind: Literal["onnx", "shape"]
    sha256: str | None
    opset: dict[str, int]
    dims: dict[str, int]
    totals: Cost
    coverage: Coverage
    outputs: list[Output]
    layers: list[Layer]
    figures: list[Figure] = []
    timing: ModelTiming | None = None
