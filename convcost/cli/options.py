"""All options, each once: the quick parser, the help pages and shell completion are made from this list."""

from __future__ import annotations

from typing import Literal

import msgspec

from convcost.report.formats import CHARTS, FORMATS

Kind = Literal["flag", "count", "text", "int", "float", "many", "three"]

READING = "Reading"
SHOWING = "Showing"
CHECKING = "Checking"
CHOOSING = "Choosing"
MEASURING = "Measuring"
FLEET = "Fleet"
WRITING = "Writing models"


class Option(msgspec.Struct, frozen=True):
    """One option. `name` is its field in `Arguments`; `many` may be given more than once, `three` takes three words.

    `choices` are its values if not any text.
    """

    name: str
    flags: tuple[str, ...]
    kind: Kind
    help: str
    panel: str
    metavar: str = ""
    choices: tuple[str, ...] = ()


class Arguments(msgspec.Struct, frozen=True, kw_only=True):
    """A command line, understood. Field names are those of the options."""

    sources: tuple[str, ...] = ()
    format: str = "table"
    output: tuple[str, ...] = ()
    dim: tuple[str, ...] = ()
    input: tuple[str, ...] = ()
    batch: int = 1
    dtype: str = "float32"
    trip_count: tuple[str, ...] = ()
    strict: bool = False
    hash: bool = False
    columns: str | None = None
    sort: str | None = None
    top: int | None = None
    by: str = "layer"
    units: str = "auto"
    chart: str | None = None
    color: str = "auto"
    ascii: bool = False
    width: int | None = None
    quiet: bool = False
    verbose: int = 0
    budget: tuple[str, ...] = ()
    max_growth: tuple[str, ...] = ()
    baseline: str | None = None
    write_baseline: bool = False
    config: str | None = None
    fail_on: tuple[str, ...] = ()
    time: bool = False
    runs: int | None = None
    warmup: int | None = None
    threads: int | None = None
    max_memory: str | None = None
    time_limit: float | None = None
    verify: bool = False
    exact: bool = False
    fuse: bool = False
    backend: str = "numpy"
    convention: str | None = None
    explain_difference: str | None = None
    algorithms: bool = False
    layer: str | None = None
    everything: bool = False
    parameter_list: tuple[str, ...] = ()
    parameter_scan: tuple[str, str, str] | None = None
    step: int | None = None
    jobs: int | None = None
    resume: bool = False
    scheduler: str | None = None
    allow_failures: bool = False
    weights: str = "random"
    seed: int = 0
    to: str | None = None
    where: str | None = None
    rank: int | None = None
    energy: float | None = None


