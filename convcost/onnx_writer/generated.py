"""Weights that nodes of the file make when it is loaded, so that the file stays small."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from convcost.ir import DType, Graph, Node, Tensor, known, product

FILLS = {"bias": Fraction(1, 10), "scale": Fraction(1), "mean": Fraction(0), "variance": Fraction(1)}
"""Values of vectors by their part of a layer; every other weight averages its inputs."""


def with_constant_weights(graph: Graph) -> Graph:
    """`graph`, each stored tensor without content made by a ConstantOfShape node; for graphs of shape strings.

    Weights are 1 / fan-in, so that activations keep their size through any number of layers; biases are 0.1.
    """
    nodes: list[Node] = []
    tensors = dict(graph.tensors)
    for t in graph.tensors.values():
        if t.stored and t.value is None and t.payload is None:
            size = f"{t.name}.shape"
            shape = tuple(known(d, "a size") for d in t.dims)
            tensors[size] = Tensor(size, DType.INT64, (len(shape),), shape, constant=True, stored=True)
            tensors[t.name] = msgspec.structs.replace(t, stored=False)
            value = Tensor("", t.dtype, (1,), (fill(t, graph),))
            nodes.append(Node(0, t.name, "ConstantOfShape", (size,), (t.name,), raw=(("value", value),)))
    numbered = (msgspec.structs.replace(n, index=i) for i, n in enumerate((*nodes, *graph.nodes)))
    return msgspec.structs.replace(graph, nodes=tuple(numbered), tensors=tensors)


def fill(t: Tensor, graph: Graph) -> Fraction:
    """The value of every element of a stored tensor."""
    role = t.name.rpartition(".")[2]
    if role in FILLS:
        return FILLS[role]
    shape = [known(d, "a size") for d in t.dims]
    node = next(n for n in graph.nodes if t.name in n.inputs)
    if node.op == "ConvTranspose":
        return Fraction(1, max(known(product((shape[0] // node.attrs.group, *shape[2:])), "a size"), 1))
    return Fraction(1, max(known(product(shape[1:]), "a size"), 1))
