"""Receptive fields: which part of each input one element of a tensor depends on, axis by axis.

An axis of a tensor looks at `size` input elements, the next element at those `jump` further on, and the first one
starts at `start` (negative: in the padding). Through a window of k taps, stride s, dilation d and padding p:
size + (k'-1)·jump, jump·s, start - p·jump, with k' = d(k-1)+1.
Source: A. Araujo, W. Norris, J. Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019.
Branches that meet: the largest size; *aligned* only if all have the same jump and the same centre. A branch that is not
followed, such as a gate through matrix products, leaves nothing to say: a field is rather missing than too small.
"""

from __future__ import annotations

from collections.abc import Sequence

from convcost.analysis.receptive_rules import ANY, LOST, RULES, Axis, Field, Fields, Number, drop
from convcost.errors import ShapeError, Unknown
from convcost.ir import Graph, Node, Scope
from convcost.ops.base import Call, Op
from convcost.record import AxisField, ReceptiveField

PASSING = frozenset({"elementwise", "activation", "quantize", "norm"})
"""Kinds whose outputs line up with their inputs."""

LOCAL = frozenset({"Identity", "Dropout", "Cast", "CastLike", "Softmax", "LogSoftmax"})

OF_SHAPES = frozenset({"Shape", "Size"})
"""What reads only how large its input is."""


class Tracker(Scope[Fields]):
    """Fields by tensor name; none for what no input reaches."""

    __slots__ = ("sources",)

    def __init__(self, parent: Tracker | None = None) -> None:
        super().__init__(parent=parent)
        self.sources: Fields = {}

    def start(self, graph: Graph) -> None:
        """Every input sees itself."""
        for t in graph.inputs:
            if t.shape is not None and not t.constant:
                self.own[t.name] = {t.name: tuple(Axis(i, 1, 1, 0) for i in range(len(t.shape)))}
                self.sources[t.name] = LOST

    def follow(self, node: Node, call: Call, op: Op | None) -> Fields | None:
        """Work out the fields of a node's outputs from those of its inputs."""
        given = [self.get(name) if name else None for name in node.inputs]
        if node.bodies:
            given = [*given, self.reachable()]
        if not node.outputs or not any(given) or (op is not None and op.name in OF_SHAPES):
            return None
        try:
            fields = through(op, call, given) if op is not None else lost(given)
        except (Unknown, ShapeError):
            fields = lost(given)
        for name in node.outputs:
            if name:
                self.own[name] = fields
        return fields

    def reachable(self) -> Fields:
        """All inputs that a body may reach by names from around it."""
        near: Scope[Fields] = self
        while near.parent is not None:
            near = near.parent
        return near.sources if isinstance(near, Tracker) else {}

    def called(self, node: Node, body: Graph, outer: Tracker) -> None:
        """The fields of a function's arguments."""
        for given, own in zip(node.inputs, body.inputs, strict=False):
            fields = outer.get(given) if given else None
            if fields is not None:
                self.own[own.name] = fields
                self.sources |= dict.fromkeys(fields, LOST)

    def returned(self, node: Node, body: Graph, inner: Tracker) -> None:
        """The fields of a function's results."""
        for name, own in zip(node.outputs, body.outputs, strict=False):
            fields = inner.get(own)
            if name and fields is not None:
                self.own[name] = fields


def through(op: Op, call: Call, given: list[Fields | None]) -> Fields:
    """The fields of the first output."""
    rule = RULES.get(op.name)
    if rule is not None:
        moved = {s: rule(call, field) if field is not LOST else LOST for s, field in (given[0] or {}).items()}
        return moved | lost(given[1:])
    if op.name == "Concat":
        axis = call.attrs.axis % call.y().rank
        return {s: drop(f, axis) for s, f in merged(given, call.y().rank).items()}
    kind = op.kind if isinstance(op.kind, str) else ""
    if kind in PASSING or op.name in LOCAL:
        return merged(given, call.y().rank)
    return lost(given)


def lost(given: Sequence[Fields | None]) -> Fields:
    """Inputs that reach an output in a way that is not followed."""
    return {source: LOST for fields in given if fields for source in fields}


def merged(given: list[Fields | None], rank: int) -> Fields:
    """Branches that meet element by element, aligned at the last axis as broadcasting does."""
    known = [fields for fields in given if fields]
    if len(known) == 1 and all(len(field) == rank for field in known[0].values()):
        return known[0]
    out: dict[str, Field] = {}
    for fields in known:
        for source, field in fields.items():
            have = out.get(source)
            if field is LOST or have is LOST:
                out[source] = LOST
                continue
            whole = (ANY,) * (rank - len(field)) + field
            out[source] = whole if have is None else tuple(meet(a, b) for a, b in zip(have, whole, strict=True))
    return {source: tuple(None if a is ANY else a for a in f) if ANY in f else f for source, f in out.items()}


def meet(a: Axis | None, b: Axis | None) -> Axis | None:
    """Two branches along one axis: the larger field; aligned if they move together around one centre.

    The smaller jump is that of the outputs: a gate of size 1, which serves them all, has the larger one.
    """
    if a is ANY or b is ANY:
        return b if a is ANY else a
    if a is None or b is None:
        return None
    if a == b:
        return a
    if a.of != b.of:
        return None
    same = a.aligned and b.aligned and a.jump == b.jump and a.centre == b.centre
    large = a if a.size >= b.size else b
    return Axis(a.of, large.size, min(a.jump, b.jump), min(a.start, b.start) if same else large.start, same)


def described(fields: Fields | None) -> list[ReceptiveField] | None:
    """The report's form: the axes from the third on, for tensors that have them."""
    if not fields:
        return None
    out = []
    for source, field in fields.items():
        axes = [a for a in field[2:] if a is not None]
        if not axes or len(axes) != len(field) - 2:
            continue
        out.append(
            ReceptiveField(
                input=source,
                axes=[AxisField(size=whole_number(a.size), stride=str(a.jump), padding=str(-a.start)) for a in axes],
                aligned=all(a.aligned for a in axes),
            )
        )
    return out or None


def whole_number(x: Number) -> int:
    """A field's size in elements: a part of one counts in full."""
    return -(-x.numerator // x.denominator)