OPTIONS = (
    Option("dim", ("--dim",), "many", "Size of a symbolic dimension, as in --dim N=8.", READING, "NAME=SIZE"),
    Option("input", ("--input",), "many", "Shape of an input, as in --input x=1x3x224x224.", READING, "NAME=SHAPE"),
    Option("batch", ("--batch",), "int", "Batch size of shape strings.", READING, "N"),
    Option("dtype", ("--dtype",), "text", "Element type of shape strings.", READING, "TYPE"),
    Option("trip_count", ("--trip-count",), "many", "Iterations of a Loop, by its name.", READING, "NAME=N"),
    Option("strict", ("--strict",), "flag", "An error if anything cannot be counted.", READING),
    Option("hash", ("--hash",), "flag", "SHA-256 of model files of any size.", READING),
    Option("convention", ("--convention",), "text", "The total as another tool counts it.", READING, "NAME"),
    Option(
        "explain_difference", ("--explain-difference",), "text",
        "Which convention yields a number found elsewhere, as in 4133742592 or 4.1G.", READING, "N",
    ),
    Option("algorithms", ("--algorithms",), "flag", "Multiplications under Winograd, FFT, im2col too.", READING),
    Option("format", ("--format", "-f"), "text", "How standard output looks.", SHOWING, "FORMAT", FORMATS),
    Option(
        "output", ("--output", "-o"), "many", "Also write a report to a file; its ending names the format.", SHOWING,
        "[FORMAT=]PATH",
    ),
    Option("columns", ("--columns",), "text", "Columns of the table, with commas between.", SHOWING, "NAMES"),
    Option("sort", ("--sort",), "text", "Order of layers: a column's name.", SHOWING, "NAME"),
    Option("top", ("--top", "-n"), "int", "Show only the first N layers.", SHOWING, "N"),
    Option("by", ("--by",), "text", "What a row stands for.", SHOWING, "GROUP", ("layer", "op", "kind", "scope")),
    Option("units", ("--units",), "text", "Rounded or all digits.", SHOWING, "UNITS", ("auto", "si", "exact")),
    Option("chart", ("--chart",), "text", "Which chart SVG and PNG show.", SHOWING, "CHART", CHARTS),
    Option("color", ("--color",), "text", "Colours.", SHOWING, "WHEN", ("auto", "always", "never")),
    Option("ascii", ("--ascii",), "flag", "Only ASCII characters.", SHOWING),
    Option("width", ("--width",), "int", "Columns of the page.", SHOWING, "N"),
    Option("quiet", ("--quiet", "-q"), "flag", "Nothing on standard output.", SHOWING),
    Option("verbose", ("--verbose", "-v"), "count", "Also the layers that only move data.", SHOWING),
    Option("budget", ("--budget",), "many", "A limit, as in macs=600M or peak-memory=12MiB.", CHECKING, "NAME=LIMIT"),
    Option(
        "max_growth", ("--max-growth",), "many", "How much more than the baseline, as in 2% or macs=1M.", CHECKING,
        "[NAME=]LIMIT",
    ),
    Option("baseline", ("--baseline",), "text", "The baseline; else convcost-baseline.json.", CHECKING, "PATH"),
    Option("write_baseline", ("--write-baseline",), "flag", "Take what is for the new baseline.", CHECKING),
    Option("config", ("--config",), "text", "Budgets; else pyproject.toml or convcost.toml.", CHECKING, "PATH"),
    Option(
        "fail_on", ("--fail-on",), "many", "Exit with 1 where NEW costs more by this, as in macs:5% or params:+0.",
        CHECKING, "NAME:LIMIT",
    ),
    Option("to", ("--to",), "text", "What layers become, as in depthwise-separable.", CHOOSING, "NAME"),
    Option("where", ("--where",), "text", "Which layers, as in 'kernel>=3 and cin>=64'.", CHOOSING, "CONDITION"),
    Option("layer", ("--layer",), "text", "One convolution of a model, by its name.", CHOOSING, "NAME"),
    Option("everything", ("--all",), "flag", "All forms of a layer, not only the usual ones.", CHOOSING),
    Option(
        "parameter_list", ("--parameter-list", "-L"), "many", "Values of k, cin, cout, s, d, g, h or w, as in k=1,3,5.",
        CHOOSING, "NAME=VALUES",
    ),
    Option(
        "parameter_scan", ("--parameter-scan", "-P"), "three", "A range of values, as in cout 32 512.", CHOOSING,
        "NAME MIN MAX",
    ),
    Option("step", ("--step",), "int", "Step of --parameter-scan.", CHOOSING, "N"),
    Option(
        "weights", ("--weights",), "text", "Stored random numbers, or constants that nodes of the file make.", WRITING,
        "KIND", ("random", "constant"),
    ),
    Option("rank", ("--rank",), "int", "Also split layers that this rank only approximates.", WRITING, "N"),
    Option("energy", ("--energy",), "float", "Also split layers where few ranks keep this part.", WRITING, "PART"),
    Option("seed", ("--seed",), "int", "Of random numbers.", WRITING, "N"),
    Option("time", ("--time",), "flag", "Also run each one and measure its time.", MEASURING),
    Option("runs", ("--runs",), "int", "Measured runs; else as many as the clock needs.", MEASURING, "N"),
    Option("warmup", ("--warmup",), "int", "Runs before the measured ones.", MEASURING, "N"),
    Option("threads", ("--threads",), "int", "Threads of the matrix library.", MEASURING, "N"),
    Option("max_memory", ("--max-memory",), "text", "Most memory that a run may take, as in 2GiB.", MEASURING, "SIZE"),
    Option(
        "time_limit", ("--time-limit",), "float", "Most seconds that a run, or a model of a fleet, may take.",
        MEASURING, "SECONDS",
    ),
    Option("verify", ("--verify",), "flag", "Compare the outputs with onnxruntime's.", MEASURING),
    Option("exact", ("--exact",), "flag", "Only algorithms that round like the definition.", MEASURING),
    Option("fuse", ("--fuse",), "flag", "Let layers be merged where the result is the same.", MEASURING),
    Option("jobs", ("--jobs", "-j"), "int", "Processes that count; else one a core.", FLEET, "N"),
    Option("resume", ("--resume",), "flag", "Do not count again what the -o .jsonl file has already.", FLEET),
    Option("scheduler", ("--scheduler",), "text", "Count on the Dask cluster at this address.", FLEET, "ADDRESS"),
    Option("allow_failures", ("--allow-failures",), "flag", "Exit with 0 although models have failed.", FLEET),
    Option("backend", ("--backend",), "text", "What runs the model.", MEASURING, "NAME", ("numpy", "onnxruntime")),
)  # fmt: skip

BY_NAME = {option.name: option for option in OPTIONS}

SHARED = tuple(option.name for option in OPTIONS if option.panel in (READING, SHOWING))


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command: what it says about itself, and the names of its options. Its module's `run` does the work."""

    name: str
    summary: str
    examples: tuple[str, ...]
    metavar: str = "SRC..."
    options: tuple[str, ...] = SHARED
