"""Tells parameters from buffers: which constants reach a weight, and which node uses each of them first.

A constant is *stored* (an initializer, a kernel of a shape string, a Constant node) or a ConstantOfShape of a constant
shape. It is a parameter where it reaches a weight input directly or through operators that carry weights (Identity,
Cast, Reshape, DequantizeLinear, arithmetic among constants …). The walk keeps, for each constant tensor, where its
content came from; every origin is looked at once, however many paths lead to it.
"""

from __future__ import annotations

import msgspec

from convcost.errors import ShapeError, Unknown
from convcost.ir import Dim, DType, Graph, Node, Scope, Tensor
from convcost.ops import find
from convcost.ops.base import CARRY_ALL, CARRY_FIRST, CARRY_LARGER, CARRY_NOTHING, Call, Op
from convcost.ops.resolve import Tensors, are_constant

GENERATORS = frozenset({"Constant", "ConstantOfShape"})
TABLES = frozenset({"Gather", "GatherND", "GatherElements", "GatherBlockQuantized"})
SHAPE_TYPES = frozenset({DType.INT64, DType.INT32, DType.BOOL})


class Origin(msgspec.Struct, eq=False, gc=False):
    """Where the content of a constant tensor came from: one stored constant, or the origins of a carrying node."""

    parents: tuple[Origin, ...] = ()
    elements: Dim | None = None
    nbytes: Dim | None = None
    stored: bool = False
    weight: bool = False
    visited: bool = False
    first_row: int | None = None


class Weights(msgspec.Struct, eq=False, gc=False):
    """Parameters, buffers and bytes attributed to one row, and whether it shares weights of an earlier one."""

    params: Dim = 0
    buffers: Dim = 0
    nbytes: Dim = 0
    unknown: bool = False
    shared: bool = False


NO_WEIGHTS = Weights()
"""Stands for the rows that no constant is attributed to."""


Names = Scope[Origin]
"""Where the content of constants came from, by tensor name."""


