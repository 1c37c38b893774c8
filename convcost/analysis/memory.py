"""Peak memory by liveness."""

from __future__ import annotations

from convcost.ir import Dim, Graph, Node, Tensor


def peak_memory(graph: Graph, weight_bytes: Dim) -> Dim | None:
    """Most activation bytes alive at once, in the graph's order, plus weights; None where a size is not known.

    A tensor is alive from the node that makes it (an input: from the start) to its last use (an output: to the end).
    Inside a node with bodies only its inputs and outputs are seen.
    """
    last = last_uses(graph)
    sizes: dict[str, int] = {}
    alive = 0
    for t in graph.inputs:
        if t.name in last and not t.stored:
            n = size_of(graph.tensors.get(t.name))
            if n is None:
                return None
            sizes[t.name] = n
            alive += n
    peak = alive
    ends: dict[int, list[str]] = {}
    for name, i in last.items():
        ends.setdefault(i, []).append(name)
    for i, node in enumerate(graph.nodes):
        for name in node.outputs:
            made = graph.tensors.get(name)
            if not name or made is None or made.constant:
                continue
            n = size_of(made)
            if n is None:
                return None
            sizes[name] = n
            alive += n
        peak = max(peak, alive)
        for name in ends.get(i, ()):
            alive -= sizes.pop(name, 0)
        for name in node.outputs:
            if name not in last:
                alive -= sizes.pop(name, 0)
    return weight_bytes + peak


def last_uses(graph: Graph) -> dict[str, int]:
    """The position of the last node that reads each name; behind all nodes for an output."""
    last: dict[str, int] = {}
    for i, node in enumerate(graph.nodes):
        for name in node.inputs + captured(node) if node.bodies else node.inputs:
            last[name] = i
    for name in graph.outputs:
        last[name] = len(graph.nodes)
    return last


def size_of(t: Tensor | None) -> int | None:
    """Bytes of a tensor; None where they are not known."""
    if t is None or t.shape is None or t.dtype is None:
        return None
    n = t.dtype.nbytes(t.size)
    return n if isinstance(n, int) else None


def captured(node: Node) -> tuple[str, ...]:
    """Names that the branches and loop bodies of a node may take from around it."""
    out: list[str] = []
    todo = [body for role, body in node.bodies if role != "function"]
    while todo:
        body = todo.pop()
        out.extend(name for inner in body.nodes for name in inner.inputs if name not in body.tensors)
        todo.extend(b for inner in body.nodes for role, b in inner.bodies if role != "function")
    return tuple(out)
