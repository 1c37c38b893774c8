"""Folds the operator table over a resolved graph: one row for each node that is counted, and their total.

Functions are shown by the nodes of their bodies. An If counts the branch that its condition picks, else the larger
one; a Loop or Scan counts its body times its iterations, or once, as a lower bound, where they are not known. Bodies
are also summed without rows, once each, so that calls inside calls cost no time.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from convcost.analysis.layers import Row, layer
from convcost.analysis.leaf import call_of, doubt, kind_of, leaf, trips
from convcost.analysis.memory import peak_memory
from convcost.analysis.receptive import Tracker
from convcost.analysis.shuffles import shuffled
from convcost.analysis.tally import Tally, cost_of, repeated, summed
from convcost.analysis.weights import NO_WEIGHTS, Book, Names, inner_names
from convcost.ir import Dim, Graph, Node
from convcost.ops import Kind, find
from convcost.ops.base import Call, Op
from convcost.ops.control import truth
from convcost.ops.resolve import Tensors
from convcost.record import Cost, Coverage, Layer

MAX_ROWS = 100_000
"""Rows of a report; a body that would need more is one row."""


class Place(msgspec.Struct, frozen=True):
    """Where a graph stands: what its names mean, and the names of the nodes around it."""

    scope: Tensors
    names: Names
    fields: Tracker
    path: tuple[str, ...]

    def function(self, node: Node, body: Graph) -> Place:
        """The place of the body of a called function: it sees its arguments only."""
        fields = Tracker()
        fields.called(node, body, self.fields)
        names = inner_names(node, "function", body, self.names)
        return Place(Tensors(body.tensors), names, fields, (*self.path, node.name))

    def inside(self, node: Node, role: str, body: Graph) -> Place:
        """The place of a branch or loop body: it sees everything around it."""
        path = (*self.path, node.name, role)
        return Place(Tensors(body.tensors, self.scope), Names(parent=self.names), Tracker(parent=self.fields), path)


LOWER_BOUND = "iterations not known: the body counts once, a lower bound"


class Counter:
    """One pass over a model."""

    def __init__(self, trip_counts: Mapping[str, int]) -> None:
        self.trip_counts = trip_counts
        self.rows: list[Row] = []
        self.book = Book()
        self.memo: dict[int, Tally] = {}
        self.notes: list[tuple[str, str]] = []
        self.doubts: dict[str, str] = {}
        self.shuffled: set[int] = set()

    def graph(self, graph: Graph, place: Place, repeats: Dim) -> None:
        """Rows for all nodes of `graph`, done `repeats` times."""
        self.book.enter(graph, place.names)
        self.shuffled |= shuffled(graph)
        for node in graph.nodes:
            self.node(node, place, repeats)

    def node(self, node: Node, place: Place, repeats: Dim) -> None:
        """The row of one node, or the rows of the bodies inside it."""
        if node.bodies:
            self.nested(node, place, repeats)
            return
        op = find(node.domain, node.op)
        call = call_of(node, place.scope)
        self.row(node, op, call, place, leaf(node, op, call), repeats)

    def row(self, node: Node, op: Op | None, call: Call, place: Place, own: Tally, repeats: Dim) -> int:
        """Add the row of a node whose work, done once, is `own`; returns its number in the book of weights."""
        index = self.book.new_row()
        self.book.use(index, node, op, call, place.names)
        fields = place.fields.follow(node, call, op)
        tally = own if repeats == 1 else repeated(own, repeats)
        if tally.upper_bound:
            self.doubts.setdefault(doubt(call), "/".join((*place.path, node.name)))
        kind = kind_of(node, op, call)
        if id(node) in self.shuffled:
            kind = Kind(kind.name, (*kind.traits, "shuffled"))
        self.rows.append(Row(node, place.path, kind, call, tally, repeats, index, fields))
        return index

    def nested(self, node: Node, place: Place, repeats: Dim) -> None:
        """A node with bodies: a function's nodes in its place, a branch or loop body after it."""
        scope, names = place.scope, place.names
        body = node.body("function")
        if body is not None and len(self.rows) + rows_in(body) <= MAX_ROWS:
            called = place.function(node, body)
            self.graph(body, called, repeats)
            place.fields.returned(node, body, called.fields)
            return
        op = find(node.domain, node.op)
        call = call_of(node, scope)
        own = leaf(node, op, call)
        chosen, times, note = self.inside(node, op, call, scope)
        if note:
            self.notes.append(("/".join((*place.path, node.name)), note))
        shown = chosen if chosen is not None and chosen[0] != "function" else None
        if shown is not None and len(self.rows) + rows_in(shown[1]) > MAX_ROWS:
            shown = None
        if chosen is not None and shown is None:
            own = summed((own, repeated(self.sum(chosen[1], scope, chosen[0]), times)))
        if note.startswith(LOWER_BOUND):
            own = msgspec.structs.replace(own, lower_bound=True)
        index = self.row(node, op, call, place, own, repeats)
        for role, graph in node.bodies:
            if shown is None or role != shown[0]:
                around = None if role == "function" else scope
                self.book.absorb(index, graph, inner_names(node, role, graph, names), around)
        if shown is not None:
            within = place.inside(node, *shown)
            self.graph(shown[1], within, repeats * times)
            if node.op == "If":
                place.fields.returned(node, shown[1], within.fields)

    def inside(
        self, node: Node, op: Op | None, call: Call, scope: Tensors
    ) -> tuple[tuple[str, Graph] | None, Dim, str]:
        """Which body counts, how often, and what there is to say about it."""
        body = node.body("function")
        if body is not None:
            return ("function", body), 1, ""
        if node.op == "If" and not node.domain:
            return self.branch(node, call, scope)
        body = node.body("body")
        if body is None:
            return None, 1, ""
        times = self.trip_counts.get(node.name)
        if times is None:
            known = trips(op, call)
            if known is None:
                return ("body", body), 1, f"{LOWER_BOUND}; --trip-count {node.name}=N sets it"
            return ("body", body), known, ""
        return ("body", body), times, ""

    def branch(self, node: Node, call: Call, scope: Tensors) -> tuple[tuple[str, Graph] | None, Dim, str]:
        """The branch that the condition picks, or the one with more work."""
        picked = truth(call.optional(0))
        if picked is not None:
            role = "then_branch" if picked else "else_branch"
            body = node.body(role)
            return ((role, body) if body is not None else None), 1, ""
        sums = {role: self.sum(graph, scope, role) for role, graph in node.bodies}
        if not sums:
            return None, 1, ""
        role = max(sums, key=lambda r: weight_of(sums[r]))
        body = node.body(role)
        said = ", ".join(f"{r} {show_macs(t)}" for r, t in sums.items())
        return ((role, body) if body is not None else None), 1, f"condition not known: {said} MACs; {role} counted"

    def sum(self, graph: Graph, scope: Tensors, role: str) -> Tally:
        """The work of a body without rows; each body is summed once. Weights are not in it."""
        done = self.memo.get(id(graph))
        if done is not None:
            return done
        inner = Tensors(graph.tensors, None if role == "function" else scope)
        parts: list[Tally] = []
        for node in graph.nodes:
            op = find(node.domain, node.op)
            call = call_of(node, inner)
            chosen, times, _ = self.inside(node, op, call, inner)
            if chosen is None or chosen[0] != "function":
                parts.append(leaf(node, op, call))
            if chosen is not None:
                parts.append(repeated(self.sum(chosen[1], inner, chosen[0]), times))
        out = self.memo[id(graph)] = summed(parts)
        return out