class Book:
    """Attributes every constant of a model to the row that uses it first."""

    def __init__(self) -> None:
        self.rows: list[Weights] = []
        self.stored: dict[int, Origin] = {}
        self.seen: list[Origin] = []
        self.absorbed: set[tuple[int, tuple[int, ...]]] = set()

    def new_row(self) -> int:
        """A row to attribute to."""
        self.rows.append(NO_WEIGHTS)
        return len(self.rows) - 1

    def row(self, index: int) -> Weights:
        """The row to attribute a constant to."""
        if self.rows[index] is NO_WEIGHTS:
            self.rows[index] = Weights()
        return self.rows[index]

    def enter(self, graph: Graph, names: Names) -> None:
        """Make the constants that `graph` stores known by name."""
        for t in graph.tensors.values():
            if t.stored:
                names.own[t.name] = self.origin(id(t.payload) if t.payload is not None else id(t), t)

    def origin(self, key: int, t: Tensor) -> Origin:
        """The origin of a stored tensor: one object per constant, however often its graph is entered."""
        found = self.stored.get(key)
        if found is None:
            try:
                elements: Dim | None = t.size if t.nonzeros is None else t.nonzeros
                nbytes = t.dtype.nbytes(elements) if t.dtype is not None and elements is not None else None
            except Unknown:
                elements = nbytes = None
            found = self.stored[key] = Origin(elements=elements, nbytes=nbytes, stored=True)
            self.seen.append(found)
        return found

    def use(self, row: int, node: Node, op: Op | None, call: Call, names: Names) -> None:
        """Attribute the constants that `node` uses, and say what its outputs carry on."""
        inputs = call.inputs
        fixed = not node.bodies and are_constant(inputs)
        origins = [names.get(name) if name else None for name in node.inputs]
        if not fixed and not any(origins):
            return
        for origin in origins:
            if origin is not None and origin.stored and origin.first_row is None:
                origin.first_row = row
        if op is None:
            return
        for slot in weight_slots(op, inputs, fixed=fixed):
            o = origins[slot] if slot < len(origins) else None
            if o is not None:
                self.mark(o, row, logical(op, slot, call))
        if fixed and node.outputs:
            carried = self.carried(node, op, call, origins)
            if carried is not None:
                names.own[node.outputs[0]] = carried

    def carried(self, node: Node, op: Op, call: Call, origins: list[Origin | None]) -> Origin | None:
        """The origin of a node's first output, where all its inputs are constants."""
        if node.op in GENERATORS and not node.domain:
            made = call.outputs[0] if call.outputs else None
            return self.origin(id(node), made if made is not None else Tensor(""))
        if op.carry == CARRY_NOTHING:
            return None
        if op.carry == CARRY_FIRST:
            return origins[0] if origins else None
        if op.carry == CARRY_ALL:
            return Origin(parents=tuple(o for o in origins if o is not None))
        if op.carry == CARRY_LARGER:
            sized = [(size_or_zero(t), -i) for i, t in enumerate(call.inputs) if t is not None]
            return origins[-max(sized)[1]] if sized else None
        raise AssertionError(f"{op.name}: unknown carry {op.carry}")

    def mark(self, origin: Origin, row: int, elements: Dim | None) -> None:
        """Everything that `origin` came from is a parameter, used first by `row`."""
        weights = self.row(row)
        if origin.visited:
            weights.shared = True
            return
        todo = [origin]
        while todo:
            o = todo.pop()
            if o.visited:
                continue
            o.visited = True
            todo.extend(o.parents)
            if not o.stored:
                continue
            o.weight = True
            count = elements if elements is not None else o.elements
            if count is None or o.nbytes is None:
                weights.unknown = True
            else:
                weights.params = weights.params + count
                weights.nbytes = weights.nbytes + o.nbytes

    def absorb(self, row: int, graph: Graph, names: Names, scope: Tensors | None) -> None:
        """Attribute all constants inside `graph` to `row`: a branch not taken, a body shown as one row.

        `scope` is that of the graph around it, None for a function.
        """
        key = (id(graph), tuple(id(names.get(t.name)) for t in graph.inputs))
        if key in self.absorbed:
            return
        self.absorbed.add(key)
        self.enter(graph, names)
        inner = Tensors(graph.tensors, scope)
        for node in graph.nodes:
            inputs = tuple([inner.get(name) if name else None for name in node.inputs])
            outputs = tuple([graph.tensors.get(name) for name in node.outputs])
            self.use(row, node, find(node.domain, node.op), Call(node.attrs, inputs, outputs), names)
            for role, body in node.bodies:
                self.absorb(row, body, inner_names(node, role, body, names), None if role == "function" else inner)

    def close(self) -> list[Weights]:
        """All rows, with the constants that turned out not to be parameters as buffers of their first user."""
        for o in self.seen:
            if o.weight or o.first_row is None:
                continue
            row = self.row(o.first_row)
            if o.elements is None or o.nbytes is None:
                row.unknown = True
            else:
                row.buffers = row.buffers + o.elements
                row.nbytes = row.nbytes + o.nbytes
        return self.rows


def inner_names(node: Node, role: str, body: Graph, names: Names) -> Names:
    """The names that a body of `node` sees: a function only its arguments, a branch or loop everything around it."""
    if role != "function":
        return Names(parent=names)
    inner = Names()
    for given, own in zip(node.inputs, body.inputs, strict=False):
        origin = names.get(given) if given else None
        if origin is not None:
            inner.own[own.name] = origin
    return inner


def weight_slots(op: Op, inputs: tuple[Tensor | None, ...], *, fixed: bool) -> tuple[int, ...]:
    """Input slots of this use that take weights."""
    if op.operand and not fixed:
        return tuple(i for i, t in enumerate(inputs) if t is not None and t.constant and is_operand(t))
    if op.name in TABLES and op.weights:
        table = inputs[0] if inputs else None
        return op.weights if table is not None and is_table(table) else ()
    return op.weights


def is_operand(t: Tensor) -> bool:
    """More than one element, and not the integers of shape arithmetic."""
    return size_or_zero(t) > 1 and t.dtype not in SHAPE_TYPES


def is_table(t: Tensor) -> bool:
    """A table of vectors: rank 2 or more, of floats or quantised values."""
    return t.shape is not None and len(t.shape) >= 2 and t.dtype not in SHAPE_TYPES


def size_or_zero(t: Tensor) -> int:
    """Elements where the number is known, else 0."""
    if t.shape is None:
        return 0
    size = t.size
    return size if isinstance(size, int) else 0


def logical(op: Op, slot: int, call: Call) -> Dim | None:
    """Parameters that a packed weight stands for, where the operator says so."""
    if op.logical_weight is None or slot != op.weights[0]:
        return None
    try:
        return op.logical_weight(call)
    except (Unknown, ShapeError):
        return None
