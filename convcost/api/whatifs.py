"""A model with some of its layers replaced: counted, and written where asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import msgspec

from convcost import record
from convcost.alternatives.choice import slug
from convcost.alternatives.condition import Condition, read
from convcost.alternatives.sites import facts, matched, sites
from convcost.api import ranking
from convcost.api.models import model_of, report
from convcost.api.replacing import Change, Selected, changes, fitted, replacement, selected
from convcost.api.result import Report
from convcost.api.sources import Loaded, Options, expand, load, options_from
from convcost.errors import ModelError, UsageError
from convcost.ir import Graph
from convcost.ir.splice import Replacement, spliced
from convcost.ops.resolve import resolve

File = tuple[str, bytes]


def whatif(
    source: str, *, to: str | None, where: str | None, output: str | None, seed: int, options: Mapping[str, object]
) -> tuple[Report, list[File]]:
    """The report and the files (path, content) of `convcost.api.whatif`; nothing is written yet."""
    if seed < 0:
        raise UsageError(f"the seed must be at least 0, not {seed}")
    if output is not None and to is None:
        raise UsageError("a model is written once it is said what layers become, as in --to depthwise-separable")
    condition = read(where) if where is not None else None
    opts = options_from(options)
    item = one_of(source, opts)
    model, notes = model_of(item, opts)
    chosen, convolutions = select(item, model, condition)
    rewrite = record.Rewrite(
        of=item.name,
        to=to,
        where=where,
        convolutions=convolutions,
        selected=len(chosen),
        old=model.totals,
        new=None,
        ratio=None,
        replaced=[],
        skipped=[record.Skipped(name=one.row.name, reason=one.reason) for one in chosen if one.layer is None],
        ranking=[],
    )
    if to is None:
        savings, ideas = ranking.over_ideas(chosen, item.graph.opset, model.totals)
        rewrite = msgspec.structs.replace(rewrite, ranking=savings, ideas=ideas)
        return assembled([model], rewrite, notes), []
    made, left = changes(chosen, to, item.graph.opset)
    rewrite = msgspec.structs.replace(rewrite, skipped=[record.Skipped(name=n, reason=why) for n, why in left])
    if not made:
        if output is not None:
            raise UsageError(f"nothing to write: no selected layer can become {to}; {left[0][0][:80]}: {left[0][1]}")
        return assembled([model], rewrite, notes), []
    return replaced(item, model, opts, made, rewrite, notes, output, seed)


def replaced(
    item: Loaded,
    model: record.Model,
    opts: Options,
    made: Sequence[Change],
    rewrite: record.Rewrite,
    notes: list[record.Diagnostic],
    output: str | None,
    seed: int,
) -> tuple[Report, list[File]]:
    """The report with the changes made, and the file where one is asked for."""
    name = os.path.basename(output) if output else f"{item.name} --to {slug(rewrite.to or '')}"  # noqa: PTH119 - as given
    new = with_changes(item, made, name)
    after, _ = model_of(new, msgspec.structs.replace(opts, strict=False))
    fits = [fitted(change, item, seed) if output else None for change in made]
    costs = [ranking.cost_of(change) for change in made]
    savings = [
        ranking.saving(change.row, change.idea, change.form, cost, model.totals)
        for change, cost in zip(made, costs, strict=True)
    ]
    rewrite = msgspec.structs.replace(
        rewrite,
        new=after.totals,
        ratio=ranking.ratio(after.totals, model.totals),
        replaced=[one_replaced(*each) for each in zip(made, costs, fits, strict=True)],
        ranking=ranking.ordered(savings),
    )
    notes = notes + sizes_fixed(item, made)
    if output is None:
        return assembled([model, after], rewrite, notes), []
    content = content_of(item, new, made, [fit.arrays for fit in fits if fit is not None], output, seed)
    after = msgspec.structs.replace(after, sha256=digest(content))
    if item.kind == "onnx":
        check(content, after, item, opts)
    file = record.Written(
        file=name, source=item.name, bytes=len(content), opset=dict(item.graph.opset), weights="replaced", seed=seed
    )
    return assembled([model, after], rewrite, notes, [file]), [(output, content)]


def assembled(
    models: list[record.Model],
    rewrite: record.Rewrite,
    notes: list[record.Diagnostic],
    written: Sequence[record.Written] = (),
) -> Report:
    """The whole report."""
    out = report("whatif", models, diagnostics=notes)
    return msgspec.structs.replace(out, rewrites=[rewrite], written=list(written))


def one_of(source: str, opts: Options) -> Loaded:
    """The one source."""
    found = list(expand((source,)))
    if len(found) != 1 or (isinstance(found[0], str) and found[0].endswith(".json")):
        raise UsageError("whatif takes one model or one shape string")
    return load(found[0], opts)


def select(item: Loaded, model: record.Model, condition: Condition | None) -> tuple[list[Selected], int]:
    """The selected layers, and how many convolutions there are. Raises UsageError where there are none."""
    rows = matched(sites(item.graph), model.layers)
    total = model.totals.macs
    out = []
    for layer, site in rows:
        share = Fraction(layer.cost.macs, total) if layer.cost.macs is not None and total else None
        if condition is None or condition.holds({**facts(layer), "share": share}):
            out.append(selected(layer, site))
    if not rows:
        raise UsageError(f"{item.name} has no convolutions to replace")
    if not out and condition is not None:
        raise UsageError(f"--where {condition.text}: none of the {len(rows)} convolutions of {item.name} is selected")
    return out, len(rows)


def with_changes(item: Loaded, made: Sequence[Change], name: str) -> Loaded:
    """The source with the changes in place, resolved; also with an open batch where it was assumed."""
    new = [replacement(change) for change in made]
    graph = resolved(item.graph, new, item.name)
    left_open = None
    if item.open_graph is not None:
        left_open = resolved(item.open_graph, new, item.name)
    return Loaded(name, item.kind, graph, None, item.dims, None, left_open)


def resolved(graph: Graph, new: Sequence[Replacement], name: str) -> Graph:
    """`graph` with replacements, every shape worked out again."""
    try:
        out = resolve(spliced(graph, new))
    except ModelError as wrong:
        wrong.file = wrong.file or name
        raise
    return msgspec.structs.replace(out, notes=())


def one_replaced(change: Change, cost: record.Cost, fit: Any) -> record.Replaced:
    """The record of one change."""
    return record.Replaced(
        index=change.row.index,
        name=change.row.name,
        op=change.row.op,
        idea=change.idea.name,
        form=change.form.name,
        notation=change.form.notation or "",
        old=change.row.cost,
        new=cost,
        ratio=ranking.ratio(cost, change.row.cost),
        weights=fit.method if fit is not None else None,
        error=fit.error if fit is not None else None,
        why=fit.why if fit is not None else "",
        borders_differ=fit is not None and fit.borders_differ,
    )


def content_of(
    item: Loaded, new: Loaded, made: Sequence[Change], arrays: Sequence[dict[str, Any]], output: str, seed: int
) -> bytes:
    """The bytes of the new model."""
    if item.path is None:
        from convcost.engine.weights import drawn  # noqa: PLC0415 - NumPy is loaded only to write
        from convcost.onnx_writer.layers import check_size, layer_bytes  # noqa: PLC0415 - as above

        check_size(new.graph)
        return layer_bytes(new.graph, drawn(new.graph, seed))
    from convcost.api.rewriting import rewritten_file  # noqa: PLC0415 - as above

    new_parts = [replacement(change, weights) for change, weights in zip(made, arrays, strict=True)]
    return rewritten_file(item.path, new_parts, target=output)


def digest(content: bytes) -> str:
    """SHA-256 of the new file."""
    import hashlib  # noqa: PLC0415 - only where a file is written

    return hashlib.sha256(content).hexdigest()


def check(content: bytes, after: record.Model, item: Loaded, opts: Options) -> None:
    """The new file is read back: it must cost what was said. Raises ModelError where it does not."""
    from convcost import analysis, onnx_reader  # noqa: PLC0415 - as above

    given = dict(onnx_reader.parse_input_option(f"{name}={text}") for name, text in opts.inputs.items())
    graph = onnx_reader.from_bytes(content, after.source, dims=opts.dims, inputs=given).graph
    counted = analysis.count(graph, trip_counts=opts.trip_counts)
    total = analysis.total_cost(graph, counted)
    if (total.macs, total.params, total.weight_bytes) != (
        after.totals.macs,
        after.totals.params,
        after.totals.weight_bytes,
    ):
        raise ModelError(
            f"the new model would cost {total.macs} MACs and {total.params} parameters, not {after.totals.macs} and "
            f"{after.totals.params} as worked out: it is not written",
            file=item.name,
            code="C249",
        )


def sizes_fixed(item: Loaded, made: Sequence[Change]) -> list[record.Diagnostic]:
    """A note where the new layers hold for this input size only."""
    names = [
        change.row.name
        for change in made
        if change.row.attributes.get("auto_pad", "NOTSET").startswith("SAME") and max(change.layer.strides) > 1
    ]
    if not names:
        return []
    return [
        record.Diagnostic(
            code="C247",
            severity="note",
            message=f"SAME padding with a stride depends on the input's size: {len(names)} replaced layers have the "
            "padding of this size",
            help="--input NAME=SHAPE chooses another",
            location=record.Location(file=item.name, node=names[0]),
        )
    ]
