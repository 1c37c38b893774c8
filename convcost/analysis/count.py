"""Folds the operator table over a resolved graph: one row for each node that is counted, and their total.

Functions are shown by the nodes of their bodies. An If counts the branch that its condition picks, else the larger
one; a Loop or Scan counts its body times its iterations, or once, as a lower bound, where they are not known. Bodies
are also summed without rows, once each, so that calls inside calls cost no time.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from convcost.analysis.layers import Row, layer
from convcost.analysis.memory import peak_memory
from convcost.analysis.tally import Tally, add, cost_of, repeated
from convcost.analysis.weights import Book, Names, inner_names
from convcost.errors import ShapeError, Unknown
from convcost.ir import Dim, DType, Graph, Node, Tensor
from convcost.ops import Kind, find
from convcost.ops.base import Call, Op, Work
from convcost.ops.resolve import Scope
from convcost.record import Cost, Coverage, Layer, UnknownNode

MAX_ROWS = 100_000
"""Rows of a report; a body that would need more is one row."""


LOWER_BOUND = "iterations not known: the body counts once, a lower bound"


class Counter:
    """One pass over a model."""

    def __init__(self, trip_counts: Mapping[str, int]) -> None:
        self.trip_counts = trip_counts
        self.rows: list[Row] = []
        self.book = Book()
        self.memo: dict[int, Tally] = {}
        self.notes: list[tuple[str, str]] = []

    def graph(self, graph: Graph, outer: Scope | None, names: Names, path: tuple[str, ...], repeats: Dim) -> None:
        """Rows for all nodes of `graph`, done `repeats` times."""
        scope = Scope(graph.tensors, outer)
        self.book.enter(graph, names)
        for node in graph.nodes:
            self.node(node, scope, names, path, repeats)

    def node(self, node: Node, scope: Scope, names: Names, path: tuple[str, ...], repeats: Dim) -> None:
        """The row of one node, or the rows of the bodies inside it."""
        body = node.body("function")
        inner = (*path, node.name)
        if body is not None and len(self.rows) + rows_in(body) <= MAX_ROWS:
            self.graph(body, None, inner_names(node, "function", body, names), inner, repeats)
            return
        index = self.book.new_row()
        call = call_of(node, scope)
        self.book.use(index, node, call.inputs, names, call)
        own = leaf(node, call)
        chosen, times, note = self.inside(node, call, scope)
        if note:
            self.notes.append(("/".join(inner), note))
        shown = chosen if chosen is not None and chosen[0] != "function" else None
        if shown is not None and len(self.rows) + rows_in(shown[1]) > MAX_ROWS:
            shown = None
        if chosen is not None and shown is None:
            own = add(own, repeated(self.sum(chosen[1], scope, chosen[0]), times))
        if note.startswith(LOWER_BOUND):
            own = msgspec.structs.replace(own, lower_bound=True)
        for role, graph in node.bodies:
            if shown is None or role != shown[0]:
                self.book.absorb(index, graph, inner_names(node, role, graph, names))
        kind = kind_of(node, call)
        tally = repeated(own, repeats)
        self.rows.append(Row(node, node.name, path, kind, call.inputs, call.outputs, tally, repeats, index))
        if shown is not None:
            self.graph(shown[1], scope, Names(names), (*inner, shown[0]), repeats * times)

    def inside(self, node: Node, call: Call, scope: Scope) -> tuple[tuple[str, Graph] | None, Dim, str]:
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
            known = trips(node, call)
            if known is None:
                return ("body", body), 1, f"{LOWER_BOUND}; --trip-count {node.name}=N sets it"
            return ("body", body), known, ""
        return ("body", body), times, ""

    def branch(self, node: Node, call: Call, scope: Scope) -> tuple[tuple[str, Graph] | None, Dim, str]:
        """The branch that the condition picks, or the one with more work."""
        condition = call.inputs[0].value if call.inputs and call.inputs[0] is not None else None
        if condition is not None and len(condition) == 1:
            role = "then_branch" if condition[0] else "else_branch"
            body = node.body(role)
            return ((role, body) if body is not None else None), 1, ""
        sums = {role: self.sum(graph, scope, role) for role, graph in node.bodies}
        if not sums:
            return None, 1, ""
        role = max(sums, key=lambda r: weight_of(sums[r]))
        body = node.body(role)
        said = ", ".join(f"{r} {show_macs(t)}" for r, t in sums.items())
        return ((role, body) if body is not None else None), 1, f"condition not known: {said} MACs; {role} counted"

    def sum(self, graph: Graph, scope: Scope, role: str) -> Tally:
        """The work of a body without rows; each body is summed once. Weights are not in it."""
        done = self.memo.get(id(graph))
        if done is not None:
            return done
        inner = Scope(graph.tensors, None if role == "function" else scope)
        out = Tally()
        for node in graph.nodes:
            call = call_of(node, inner)
            chosen, times, _ = self.inside(node, call, inner)
            if chosen is None or chosen[0] != "function":
                out = add(out, leaf(node, call))
            if chosen is not None:
                out = add(out, repeated(self.sum(chosen[1], inner, chosen[0]), times))
        self.memo[id(graph)] = out
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


def call_of(node: Node, scope: Scope) -> Call:
    """The node as its rules see it."""
    get = scope.get
    return Call(
        node.attrs,
        tuple([get(name) if name else None for name in node.inputs]),
        tuple([get(name) if name else None for name in node.outputs]),
        len(node.outputs),
        node.bodies,
        node.name,
    )


def trips(node: Node, call: Call) -> Dim | None:
    """Iterations of a Loop with a constant trip count and condition, or the sequence length of a Scan."""
    op = find(node.domain, node.op)
    if op is None or op.trips is None:
        return None
    try:
        return op.trips(call)
    except (Unknown, ShapeError):
        return None


def leaf(node: Node, call: Call) -> Tally:
    """The work and traffic of one node by itself."""
    if node.body("function") is not None:
        return Tally()
    op = find(node.domain, node.op)
    try:
        work = work_of(node, op, call)
    except Unknown as why:
        missing = UnknownNode(name=node.name, op=node.op, reason=why.reason)
        return Tally(nodes=1, unknown=(missing,), n_unknown=1, bytes_missing=True)
    read, write, lost = traffic(call)
    return Tally(work=work, read_bytes=read, write_bytes=write, nodes=1, bytes_missing=lost)


def work_of(node: Node, op: Op | None, call: Call) -> Work:
    """The operator's cost rule, applied."""
    if op is None:
        raise Unknown(f"operator {node.domain + ':' if node.domain else ''}{node.op} has no rule")
    if node.attrs is None:
        raise Unknown("its attributes are not known")
    try:
        return op.cost(call)
    except ShapeError as wrong:
        raise Unknown(str(wrong)) from None