def weight_of(t: Tally) -> tuple[bool, int, int]:
    """Order of branches: a branch that is known before one that is not, then MACs, then all work."""
    macs = t.work.macs if isinstance(t.work.macs, int) else 0
    flops = t.work.flops if isinstance(t.work.flops, int) else 0
    return (t.n_unknown == 0, macs, flops)


def show_macs(t: Tally) -> str:
    """MACs of a branch for a note."""
    macs = f"{t.work.macs:,}" if isinstance(t.work.macs, int) else str(t.work.macs)
    return f"at least {macs}" if t.n_unknown else macs


def rows_in(graph: Graph) -> int:
    """Rows that `graph` would take, all bodies shown; capped just above the limit."""
    todo: list[tuple[Graph, bool]] = [(graph, False)]
    done: dict[int, int] = {}
    while todo:
        g, ready = todo.pop()
        if id(g) in done:
            continue
        if not ready:
            todo.append((g, True))
            todo.extend((b, False) for n in g.nodes for _, b in n.bodies if id(b) not in done)
            continue
        n = sum(1 + sum(done.get(id(b), 0) for _, b in node.bodies) for node in g.nodes)
        done[id(g)] = min(n, MAX_ROWS + 1)
    return done[id(graph)]


class Counted(msgspec.Struct, frozen=True):
    """A counted graph: rows for the report, and the total."""

    layers: list[Layer]
    total: Tally
    coverage: Coverage
    notes: list[tuple[str, str]]


def count(graph: Graph, *, trip_counts: Mapping[str, int] | None = None, algorithms: bool = False) -> Counted:
    """All layers of a resolved graph and their total; `algorithms` adds other algorithms' costs to convolutions."""
    counter = Counter(trip_counts or {})
    fields = Tracker()
    fields.start(graph)
    counter.graph(graph, Place(Tensors(graph.tensors), Names(), fields, ()), 1)
    weights = counter.book.close()
    rows = []
    for row in counter.rows:
        w = weights[row.book]
        tally = row.tally
        if w is not NO_WEIGHTS:
            tally = msgspec.structs.replace(
                tally, params=w.params, buffers=w.buffers, weight_bytes=w.nbytes, weights_missing=w.unknown
            )
        rows.append((row, tally, w.shared))
    total = summed([t for _, t, _ in rows])
    layers = [
        layer(i, row, tally, total, shared=shared, priced=algorithms) for i, (row, tally, shared) in enumerate(rows)
    ]
    missing = total.n_unknown > 0 or total.lower_bound or total.weights_missing
    coverage = Coverage(
        complete=not missing and not total.upper_bound,
        nodes=total.nodes,
        counted=total.nodes - total.n_unknown,
        unknown=list(total.unknown),
        lower_bound=missing,
        upper_bound=total.upper_bound,
    )
    notes = counter.notes + [
        (name, f"{why}: counted at the most that is possible") for why, name in counter.doubts.items()
    ]
    return Counted(layers, total, coverage, notes)


def total_cost(graph: Graph, counted: Counted) -> Cost:
    """The report's total, with the peak memory of the whole graph."""
    return cost_of(counted.total, single=False, peak=peak_memory(graph, counted.total.weight_bytes))
