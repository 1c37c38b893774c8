"""Gives every tensor of a graph its type, node by node, with the operators' own shape rules.

Declared shapes of intermediate tensors are not looked at. A rule that lacks a fact leaves its outputs unknown, with
the reason, and later nodes inherit it. Small integer contents are carried along, so that shape arithmetic folds.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from convcost.errors import ModelError, ShapeError, Unknown
from convcost.ir import MAX_FLOATS, MAX_VALUE, Graph, Node, Scope, Shape, Tensor
from convcost.ops import find
from convcost.ops.base import Call, Op

MAX_DEPTH = 64
"""Bodies inside bodies: branches, loops and functions."""

MAX_RANK = 64
"""A tensor with more dimensions is refused; NumPy stops there too."""

MAX_DIM = 2**63 - 1
"""ONNX stores dimensions as signed 64-bit integers."""

MAX_RULE_CALLS = 500_000
"""Shape rules applied for one model, the bodies of loops more than once."""

ABSENT = Tensor("", reason="not given")
"""Stands for an input that a function is called without."""

TOO_MUCH = "C250"
"""Code of the errors for bodies inside bodies without end."""

Run = Callable[[str, tuple[Tensor, ...]], Graph]
Key = tuple[int, tuple[Tensor, ...], tuple[Tensor | None, ...], bool]
Attempt = Callable[[str], tuple[Graph, bool]]


Tensors = Scope[Tensor]


class Resolver:
    """One resolution: remembers the bodies it has resolved, so that a function called twice is worked out once."""

    def __init__(self) -> None:
        self.memo: dict[Key, tuple[Graph, tuple[str, ...]]] = {}
        self.free: dict[int, tuple[str, ...]] = {}
        self.depth = 0
        self.rule_calls = 0
        self.contradictions: list[str] | None = None
        """Inside a branch that may never run: what is wrong in it. Elsewhere None, and the first one is raised."""

    def graph(self, graph: Graph, inputs: tuple[Tensor, ...], outer: Tensors | None) -> Graph:
        """`graph` with `inputs` (typed) in place of its own, every tensor resolved."""
        if self.depth >= MAX_DEPTH:
            raise ModelError(f"nested too deep: more than {MAX_DEPTH} bodies inside each other", code=TOO_MUCH)
        self.depth += 1
        try:
            scope = Tensors(dict(graph.tensors), outer)
            for t in inputs:
                scope.own[t.name] = t
            nodes = tuple([self.node(node, scope) for node in graph.nodes])
        finally:
            self.depth -= 1
        return msgspec.structs.replace(graph, inputs=inputs, nodes=nodes, tensors=scope.own, resolved=True)

    def body(self, graph: Graph, given: tuple[Tensor, ...], outer: Tensors | None) -> Graph:
        """A body called with `given` as its inputs, remembered by them and by what it sees of the graphs around it.

        An input that a function is not given is absent in its body, as an empty name would be.
        """
        if len(given) > len(graph.inputs):
            raise ShapeError(f"the body takes {len(graph.inputs)} inputs, {len(given)} are given")
        named = tuple(
            msgspec.structs.replace(given[i], name=own.name) if i < len(given) else own
            for i, own in enumerate(graph.inputs)
            if outer is not None or (i < len(given) and given[i] is not ABSENT)
        )
        seen = () if outer is None else tuple(outer.get(name) for name in self.free_names(graph))
        key = (id(graph), named, seen, self.contradictions is None)
        if key not in self.memo:
            n = len(self.contradictions or ())
            self.memo[key] = (self.graph(graph, named, outer), tuple(self.contradictions or ())[n:])
        done, wrong = self.memo[key]
        if self.contradictions is not None:
            self.contradictions.extend(wrong)
        return done

    def free_names(self, graph: Graph) -> tuple[str, ...]:
        """Names that a body takes from the graphs around it."""
        if id(graph) not in self.free:
            used = set(graph.outputs).union(*(node.inputs for node in graph.nodes))
            for node in graph.nodes:
                used.update(*(self.free_names(inner) for role, inner in node.bodies if role != "function"))
            own = {t.name for t in graph.inputs}.union(graph.tensors, *(node.outputs for node in graph.nodes))
            self.free[id(graph)] = tuple(sorted(used - own - {""}))
        return self.free[id(graph)]

    def node(self, node: Node, scope: Tensors) -> Node:
        """Work out one node: its outputs go into `scope`; the node comes back with its bodies resolved."""
        op = find(node.domain, node.op)
        inputs = scope.all(node.inputs)
        bodies: dict[str, Graph] = {}
        run, attempt = self.runs(node, scope, bodies) if node.bodies else (None, None)
        self.rule_calls += 1
        if self.rule_calls > MAX_RULE_CALLS:
            raise ModelError(f"nested bodies take more than {MAX_RULE_CALLS:,} steps to work out", code=TOO_MUCH)
        try:
            outputs = self.outputs(node, op, inputs, run, attempt)
        except Unknown as why:
            outputs = tuple(Tensor("", reason=why.reason, needs=why.needs) for _ in node.outputs)
        except ShapeError as wrong:
            outputs = self.contradicted(node, ModelError(f"{node.op}: {wrong}", node=node.name, code="C220"))
        except ModelError as inside:
            outputs = self.contradicted(node, inside)
        fixed = (op is None or op.constant) and not node.bodies and are_constant(inputs)
        doubt = "" if fixed else doubtful(inputs)
        own = scope.own
        for name, t in zip(node.outputs, outputs, strict=False):
            if name:
                own[name] = msgspec.structs.replace(
                    t, name=name, constant=fixed and op is not None, stored=False, at_most=t.at_most or doubt
                )
        for name in node.outputs[len(outputs) :]:
            if name:
                own[name] = Tensor(name, reason=f"{node.op} does not define this output")
        if not bodies:
            return node
        return msgspec.structs.replace(
            node, bodies=tuple((role, bodies.get(role, graph)) for role, graph in node.bodies)
        )

    def runs(self, node: Node, scope: Tensors, bodies: dict[str, Graph]) -> tuple[Run, Attempt]:
        """What resolves a body of `node` and keeps it in `bodies`: where it must run, and where it need not."""

        def run(role: str, given: tuple[Tensor, ...]) -> Graph:
            inner = node.body(role)
            if inner is None:
                raise ShapeError(f"the {role} is missing")
            bodies[role] = self.body(inner, given, None if role == "function" else scope)
            return bodies[role]

        def attempt(role: str) -> tuple[Graph, bool]:
            before, self.contradictions = self.contradictions, []
            try:
                return run(role, ()), not self.contradictions
            finally:
                self.contradictions = before

        return run, attempt

    def contradicted(self, node: Node, wrong: ModelError) -> tuple[Tensor, ...]:
        """Unknown outputs of a node that cannot run, in a branch that need not run; else the error is raised."""
        if wrong.node is None:
            wrong.node = node.name
        if self.contradictions is None or wrong.code == TOO_MUCH:
            raise wrong from None
        self.contradictions.append(wrong.message)
        return tuple(Tensor("", reason=f"cannot run on these inputs: {wrong.message}") for _ in node.outputs)

    def outputs(
        self, node: Node, op: Op | None, inputs: tuple[Tensor | None, ...], run: Run | None, attempt: Attempt | None
    ) -> tuple[Tensor, ...]:
        """Types (and small contents) of a node's outputs."""
        if run is not None and node.body("function") is not None:
            return called(run("function", tuple(t or ABSENT for t in inputs)))
        if op is None:
            raise Unknown(f"operator {node.domain + ':' if node.domain else ''}{node.op} is not known")
        if node.attrs is None:
            raise Unknown(f"the attributes of {node.op} are not known")
        least, most = op.inputs
        if not least <= len(inputs) <= most:
            raise ShapeError(f"takes {least} to {most} inputs, {len(inputs)} are given")
        call = Call(node.attrs, inputs, (), len(node.outputs), node.bodies, node.name, run, attempt)
        outputs = op.shape(call)
        for t in outputs:
            if t.shape is not None:
                check_size(t.shape)
        return folded(op, call, outputs) if op.fold is not None else outputs


