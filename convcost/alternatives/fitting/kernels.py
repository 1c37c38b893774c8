"""The kernel of a convolution as an array, wherever the model keeps it: stored, or computed from what is stored."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from convcost.alternatives.layer import Skip, need
from convcost.engine import Session
from convcost.engine.memory import default_limit
from convcost.engine.weights import Weights
from convcost.errors import ConvcostError
from convcost.ir import Graph, Node, Tensor
from convcost.ops.resolve import resolve

MAX_NODES = 64
"""Nodes that may lie between stored constants and a kernel."""

MAX_ELEMENTS = 2**25
"""Larger kernels are not looked at: the work on one takes several times its bytes in double precision."""

COPIES = 40
"""Bytes for each element that the work on a kernel takes."""

RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)

Array = Any


class Kernel(msgspec.Struct, frozen=True):
    """A kernel as it is stored, and whether integers stand behind it."""

    array: Array
    quantised: bool


class Makers:
    """Which node makes a tensor, in a graph and those around it."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Graph, dict[str, Node]]] = {}

    def of(self, graph: Graph) -> dict[str, Node]:
        """Nodes of one graph by the names of their outputs."""
        if id(graph) not in self.known:
            self.known[id(graph)] = (graph, {o: n for n in graph.nodes for o in n.outputs if o})
        return self.known[id(graph)][1]

    def find(self, name: str, around: tuple[Graph, ...]) -> tuple[Tensor | None, Node | None]:
        """A tensor and the node that makes it; `around` begins with the innermost graph."""
        for graph in around:
            node = self.of(graph).get(name)
            if node is not None or name in graph.tensors:
                given = name in {t.name for t in graph.inputs}
                return (None if given else graph.tensors.get(name)), node
        return None, None


def kernel_of(name: str, around: tuple[Graph, ...], makers: Makers) -> Kernel:
    """The content of tensor `name` in double precision or less. Raises `Skip` where it is not known before running."""
    t, node = makers.find(name, around)
    need(t is not None, "its kernel is an input")
    assert t is not None
    need(
        t.dtype is not None and t.dtype.is_float, f"its kernel holds {t.dtype.label if t.dtype else 'unknown numbers'}"
    )
    check_size(t)
    try:
        if node is None:
            need(t.stored, "its kernel is an input")
            array, quantised = Weights().load(t, around[0]), False
        else:
            array, quantised = computed(name, around, makers)
    except ConvcostError as wrong:
        raise Skip(f"its kernel cannot be read: {wrong.message}") from None
    need(bool(np.isfinite(array.astype(np.float64)).all()), "its kernel holds numbers that are not finite")
    need(bool(array.any()), "its kernel is zero")
    return Kernel(array, quantised)


def check_size(t: Tensor) -> None:
    """Refuse a kernel that is too large, or whose size is open."""
    size = t.size if t.shape is not None else None
    if not isinstance(size, int):
        raise Skip("the shape of its kernel is not known")
    most = min(MAX_ELEMENTS, default_limit() // COPIES)
    need(size > 0, "its kernel is empty")
    need(size <= most, f"its kernel has {size:,} elements, over the limit of {most:,}")


def computed(name: str, around: tuple[Graph, ...], makers: Makers) -> tuple[Array, bool]:
    """A kernel that nodes make from stored constants: those nodes, run by themselves."""
    nodes: dict[int, Node] = {}
    tensors: dict[str, Tensor] = {}
    gather(name, around, makers, nodes, tensors)
    ordered = tuple(msgspec.structs.replace(n, index=i) for i, n in enumerate(nodes.values()))
    graph = resolve(Graph("kernel", (), (name,), ordered, tensors, opset=around[-1].opset))
    (array,) = Session(graph).run(None, {})
    return array, any(n.op == "DequantizeLinear" for n in ordered)


def gather(
    name: str, around: tuple[Graph, ...], makers: Makers, nodes: dict[int, Node], tensors: dict[str, Tensor]
) -> None:
    """Collect the nodes that `name` comes from, in an order in which they run, and the constants that they read."""
    todo: list[tuple[str, bool]] = [(name, False)]
    while todo:
        wanted, ready = todo.pop()
        t, node = makers.find(wanted, around)
        if node is None:
            need(t is not None and t.stored, "its kernel is computed from an input")
            assert t is not None
            tensors[wanted] = t
        elif ready:
            nodes.setdefault(id(node), node)
        elif id(node) not in nodes:
            need(not node.bodies, f"its kernel is computed by {node.op}")
            need(node.op not in RANDOM, "its kernel is drawn at random in each run")
            need(len(nodes) + len(todo) < MAX_NODES, f"its kernel is computed by more than {MAX_NODES} nodes")
            todo.append((wanted, True))
            todo += [(i, False) for i in node.inputs if i]
