"""Sources as graphs: shape strings, lists of them, model files, patterns of files, JSON reports."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from convcost import notation
from convcost.api.result import Report
from convcost.errors import NotationError, UsageError
from convcost.ir import DType, Graph

MEASURING = frozenset(
    {"runs", "warmup", "min_seconds", "threads", "max_memory", "time_limit", "exact", "fuse", "verify", "seed"}
)
"""Options of a measurement: the fields of `timing.Options`, named here so that counting does not load it."""


Source = str | os.PathLike[str]
"""What a function takes for a source or a file."""


def text_of(source: object) -> str:
    """A source as the command line would give it. Raises UsageError for what is neither a text nor a path."""
    text = os.fspath(source) if isinstance(source, str | os.PathLike) else None
    if not isinstance(text, str):
        raise UsageError(f"a source is a text or a path, not {type(source).__name__}")
    return text


def texts_of(sources: Sequence[Source]) -> tuple[str, ...]:
    """Several sources as the command line would give them."""
    return tuple(text_of(source) for source in sources)


class Loaded(msgspec.Struct, frozen=True):
    """One source as a graph: `name` is how the report calls it, `path` where a file lies.

    `open_graph` is the graph with the batch left open, where it was taken as 1 without being told; `origin` what a
    layer was taken out of.
    """

    name: str
    kind: str
    graph: Graph
    path: str | None = None
    dims: dict[str, int] = {}
    sha256: str | None = None
    open_graph: Graph | None = None
    origin: str | None = None


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How sources are read and counted; each field is an option of the command line."""

    dims: Mapping[str, int] = {}
    inputs: Mapping[str, str] = {}
    batch: int = 1
    dtype: str = "float32"
    strict: bool = False
    hash: bool = False
    trip_counts: Mapping[str, int] = {}
    algorithms: bool = False
    convention: str | None = None
    explain_difference: int | None = None


def split(options: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Options of a measurement, and the others."""
    how = {name: value for name, value in options.items() if name in MEASURING and value is not None}
    return how, {name: value for name, value in options.items() if name not in MEASURING}


def options_from(given: Mapping[str, object]) -> Options:
    """Options by name, checked."""
    unknown = set(given) - set(Options.__struct_fields__)
    if unknown:
        raise UsageError(f"unknown option {min(unknown)!r}; there are {', '.join(Options.__struct_fields__)}")
    try:
        opts = msgspec.convert(dict(given), Options)
    except msgspec.ValidationError as wrong:
        raise UsageError(f"an option has the wrong type: {wrong}") from None
    if opts.batch < 1:
        raise UsageError(f"the batch must be at least 1, not {opts.batch}")
    if DType.from_label(opts.dtype) is None:
        raise UsageError(f"unknown element type {opts.dtype!r}; for instance float32, float16, int8")
    return opts


def expand(sources: tuple[str, ...]) -> Iterator[str | notation.Line]:
    """Sources with patterns replaced by the files that they match, and `-` and `@file` by their lines."""
    for source in sources:
        if source == "-":
            yield from notation.read_lines(sys.stdin.buffer, "standard input")
        elif source.startswith("@"):
            yield from notation.read_file(source[1:])
        elif source.endswith(".onnx") and any(c in source for c in "*?[") and not os.path.lexists(source):
            import glob  # noqa: PLC0415 - rare

            found = sorted(glob.glob(source, recursive=True))  # noqa: PTH207 - patterns may be absolute
            if not found:
                raise UsageError(f"no file matches {source}")
            yield from found
        else:
            yield source


def load(source: str | notation.Line, opts: Options) -> Loaded:
    """A source as a resolved graph."""
    if isinstance(source, notation.Line):
        return from_line(source, opts)
    if notation.is_notation(source):
        return from_text(source, opts)
    return load_file(source, opts)


def load_file(source: str, opts: Options) -> Loaded:
    """The model in a file as a resolved graph, whatever the file is called."""
    from convcost import onnx_reader  # noqa: PLC0415 - onnx is slow to import

    given = dict(onnx_reader.parse_input_option(f"{name}={text}") for name, text in opts.inputs.items())
    file = onnx_reader.read_file(source, dims=opts.dims, inputs=given, hash=opts.hash)
    name = os.path.basename(source)  # noqa: PTH119 - names that are not UTF-8 stay as they are
    left_open = None
    if file.assumed:
        left_open = onnx_reader.resolve_model(file.raw, dims=opts.dims, inputs=given, assume=False).graph
    return Loaded(name, "onnx", file.graph, source, dict(file.dims), file.sha256, left_open)


def from_text(text: str, opts: Options) -> Loaded:
    """A shape string as a resolved graph."""
    dtype = DType.from_label(opts.dtype)
    graph = notation.parse(text, batch=opts.batch, dtype=dtype or DType.FLOAT32)
    return Loaded(" ".join(text.split()), "shape", graph)


def from_line(line: notation.Line, opts: Options) -> Loaded:
    """A shape string of a list; a mistake in it is reported with its line."""
    try:
        return from_text(line.text, opts)
    except NotationError as wrong:
        wrong.line, wrong.source = line.number, line.source
        raise


def read_report(path: str) -> Report:
    """A JSON report that this tool wrote. Raises ModelError where it is none."""
    from convcost.api import reports  # noqa: PLC0415 - most sources are none

    return reports.read_report(path)
