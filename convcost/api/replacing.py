"""Layers of a model in another form: which form each takes, the graph with all of them in place, their weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from convcost import notation
from convcost.alternatives import ConvLayer, Form, Idea, Skip, written
from convcost.alternatives.choice import form_called, idea_called, unknown, usual
from convcost.alternatives.fitting import Fitted
from convcost.alternatives.layer import numbers
from convcost.alternatives.sites import Site
from convcost.api.forms import shape_of
from convcost.api.sources import Loaded
from convcost.errors import EngineError, NotationError
from convcost.ir import DType, Graph, Node, Tensor
from convcost.ir.splice import Replacement
from convcost.onnx_writer.needs import too_old
from convcost.record import Layer


class Change(msgspec.Struct, frozen=True):
    """One layer, the form that takes its place, and the form's graph."""

    row: Layer
    site: Site
    layer: ConvLayer
    idea: Idea
    form: Form
    graph: Graph


class Selected(msgspec.Struct, frozen=True):
    """A selected layer: where it stands and what it is, or the reason why it cannot be replaced."""

    row: Layer
    site: Site | None
    layer: ConvLayer | None
    reason: str = ""


def selected(row: Layer, site: Site | None) -> Selected:
    """A layer of the report with what replacing it takes."""
    if site is None:
        return Selected(row, None, None, "its name does not tell it from other nodes")
    try:
        return Selected(row, site, site.layer())
    except Skip as why:
        return Selected(row, site, None, str(why))


def change(one: Selected, to: str, opset: dict[str, int]) -> Change:
    """The layer under `to`; `Skip` with the reason."""
    if one.site is None or one.layer is None:
        raise Skip(one.reason)
    idea = idea_called(to)
    if idea is not None:
        return changed(one, idea, usual(idea, one.layer), opset)
    found = form_called(to, one.layer)
    if found is None:
        raise Skip("it has no form of this name")
    return changed(one, *found, opset)


def changed(one: Selected, idea: Idea, form: Form, opset: dict[str, int]) -> Change:
    """The layer as `form`, checked to fit in its place; `Skip` with the reason."""
    site, layer = one.site, one.layer
    if site is None or layer is None or form.notation is None:
        raise Skip(one.reason or "it has no graph of its own")
    try:
        graph = parsed(form.notation, layer.batch, layer.dtype)
    except NotationError as wrong:  # a size over the limit
        raise Skip(wrong.message) from None
    out = numbers(graph.tensors[graph.outputs[0]].dims)
    if out != (layer.batch, layer.m, *layer.out):
        raise Skip(f"its output would be {'×'.join(map(str, out))}")
    if shape_of(graph) == shape_of(parsed(written(layer), layer.batch, layer.dtype)):
        raise Skip("it is that already")
    graph = portable(graph)
    reason = too_old(graph, opset)
    if reason:
        raise Skip(reason)
    return Change(one.row, site, layer, idea, form, graph)


@lru_cache(maxsize=1024)
def parsed(text: str, batch: int, dtype: DType) -> Graph:
    """The graph of a form; layers are often alike."""
    return notation.parse(text, batch=batch, dtype=dtype)


def changes(found: Sequence[Selected], to: str, opset: dict[str, int]) -> tuple[list[Change], list[tuple[str, str]]]:
    """What becomes of the selected layers: changes, and (name, reason) of those that stay.

    Raises UsageError where no idea, nor a form of any layer, is called `to`.
    """
    known = idea_called(to) is not None
    done: list[Change] = []
    left: list[tuple[str, str]] = []
    for one in found:
        try:
            known = known or (one.layer is not None and form_called(to, one.layer) is not None)
            done.append(change(one, to, opset))
        except Skip as why:
            left.append((one.row.name, str(why)))
    if not known:
        raise unknown(to, [one.layer for one in found if one.layer is not None])
    return done, left


def portable(graph: Graph) -> Graph:
    """`graph` for any batch: a Reshape copies the batch, a Resize has scales in place of sizes."""
    tensors = dict(graph.tensors)
    nodes = []
    for node in graph.nodes:
        if node.op == "Reshape":
            t = tensors[node.inputs[1]]
            tensors[t.name] = msgspec.structs.replace(t, value=(0, *(t.value or ())[1:]))
        elif node.op == "Resize" and len(node.inputs) > 3:
            x, y = (numbers(graph.tensors[name].dims) for name in (node.inputs[0], node.outputs[0]))
            name = f"{node.name}.scales"
            scales = tuple(b // a for a, b in zip(x, y, strict=True))
            tensors[name] = Tensor(name, DType.FLOAT32, (len(scales),), scales, constant=True, stored=True)
            tensors.pop(node.inputs[3], None)
            node = msgspec.structs.replace(node, inputs=(node.inputs[0], "", name))  # noqa: PLW2901 - the same node
        nodes.append(node)
    return msgspec.structs.replace(graph, nodes=tuple(nodes), tensors=tensors)


def biases(graph: Graph) -> list[Node]:
    """The convolutions of a form that have a bias."""
    return [n for n in graph.nodes if n.op == "Conv" and len(n.inputs) > 2 and n.inputs[2]]


def replacement(change: Change, weights: dict[str, Any] | None = None) -> Replacement:
    """What the writer and the counter put in place. A bias of the whole layer stays the model's own tensor."""
    with_bias = biases(change.graph)
    bound = {}
    if len(with_bias) == 1 and numbers(change.graph.tensors[with_bias[0].inputs[2]].dims) == (change.layer.m,):
        bound = {with_bias[0].inputs[2]: change.site.node.inputs[2]}
    return Replacement(change.site.place, change.graph, weights or {}, bound)


def fitted(change: Change, item: Loaded, seed: int) -> Fitted:
    """The weights of a change, from those of the layer where they are stored."""
    from convcost.alternatives.fitting.fit import fit  # noqa: PLC0415 - NumPy is loaded only to write
    from convcost.alternatives.fitting.own import own_weights  # noqa: PLC0415 - as above

    kernel, why = None, "the shape string has no weights"
    if item.kind == "onnx":
        try:
            kernel, why = own_weights(change.site)
        except EngineError as wrong:
            why = wrong.message
    if kernel is not None and math.prod(kernel.shape) != weights_of(change.layer):
        kernel, why = None, "its weights have another shape than they say"
    return fit(change.idea.name, change.layer, change.graph, kernel, seed + change.row.index, why)


def weights_of(layer: ConvLayer) -> int:
    """How many weights a layer has."""
    return layer.m * layer.c // layer.group * math.prod(layer.kernel)
