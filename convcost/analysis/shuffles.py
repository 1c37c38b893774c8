"""Finds grouped convolutions whose output channels are shuffled: ShuffleNet's unit.

A shuffle is Reshape (N, C, …) → (N, g, C/g, …), Transpose of the second and third axis, Reshape back.
Source: X. Zhang et al., "ShuffleNet", arXiv:1707.01083, section 3.1.
"""

from __future__ import annotations

from convcost.ir import Graph, Node
from convcost.ops import find
from convcost.ops.conv import ConvAttrs

PASSING = frozenset({"norm", "activation", "elementwise", "quantize"})


def shuffled(graph: Graph) -> set[int]:
    """`id` of each node of `graph` that is a grouped convolution followed by a channel shuffle."""
    turns = [node for node in graph.nodes if node.op == "Transpose" and not node.domain]
    if not turns:
        return set()
    makers = {name: node for node in graph.nodes for name in node.outputs}
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    found: set[int] = set()
    for turn in turns:
        split = makers.get(turn.inputs[0]) if turn.inputs else None
        joins = readers.get(turn.outputs[0], ()) if turn.outputs else ()
        if split is not None and any(is_shuffle(graph, split, turn, join) for join in joins):
            conv = source(graph, makers, split.inputs[0])
            if conv is not None:
                found.add(id(conv))
    return found


def is_shuffle(graph: Graph, split: Node, turn: Node, join: Node) -> bool:
    """Whether three nodes exchange groups and channels."""
    if split.op != "Reshape" or join.op != "Reshape" or turn.attrs is None:
        return False
    x, grouped = graph.tensors.get(split.inputs[0]), graph.tensors.get(turn.inputs[0])
    y = graph.tensors.get(join.outputs[0])
    if x is None or grouped is None or y is None or x.shape is None or grouped.shape is None:
        return False
    rank = len(grouped.shape)
    swapped = (0, 2, 1, *range(3, rank))
    return rank == len(x.shape) + 1 and turn.attrs.perm == swapped and y.shape == x.shape


def source(graph: Graph, makers: dict[str, Node], name: str) -> Node | None:
    """The grouped convolution that made a tensor, perhaps through normalisation and activation."""
    for _ in range(len(graph.nodes)):
        node = makers.get(name)
        if node is None:
            return None
        if isinstance(node.attrs, ConvAttrs):
            return node if node.attrs.group > 1 else None
        op = find(node.domain, node.op)
        if op is None or op.kind not in PASSING:
            return None
        name = node.inputs[0]
    return None
