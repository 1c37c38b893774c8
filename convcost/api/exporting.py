"""Shape strings as runnable ONNX files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from convcost import record
from convcost.api.models import model_of, report
from convcost.api.result import Report
from convcost.api.sources import Loaded, Options, expand, load, options_from
from convcost.errors import ReportError, UsageError

Weighting = Literal["random", "constant"]

File = tuple[str, bytes]


def exported(
    sources: Sequence[str], output: str, *, weights: str, seed: int, layer: str | None, options: Mapping[str, object]
) -> tuple[Report, list[File]]:
    """The report and the files (path, content) of `convcost.api.export`; nothing is written yet."""
    if weights not in ("random", "constant"):
        raise UsageError(f"unknown weights {weights!r}; there are random and constant")
    if seed < 0:
        raise UsageError(f"the seed must be at least 0, not {seed}")
    opts = options_from(options)
    items, opts = strings(sources, layer, opts)
    written: list[record.Written] = []
    models: list[record.Model] = []
    notes: list[record.Diagnostic] = []
    files: list[File] = []
    for item, path in zip(items, paths(output, len(items)), strict=True):
        model, said = model_of(item, opts)
        content = content_of(item, weights, seed)
        models.append(model)
        notes += said
        files.append((path, content))
        written.append(
            record.Written(
                file=os.path.basename(path),  # noqa: PTH119 - as it is written
                source=item.name,
                bytes=len(content),
                opset=dict(item.graph.opset),
                weights="constant" if weights == "constant" else "random",
                seed=seed if weights == "random" else None,
            )
        )
    return msgspec.structs.replace(report("export", models, diagnostics=notes), written=written), files


def strings(sources: Sequence[str], layer: str | None, opts: Options) -> tuple[list[Loaded], Options]:
    """The shape strings that are to be written; a layer of a model is one."""
    if layer is not None:
        from convcost.api.picking import picked  # noqa: PLC0415 - only for a model's layer

        item, opts = picked(sources, layer, opts)
        return [item], opts
    items = []
    for source in expand(tuple(sources)):
        if isinstance(source, str) and source.endswith((".onnx", ".json")):
            raise UsageError(f"{source}: export takes shape strings, or --layer NAME of a model")
        item = load(source, opts)
        if item.path is not None:  # a model under another ending
            raise UsageError(f"{source}: export takes shape strings, or --layer NAME of a model")
        items.append(item)
    if not items:
        raise UsageError("export needs a shape string")
    return items, opts


def paths(output: str, count: int) -> list[str]:
    """`output` for one file; layers_1.onnx, layers_2.onnx … for more."""
    if count == 1:
        return [output]
    stem, ending = os.path.splitext(output)  # noqa: PTH122 - names that are not UTF-8 stay as they are
    return [f"{stem}_{i}{ending}" for i in range(1, count + 1)]


def content_of(item: Loaded, weights: str, seed: int) -> bytes:
    """The bytes of one file."""
    from convcost.onnx_writer.layers import check_size, layer_bytes  # noqa: PLC0415 - onnx is loaded only to write

    arrays: dict[str, Any] | None = None
    try:
        if weights == "random":
            check_size(item.graph)
            from convcost.engine.weights import drawn  # noqa: PLC0415 - NumPy is loaded only to write

            arrays = drawn(item.graph, seed)
        return layer_bytes(item.graph, arrays)
    except ReportError as wrong:
        wrong.args = (f"{item.name[:200]}: {wrong.message}",)
        wrong.message = wrong.args[0]
        raise
