"""Which operator set a graph of ours needs at least, so that it can stand in a model of an older one."""

from __future__ import annotations

from collections.abc import Mapping

from convcost.ir import Graph

NEEDED = {
    "Add": 7,
    "AveragePool": 7,
    "Concat": 4,
    "Conv": 1,
    "ConvTranspose": 1,
    "Identity": 1,
    "MaxPool": 1,
    "Relu": 6,
    "Reshape": 5,
    "Resize": 13,
    "Transpose": 1,
}
"""The first version that does the same with the attributes that we write; of other operators, the node's own."""


def too_old(graph: Graph, imports: Mapping[str, int]) -> str:
    """Why `graph` cannot stand in a model with these operator sets; empty where it can."""
    for node in graph.nodes:
        needed = NEEDED.get(node.op, node.since_version)
        have = imports.get(node.domain, 0)
        if have < needed:
            return f"it needs {node.op} of operator set {needed}, the model has {have}"
    return ""