def traffic(call: Call) -> tuple[Dim, Dim, bool]:
    """(bytes read, bytes written, whether some are not known): each tensor once."""
    read, lost_in = nbytes({t.name: t for t in call.inputs if t is not None})
    write, lost_out = nbytes({t.name: t for t in call.outputs if t is not None})
    return read, write, lost_in or lost_out


def nbytes(tensors: Mapping[str, Tensor]) -> tuple[Dim, bool]:
    """Stored bytes of `tensors`, and whether some are not known."""
    out: Dim = 0
    lost = False
    for t in tensors.values():
        if t.shape is None or t.dtype is None or t.dtype is DType.STRING or t.container != "tensor":
            lost = True
        else:
            out = out + t.dtype.nbytes(t.size)
    return out, lost


def kind_of(node: Node, call: Call) -> Kind:
    """What the layer is called."""
    op = find(node.domain, node.op)
    if op is None:
        return Kind("function" if node.body("function") is not None else "unknown")
    if isinstance(op.kind, str):
        return Kind(op.kind)
    try:
        return op.kind(call)
    except (Unknown, ShapeError):
        return Kind("unknown")


class Counted(msgspec.Struct, frozen=True):
    """A counted graph: rows for the report, and the total."""

    layers: list[Layer]
    total: Tally
    coverage: Coverage
    notes: list[tuple[str, str]]


def count(graph: Graph, *, trip_counts: Mapping[str, int] | None = None) -> Counted:
    """All layers of a resolved graph and their total."""
    counter = Counter(trip_counts or {})
    counter.graph(graph, None, Names(), (), 1)
    weights = counter.book.close()
    rows = []
    for row in counter.rows:
        w = weights[row.book]
        tally = msgspec.structs.replace(
            row.tally, params=w.params, buffers=w.buffers, weight_bytes=w.nbytes, weights_missing=w.unknown
        )
        rows.append((row, tally, w.shared))
    total = summed([t for _, t, _ in rows])
    layers = [layer(i, row, tally, total, shared=shared) for i, (row, tally, shared) in enumerate(rows)]
    coverage = Coverage(
        complete=total.n_unknown == 0 and not total.lower_bound and not total.weights_missing,
        nodes=total.nodes,
        counted=total.nodes - total.n_unknown,
        unknown=list(total.unknown),
    )
    return Counted(layers, total, coverage, counter.notes)


def summed(tallies: list[Tally]) -> Tally:
    """Σ tallies."""
    out = Tally()
    for t in tallies:
        out = add(out, t)
    return out


def total_cost(graph: Graph, counted: Counted) -> Cost:
    """The report's total, with the peak memory of the whole graph."""
    return cost_of(counted.total, single=False, peak=peak_memory(graph, counted.total.weight_bytes))
