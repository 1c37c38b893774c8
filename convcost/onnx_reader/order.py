"""Nodes in an order in which they can run: the file's own where it is one, else the nearest."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from convcost.errors import ModelError
from convcost.ir import Node
from convcost.onnx_reader.names import quoted


class Uses:
    """A node and every tensor that it needs: its inputs and what its bodies take from the graphs around them."""

    __slots__ = ("needs", "node")

    def __init__(self, node: Node, needs: Sequence[str]) -> None:
        self.node = node
        self.needs = needs


def ordered(uses: list[Uses], known: set[str]) -> tuple[tuple[Node, ...], dict[str, Node]]:
    """Nodes in runnable order, and the names that none of them defines with the first node that needs each.

    `known` are the names of inputs and initializers. Raises `ModelError` for a name defined twice and for a cycle.
    """
    made: dict[str, int] = {}
    for i, use in enumerate(uses):
        for name in use.node.outputs:
            if not name:
                continue
            if name in made or name in known:
                raise _twice(use.node, name)
            made[name] = i
    free: dict[str, Node] = {}
    done = set(known)
    sorted_already = True
    for use in uses:
        for name in use.needs:
            if name in done:
                continue
            if name in made:
                sorted_already = False
            else:
                free.setdefault(name, use.node)
        done.update(use.node.outputs)
    if sorted_already:
        return tuple([use.node for use in uses]), free
    return _sorted(uses, made), free


def _sorted(uses: list[Uses], made: dict[str, int]) -> tuple[Node, ...]:
    """Kahn's algorithm; of the nodes that can run, the one that comes first in the file."""
    waits = [0] * len(uses)
    feeds: dict[int, list[int]] = {}
    for i, use in enumerate(uses):
        sources = {made[name] for name in use.needs if name in made}
        waits[i] = len(sources)
        for source in sources:
            feeds.setdefault(source, []).append(i)
    ready = [i for i, n in enumerate(waits) if n == 0]
    out: list[Node] = []
    while ready:
        i = heapq.heappop(ready)
        out.append(uses[i].node)
        for j in feeds.get(i, ()):
            waits[j] -= 1
            if waits[j] == 0:
                heapq.heappush(ready, j)
    if len(out) < len(uses):
        stuck = next(use.node for i, use in enumerate(uses) if waits[i])
        raise ModelError(
            f"the nodes form a cycle: {quoted(stuck.name)} needs its own result", node=stuck.name, code="C210"
        )
    return tuple(out)


def _twice(node: Node, name: str) -> ModelError:
    return ModelError(f"tensor {quoted(name)} is a duplicate: it is defined twice", node=node.name, code="C210")
