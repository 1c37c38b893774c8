"""The report as types: the JSON report, its schema, and every other output are made from these records.

Counts are exact integers; None (`null`) means not known, 0 means known to be zero. Times are nanoseconds, sizes bytes.
Struct field order is the order of the JSON keys.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

SCHEMA_VERSION = "1.0"

CONVENTION = (
    "1 MAC = 1 multiplication + 1 addition, padding zeros included; macs count products of convolutions, matrices, "
    "recurrent gates and attention; biases and elementwise work are counted apart"
)

COUNTED = (
    "multiplications",
    "macs",
    "macs_effective",
    "additions",
    "divisions",
    "comparisons",
    "special",
    "flops",
    "params",
    "buffers",
    "weight_bytes",
    "read_bytes",
    "write_bytes",
)
"""Quantities that add up over layers."""


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all parts of a report. They hold no cycles, so the garbage collector need not look at them."""


class Cost(Record, frozen=True):
    """All quantities of one layer or a total. docs/counting.md defines each.

    In a total whose report is not complete, integers and formulas are bounds. `symbolic` holds formulas of quantities
    that depend on dimensions left open, whose own fields are then None, or on a batch that was taken as 1. `intensity`
    is FLOP per byte read or written.
    """

    multiplications: int | None
    macs: int | None
    macs_effective: int | None
    additions: int | None
    divisions: int | None
    comparisons: int | None
    special: int | None
    flops: int | None
    params: int | None
    buffers: int | None
    weight_bytes: int | None
    read_bytes: int | None
    write_bytes: int | None
    peak_memory_bytes: int | None
    intensity: float | None
    symbolic: dict[str, str] = {}


class Share(Record, frozen=True):
    """Part of the model's total, 0 to 1."""

    macs: float | None


class AxisField(Record, frozen=True):
    """Receptive field along one spatial axis of the input, in input elements."""

    size: int
    stride: str
    padding: str


class ReceptiveField(Record, frozen=True):
    """Receptive field of a layer's first output with respect to one input."""

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


class Location(Record, frozen=True):
    """Where something is: a file, a line in it (from 1), a node, or a span of a shape string."""

    file: str | None = None
    line: int | None = None
    node: str | None = None
    span: list[int] | None = None


class Check(Record, frozen=True):
    """The verdict on one budget."""

    rule: str
    level: Literal["error", "warn"]
    status: Literal["pass", "warn", "fail", "skip"]
    model: str
    limit: int | float | str | None
    value: int | float | str | None
    location: Location | None = None


class Diagnostic(Record, frozen=True):
    """A warning or a note about a source."""

    code: str
    severity: Literal["error", "warning", "note"]
    message: str
    help: str | None = None
    location: Location | None = None


class Tool(Record, frozen=True):
    """Who made the report."""

    name: str
    version: str


class Environment(Record, frozen=True):
    """Where times were measured."""

    python: str
    numpy: str
    blas: str
    machine: str
    processor: str
    cores: int
    threads: int
    gemm_gflops: float | None = None
    copy_gbytes_per_s: float | None = None
    versions: dict[str, str] = {}


class Report(Record, frozen=True):
    """A whole report: what `-f json` prints and what every other format is drawn from."""

    schema_version: str
    tool: Tool
    command: str
    convention: str
    models: list[Model]
    comparisons: list[Comparison] = []
    diff: dict[str, Any] | None = None
    checks: list[Check] = []
    diagnostics: list[Diagnostic] = []
    environment: Environment | None = None


def encode(report: Report) -> bytes:
    """The JSON of a report: UTF-8, indented, one newline at the end, the same bytes for equal reports."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode(data: bytes) -> Report:
    """The report that `encode` wrote. Raises msgspec.ValidationError or msgspec.DecodeError."""
    return msgspec.json.decode(data, type=Report)
