"""Which nodes of a model the nodes are that onnxruntime runs. Used in the child process that runs it.

Before the model is loaded every node is named after its place (`7/then_branch/0`). Nodes keep that name through most of
what onnxruntime does; what it fuses is found by the tensors that the fused node reads and writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

INLINED = "#"
"""Before the position of a node in a function: onnxruntime puts a prefix of its own there."""

BLOCKED = "_nchwc"
"""Nodes in the blocked layout are named after the tensor that they make, with this ending."""

LAYOUT = frozenset({"ReorderInput", "ReorderOutput"})
"""Nodes that only change the layout."""


def mark(model: Any) -> None:
    """Name every node of a ModelProto after its place."""
    _mark(model.graph.node, "")
    for function in model.functions:
        _mark(function.node, INLINED)


def _mark(nodes: Any, prefix: str) -> None:
    for i, node in enumerate(nodes):
        node.name = f"{prefix}{i}"
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _mark(attribute.g.node, f"{node.name}/{attribute.name}/")


def covered(original: Any, optimised: Any) -> dict[str, list[str]]:
    """Names of the original nodes whose work each node of the optimised graph does. Both are GraphProtos.

    These are the nodes behind its outputs, up to what other nodes make and what does not depend on the inputs. Nodes
    inside others are left out.
    """
    makers = {name: node for node in original.node for name in node.output if name}
    position = {node.name: i for i, node in enumerate(original.node)}
    live = depends(original)
    made = []
    for node in optimised.node:
        names = origins(node, makers)
        if not names and node.name in position and node.op_type not in LAYOUT:
            names = list(original.node[position[node.name]].output)
        made.append([name for name in names if name in live])
    stops = {name for names in made for name in names}
    out: dict[str, list[str]] = {}
    for node, names in zip(optimised.node, made, strict=True):
        found: set[str] = set()
        pending = list(names)
        while pending:
            maker = makers[pending.pop()]
            if maker.name not in found:
                found.add(maker.name)
                pending += [n for n in maker.input if n in makers and n in live and n not in stops]
        if found:
            out[node.name] = sorted(found, key=position.__getitem__)
    return out


def origins(node: Any, makers: dict[str, Any]) -> list[str]:
    """The tensors of the original graph that a node makes, where it or they still have the name."""
    if node.op_type in LAYOUT:
        return []
    names = [name for name in node.output if name in makers]
    before, blocked, _ = node.name.rpartition(BLOCKED)
    return [*names, before] if blocked and before in makers else names


def depends(graph: Any) -> set[str]:
    """Names that depend on the inputs of the graph. Nodes are in an order in which they can run."""
    constant = {t.name for t in graph.initializer}
    out = {t.name for t in graph.input} - constant
    for node in graph.node:
        if any(name in out for name in (*node.input, *taken(node))):
            out.update(node.output)
    return out


def taken(node: Any) -> Iterable[str]:
    """Names that the bodies of a node read."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            for inner in attribute.g.node:
                yield from inner.input
                yield from taken(inner)
            yield from (t.name for t in attribute.g.output)
