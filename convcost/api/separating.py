"""Which kernels of a model come apart, and the model with those in two steps. Imported only for that: loads NumPy."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import msgspec

from convcost import record
from convcost.alternatives import Skip
from convcost.alternatives.fitting.halves import Layer, pair
from convcost.alternatives.fitting.kernels import Kernel, Makers, kernel_of
from convcost.alternatives.fitting.separable import TOLERANCE, Wanted, analysed, approximate, layer_in
from convcost.alternatives.sites import Site, sites
from convcost.api.models import model_of, report
from convcost.api.result import Report
from convcost.api.rewriting import rewritten_file
from convcost.api.sources import Loaded, Options, expand, load, options_from
from convcost.engine.threads import limited
from convcost.errors import EngineError, ReportError, UsageError
from convcost.ir import Tensor
from convcost.ir.splice import Replacement

TIME_LIMIT = 10.0
"""Seconds that each of the two runs may take that compare a split model with the model."""

File = tuple[str, bytes]


class Search:
    """All convolutions of a model, looked at one by one; replacements are kept, kernels are not."""

    def __init__(self, item: Loaded, wanted: Wanted, *, write: bool, only: str | None) -> None:
        self.item = item
        self.wanted = wanted
        self.write = write
        self.only = only
        self.makers = Makers()
        self.layers: list[record.Separation] = []
        self.skipped: list[record.Skipped] = []
        self.replacements: list[Replacement] = []

    def run(self) -> None:
        """Look at every convolution. Raises UsageError where the one that was asked for is not there."""
        for site in sites(self.item.graph):
            name = site.path
            if self.only is not None and name != self.only:
                continue
            try:
                with limited(1):  # so that neither the digits nor the time depend on how busy other cores are
                    self.layer(name, site)
            except Skip as why:
                self.skipped.append(record.Skipped(name=name, reason=str(why)))
        if self.only is not None and not self.layers and not self.skipped:
            raise UsageError(f"{self.item.name} has no convolution {self.only[:100]}")

    def layer(self, name: str, site: Site) -> None:
        """Analyse one layer, and keep what takes its place."""
        node = site.node
        if node.domain or node.op not in ("Conv", "ConvTranspose"):
            raise Skip(f"{node.op}: only Conv and ConvTranspose are taken apart")
        if site.function:
            raise Skip("it stands in a function, which may be called with several kernels")
        x, w = (site.tensor(name) or Tensor(name) for name in node.inputs[:2])
        if w.shape is not None:
            layer_in(node, x, tuple(d for d in w.shape if isinstance(d, int)), "")
        kernel = kernel_of(node.inputs[1], site.around, self.makers)
        bias = node.inputs[2] if len(node.inputs) > 2 else ""
        layer = layer_in(node, x, kernel.array.shape, bias)
        found, parts = analysed(name, layer, kernel)
        split = found.record.exact
        if split is None and (self.wanted.rank is not None or self.wanted.energy is not None):
            split = approximate(layer, found, self.wanted)
        if split is not None and kernel.quantised:
            reason = "its kernel is stored as integers, which two steps would not be"
            self.layers.append(msgspec.structs.replace(found.record, reason=reason))
            return
        if split is not None and self.write:
            self.replacements.append(replacement(site, layer, kernel, parts, split))
            self.layers.append(msgspec.structs.replace(found.record, split=split))
            return
        self.layers.append(found.record)


def replacement(site: Site, layer: Layer, kernel: Kernel, parts: object, split: record.Split) -> Replacement:
    """The two steps that take a layer's place; its bias stays the model's own."""
    graph, weights = pair(
        layer, parts, split.form, tuple(split.first), split.rank, dtype=kernel.array.dtype, exact=split.exact
    )
    return Replacement(site.place, graph, weights, {"bias": layer.bias} if layer.bias else {})


def separate(
    source: str,
    output: str | None,
    *,
    rank: int | None,
    energy: float | None,
    layer: str | None,
    seed: int,
    options: Mapping[str, object],
) -> tuple[Report, list[File]]:
    """The report and the files (path, content) of `convcost.api.separate`; nothing is written yet."""
    check(rank, energy)
    opts = options_from(options)
    item = model_file(source, opts)
    search = Search(item, Wanted(rank, energy), write=output is not None, only=layer)
    search.run()
    model, notes = model_of(item, opts)
    made, files = None, []
    if output is not None:
        if not search.replacements:
            raise ReportError(
                f"{item.name}: no layer is split, so there is nothing to write",
                code="C512",
                help="no pair of steps that keeps so much has fewer MACs than its layer"
                if rank or energy
                else "--energy 0.99 or --rank N also split approximately",
            )
        content = rewritten_file(item.path or source, search.replacements, target=output)
        made, said = written(search, model, content, output, seed, opts)
        notes += said
        files = [(output, content)]
    result = record.Separations(
        source=item.name, tolerance=TOLERANCE, layers=search.layers, skipped=search.skipped, written=made
    )
    return msgspec.structs.replace(report("separate", [model], diagnostics=notes), separations=[result]), files


def check(rank: int | None, energy: float | None) -> None:
    """Limits that make sense."""
    if rank is not None and energy is not None:
        raise UsageError("--rank and --energy exclude each other")
    if rank is not None and rank < 1:
        raise UsageError(f"the rank must be at least 1, not {rank}")
    if energy is not None and not 0 < energy <= 1:
        raise UsageError(f"the energy is a part between 0 and 1, not {energy}")


def model_file(source: str, opts: Options) -> Loaded:
    """The one model in `source`."""
    found: Sequence[object] = list(expand((source,)))
    if len(found) != 1:
        raise UsageError(f"separate takes one model, {len(found)} are given")
    item = load(found[0], opts) if isinstance(found[0], str) and found[0].endswith(".onnx") else None
    if item is None or item.path is None:
        raise UsageError(f"{source[:100]}: a shape string has no weights; separate takes an .onnx file")
    return item


def written(
    search: Search, before: record.Model, content: bytes, output: str, seed: int, opts: Options
) -> tuple[record.SplitModel, list[record.Diagnostic]]:
    """What the new model costs, and how far its outputs are from the old one's.

    Raises ReportError where an exact split changes the outputs by more than rounding.
    """
    item = search.item
    splits = [layer.split for layer in search.layers if layer.split is not None]
    approximate = not all(split.exact for split in splits)
    new = loaded(content, os.path.basename(output), opts)  # noqa: PTH119 - as it is written
    after, _ = model_of(new, opts)
    seen = compared(item, new, seed)
    if seen.passed is False and not approximate:
        raise ReportError(
            f"{item.name}: the outputs of the split model differ by {seen.relative:.3g} of the largest: no rounding",
            code="C513",
        )
    notes = []
    if seen.reason:
        said = f"the written model was not compared: {seen.reason}"
        notes.append(
            record.Diagnostic(code="C514", severity="warning", message=said, location=record.Location(file=item.name))
        )
    made = record.SplitModel(
        file=os.path.basename(output),  # noqa: PTH119 - as it is written
        bytes=len(content),
        layers=len(splits),
        approximate=approximate,
        macs_before=before.totals.macs,
        macs_after=after.totals.macs,
        params_before=before.totals.params,
        params_after=after.totals.params,
        max_abs_difference=seen.absolute,
        max_rel_difference=seen.relative,
        tolerance=seen.tolerance,
        reason=seen.reason,
    )
    return made, notes


class Seen(msgspec.Struct, frozen=True):
    """Outputs of two models on the same input."""

    absolute: float | None = None
    relative: float | None = None
    passed: bool | None = None
    tolerance: str = ""
    reason: str = ""


def loaded(content: bytes, name: str, opts: Options) -> Loaded:
    """The new model, not from a file: there is none before all of it is known to be right."""
    from convcost import onnx_reader  # noqa: PLC0415 - onnx is slow to import

    given = dict(onnx_reader.parse_input_option(f"{name}={text}") for name, text in opts.inputs.items())
    read = onnx_reader.from_bytes(content, name, dims=opts.dims, inputs=given)
    return Loaded(name, "onnx", read.graph, dims=dict(read.dims))


def compared(old: Loaded, new: Loaded, seed: int) -> Seen:
    """The largest difference of all outputs, both models run by our engine on the same random input."""
    from convcost.engine import Session  # noqa: PLC0415 - only to write
    from convcost.engine.feeds import random_feeds  # noqa: PLC0415 - as above
    from convcost.engine.verify import compare, told  # noqa: PLC0415 - as above

    try:
        feeds = random_feeds(old.graph, seed)
        ours = Session(old.graph, time_limit=TIME_LIMIT).run(None, feeds)
        theirs = Session(new.graph, time_limit=TIME_LIMIT).run(None, feeds)
        found = [compare(b, a) for a, b in zip(ours, theirs, strict=True) if hasattr(a, "dtype")]
    except EngineError as wrong:
        return Seen(reason=wrong.message)
    if not found:
        return Seen(reason="it has no outputs that are tensors of numbers")
    kinds = sorted({str(a.dtype) for a in ours if hasattr(a, "dtype")})
    return Seen(
        absolute=max(d.absolute for d in found),
        relative=max(d.relative for d in found),
        passed=all(d.passed for d in found),
        tolerance="; ".join(told(kind) for kind in kinds),
    )
