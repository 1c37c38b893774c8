"""One layer of a model as a shape string of its own."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from convcost import alternatives
from convcost.alternatives import Skip
from convcost.alternatives.sites import alone
from convcost.analysis.count import MAX_ROWS, rows_in
from convcost.api.sources import Loaded, Options, expand, from_text, load
from convcost.errors import UsageError
from convcost.ir import Graph, Node, Scope, Tensor


def picked(sources: Sequence[str], name: str, opts: Options) -> tuple[Loaded, Options]:
    """The layer called `name` of the one model in `sources`, and the options that its shape string needs."""
    found = list(expand(tuple(sources)))
    if len(found) != 1:
        raise UsageError(f"--layer takes one model, {len(found)} are given")
    item = load(found[0], opts)
    tensors, node = find(item, name)
    try:
        layer = alternatives.single(alone(node, tensors), node)
    except Skip as why:
        raise UsageError(f"{item.name}, layer {name}: {why}") from None
    text = alternatives.written(layer)
    opts = msgspec.structs.replace(opts, batch=layer.batch, dtype=layer.dtype.label, dims={}, inputs={})
    return msgspec.structs.replace(from_text(text, opts), origin=f"{item.name}: {name}"), opts


def find(item: Loaded, name: str) -> tuple[Scope[Tensor], Node]:
    """A node by its name, with the names of the nodes around it in front, and what it sees.

    The error offers the nearest names.
    """
    nodes = dict(named(item.graph))
    if name in nodes:
        return nodes[name]
    import difflib  # noqa: PLC0415 - only for a mistake

    convolutions = [n for n, (_, node) in nodes.items() if node.op in ("Conv", "ConvTranspose")]
    near = difflib.get_close_matches(name[:100], convolutions, 3, 0.4) or convolutions[:3]
    hint = f"did you mean {' or '.join(near)}?" if near else "it has no convolutions"
    raise UsageError(f"{item.name} has no layer {name[:100]}; {hint}")


def named(graph: Graph) -> list[tuple[str, tuple[Scope[Tensor], Node]]]:
    """All nodes with the names that the report gives them; functions as far as it shows them."""
    left = MAX_ROWS
    out: list[tuple[str, tuple[Scope[Tensor], Node]]] = []
    todo = [(graph, "", Scope(graph.tensors))]
    while todo:
        here, prefix, tensors = todo.pop()
        for node in here.nodes:
            full = prefix + node.name
            out.append((full, (tensors, node)))
            for role, body in node.bodies:
                if role != "function":
                    todo.append((body, f"{full}/{role}/", Scope(body.tensors, tensors)))
                elif (rows := rows_in(body)) <= left:
                    left -= rows
                    todo.append((body, f"{full}/", Scope(body.tensors)))
    return out