def are_constant(tensors: tuple[Tensor | None, ...]) -> bool:
    """Whether no input of the graph can change these."""
    for t in tensors:  # noqa: SIM110 - a third of the time of all()
        if t is not None and not t.constant:
            return False
    return True


def doubtful(tensors: tuple[Tensor | None, ...]) -> str:
    """Why the true shape of one of these may be smaller; empty where all are exact."""
    for t in tensors:
        if t is not None and t.at_most:
            return t.at_most
    return ""


def check_size(shape: Shape) -> None:
    """Raise `ShapeError` for a shape that no ONNX tensor has."""
    if len(shape) > MAX_RANK:
        raise ShapeError(f"an output of rank {len(shape)} is over the limit of {MAX_RANK} dimensions")
    for d in shape:
        if d.__class__ is int and d > MAX_DIM:
            raise ShapeError(f"an output dimension of about 2^{int(d).bit_length()} is over the limit of 2^63-1")


def called(body: Graph) -> tuple[Tensor, ...]:
    """The outputs of a resolved body."""
    return tuple(body.tensors.get(name) or Tensor(name, reason=f"{name} is not computed") for name in body.outputs)


def folded(op: Op, call: Call, outputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """`outputs` with their contents, where the operator can tell them and they are small."""
    assert op.fold is not None
    for t in outputs:
        if t.shape is None or not isinstance(n := t.size, int) or n > MAX_VALUE:
            return outputs
        if n > MAX_FLOATS and t.dtype is not None and t.dtype.is_float:
            return outputs
    if all(t.size == 0 for t in outputs):
        return tuple(msgspec.structs.replace(t, value=()) for t in outputs)
    call.outputs = outputs
    try:
        values = op.fold(call)
    except Unknown:
        return outputs
    return tuple(t if v is None else msgspec.structs.replace(t, value=v) for t, v in zip(outputs, values, strict=True))


def resolve(graph: Graph) -> Graph:
    """`graph` with every tensor resolved as far as it can be. Raises `ModelError` where it contradicts itself."""
    try:
        return Resolver().graph(graph, graph.inputs, None)
    except RecursionError:
        raise ModelError("nested too deep for this interpreter", code=TOO_MUCH) from None
