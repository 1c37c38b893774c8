"""Nodes of a graph replaced by graphs: what both the counted graph and the written file do in the same way.

A replacement stands in the place of one node: it reads the node's first input, makes its first output, and brings its
own stored tensors. What only the replaced node read is removed with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from convcost.errors import ModelError
from convcost.ir.graph import Graph, Node, Tensor

Maker = tuple[tuple[str, ...], tuple[str, ...]]
"""Inputs and outputs of a node that may be removed where nobody reads its outputs."""


class Replacement(msgspec.Struct, frozen=True):
    """What takes the place of one node.

    `place` is that of `ir.visits`: positions of nodes and roles of bodies, as in `7/then_branch/0`. `graph` has one
    input and one output. `weights` holds arrays of its stored tensors by name; where the graph is only counted none are
    needed. `bound` says which names of `graph` stand for tensors of the model, as a bias that stays the model's own.
    """

    place: str
    graph: Graph
    weights: Mapping[str, Any] = {}
    bound: Mapping[str, str] = {}


class Part(msgspec.Struct, frozen=True):
    """A replacement under names that nothing else has: its nodes, and new name → stored tensor of its graph."""

    nodes: tuple[Node, ...]
    stored: dict[str, Tensor]


class Taken:
    """Names that are in use, and new ones that are not."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = set(names)
        self.tried: dict[str, int] = {}

    def fresh(self, name: str) -> str:
        """`name`, or `name_1`, `name_2` … where it is taken; taken from now on."""
        out = name
        while out in self.names:
            self.tried[name] = self.tried.get(name, 0) + 1
            out = f"{name}_{self.tried[name]}"
        self.names.add(out)
        return out


def part_of(new: Replacement, node: Node | Any, first: str, last: str, values: Taken, nodes: Taken) -> Part:
    """`new` for the node called `node.name`, which reads `first` and makes `last`."""
    graph = new.graph
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ValueError("a replacement has one input and one output")
    names = {"": "", graph.inputs[0].name: first, graph.outputs[0]: last, **new.bound}
    stored: dict[str, Tensor] = {}

    def named(name: str) -> str:
        if name not in names:
            names[name] = values.fresh(f"{node.name}/{name}")
            if name in graph.tensors and graph.tensors[name].stored:
                stored[names[name]] = graph.tensors[name]
        return names[name]

    out = tuple(
        msgspec.structs.replace(
            n,
            index=node.index,
            name=nodes.fresh(f"{node.name}/{n.name}"),
            inputs=tuple(named(i) for i in n.inputs),
            outputs=tuple(named(o) for o in n.outputs),
        )
        for n in graph.nodes
    )
    return Part(out, stored)


def unused(gone: Iterable[str], uses: Counter[str], makers: Mapping[str, Maker | None]) -> set[str]:
    """Names that nobody reads any more once each use in `gone` is taken from `uses`, and what only those read.

    `makers` tells who makes a name: a node, or None for a stored tensor. Names that are not in it (inputs, names with
    two makers) stay.
    """
    todo = list(gone)
    uses.subtract(todo)
    dead: set[str] = set()
    while todo:
        name = todo.pop()
        if uses[name] > 0 or name in dead or name not in makers:
            continue
        maker = makers[name]
        if maker is None:
            dead.add(name)
        elif all(uses[o] <= 0 for o in maker[1]):
            dead.update(maker[1])
            uses.subtract(maker[0])
            todo += maker[0]
    return dead


class Survey:
    """Who makes and who reads each name of a graph and its bodies; functions have names of their own."""

    def __init__(self) -> None:
        self.uses: Counter[str] = Counter()
        self.makers: dict[str, Maker | None] = {}
        self.values: set[str] = set()
        self.said: set[str] = set()
        self.nodes: set[str] = set()
        self.twice: set[str] = set()

    def made(self, name: str, maker: Maker | None, *, removable: bool = True) -> None:
        """Somebody makes `name`. Of two makers neither is removed."""
        if not name:
            return
        if name in self.values or not removable:
            self.twice.add(name)
            self.makers.pop(name, None)
        elif name not in self.twice:
            self.makers[name] = maker
        self.values.add(name)

    def read(self, names: Iterable[str]) -> None:
        """Somebody reads `names`."""
        self.uses.update(n for n in names if n)

    def graph(self, graph: Graph) -> None:
        """Everything in an ir graph."""
        self.read(graph.outputs)
        for t in graph.inputs:
            self.made(t.name, None, removable=False)
        outputs = {o for node in graph.nodes for o in node.outputs}
        for t in graph.tensors.values():
            if t.stored and t.name not in outputs:
                self.made(t.name, None)
        for node in graph.nodes:
            self.nodes.add(node.name)
            self.read(node.inputs)
            for name in node.outputs:
                self.made(name, (node.inputs, node.outputs), removable=not node.bodies)
            for role, body in node.bodies:
                if role != "function":
                    self.graph(body)


def spliced(graph: Graph, replacements: Sequence[Replacement]) -> Graph:
    """`graph`, not resolved, with its nodes replaced. Raises ModelError for a place that is not there."""
    survey = Survey()
    survey.graph(graph)
    values, names = Taken(survey.values), Taken(survey.nodes)
    by_place = {new.place: new for new in replacements}
    parts: dict[str, Part] = {}
    gone: list[str] = []

    def collect(here: Graph, prefix: str) -> None:
        for node in here.nodes:
            place = f"{prefix}{node.index}"
            new = by_place.get(place)
            if new is not None:
                parts[place] = part_of(new, node, node.inputs[0], node.outputs[0], values, names)
                gone.extend(n for n in node.inputs if n)
                survey.read(i for p in parts[place].nodes for i in p.inputs)
            for role, body in node.bodies:
                if role != "function":
                    collect(body, f"{place}/{role}/")

    collect(graph, "")
    absent(by_place, parts)
    dead = unused(gone, survey.uses, survey.makers)
    out = rebuilt(graph, "", parts, dead)
    new_stored = {
        name: msgspec.structs.replace(t, name=name, constant=True)
        for part in parts.values()
        for name, t in part.stored.items()
    }
    return msgspec.structs.replace(out, tensors={**out.tensors, **new_stored})


def absent(wanted: Iterable[str], found: Iterable[str]) -> None:
    """Raise ModelError where a place was not found."""
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise ModelError(f"there is no node at {missing[0][:80]} to replace", code="C245")


def rebuilt(graph: Graph, prefix: str, parts: Mapping[str, Part], dead: set[str]) -> Graph:
    """One graph with its parts in place and dead names gone."""
    nodes: list[Node] = []
    for node in graph.nodes:
        place = f"{prefix}{node.index}"
        if place in parts:
            nodes += parts[place].nodes
        elif not node.outputs or not all(o in dead for o in node.outputs if o):
            bodies = tuple(
                (role, body if role == "function" else rebuilt(body, f"{place}/{role}/", parts, dead))
                for role, body in node.bodies
            )
            nodes.append(msgspec.structs.replace(node, bodies=bodies) if bodies else node)
    numbered = tuple(msgspec.structs.replace(n, index=i) for i, n in enumerate(nodes))
    tensors = {name: t for name, t in graph.tensors.items() if name not in dead}
    return msgspec.structs.replace(graph, nodes=numbered, tensors=tensors, resolved=False)
