"""Nodes of our own graphs replaced by graphs."""

from __future__ import annotations

import pytest

from convcost import notation
from convcost.errors import ModelError
from convcost.ir import Graph
from convcost.ir.splice import Replacement, spliced
from convcost.ops.resolve import resolve

TWO = "6x6x2 -(3x3x2x4 same)-> -(1x1x4x4)->"


def kernels(graph: Graph) -> dict[str, tuple[object, ...] | None]:
    return {name: t.shape for name, t in graph.tensors.items() if t.stored}


def test_the_nodes_the_kernels_and_the_shapes_are_those_of_the_replacement() -> None:
    """The replaced node's own kernel goes, those of its neighbours stay."""
    graph = notation.parse(TWO)
    out = spliced(graph, [Replacement("0", notation.parse("6x6x2 -(1x3x2x5 same)-> -(3x1x5x4 same)->"))])
    first, second = (f"{graph.nodes[0].name}/conv{i}.weight" for i in (1, 2))
    assert kernels(out) == {first: (5, 2, 1, 3), second: (4, 5, 3, 1), graph.nodes[1].inputs[1]: (4, 4, 1, 1)}
    assert [node.index for node in out.nodes] == [0, 1, 2]
    assert out.nodes[1].inputs[0] == out.nodes[0].outputs[0]
    assert (out.nodes[0].inputs[0], out.outputs) == (graph.inputs[0].name, graph.outputs)
    assert not out.resolved
    known = resolve(out)
    assert [known.tensors[node.outputs[0]].shape for node in out.nodes] == [(1, 5, 6, 6), (1, 4, 6, 6), (1, 4, 6, 6)]


def test_two_nodes_are_replaced_by_graphs_of_the_same_names() -> None:
    graph = notation.parse("6x6x4 -(3x3x4x4 same)-> -(3x3x4x4 same)->")
    new = notation.parse("6x6x4 -(1x1x4x4)->")
    out = resolve(spliced(graph, [Replacement("0", new), Replacement("1", new)]))
    assert list(kernels(out).values()) == [(4, 4, 1, 1), (4, 4, 1, 1)]
    assert len({node.name for node in out.nodes}) == 2


def test_a_place_that_is_not_there() -> None:
    new = notation.parse("6x6x2 -(1x1x2x4)->")
    with pytest.raises(ModelError, match="no node at 3 to replace"):
        spliced(notation.parse(TWO), [Replacement("4", new), Replacement("3", new), Replacement("0", new)])
