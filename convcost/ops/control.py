"""Branches, loops and maps over sequences: what their bodies give, and how often they run.

The bodies are costed where they are counted; these records have no work of their own.
"""

from __future__ import annotations

from typing import Any

import msgspec

from convcost.errors import Unknown
from convcost.ir import Dim, DType, Graph, Tensor, total
from convcost.ir.graph import SEQUENCE
from convcost.ops.base import (
    MANY,
    Attrs,
    Call,
    NoAttrs,
    Op,
    agree,
    axis_of,
    free,
    integers,
    require,
    show,
    typed,
    unknown,
)

PASSES = 3
"""How often the body of a loop is worked out before what still changes is called unknown."""


class ScanAttrs(Attrs, frozen=True):
    """Attributes of Scan. `batched`: opset 8, with the batch as the first dimension and lengths as the first input."""

    num_scan_inputs: int
    scan_input_axes: tuple[int, ...] = ()
    scan_output_axes: tuple[int, ...] = ()
    scan_input_directions: tuple[int, ...] = ()
    scan_output_directions: tuple[int, ...] = ()
    batched: bool = False


def results(body: Graph) -> tuple[Tensor, ...]:
    """The outputs of a resolved body."""
    return tuple(body.tensors.get(name) or unknown(f"{name} is not computed") for name in body.outputs)


def truth(t: Tensor | None) -> bool | None:
    """A condition whose content is known, else None."""
    if t is None or t.value is None or len(t.value) != 1 or t.at_most:
        return None
    try:
        return bool(t.value[0])
    except Unknown:
        return None


def if_shape(call: Call) -> tuple[Tensor, ...]:
    """The outputs of the branch that the condition picks; of both, where it is not known and they agree."""
    picked = truth(call.x(0))
    if picked is not None:
        role, other = ("then_branch", "else_branch") if picked else ("else_branch", "then_branch")
        outputs = results(call.body(role, ()))
        if other in dict(call.bodies):
            call.attempt(other)
        return outputs
    tried = [call.attempt(role) for role in ("then_branch", "else_branch")]
    known = [results(graph) for graph, runs in tried if runs]
    if not known:
        raise Unknown("neither branch can run on these inputs")
    if len(known) == 1:
        return tuple(msgspec.structs.replace(t, value=None) for t in known[0])
    first, second = known
    require(len(first) == len(second), f"the branches give {len(first)} and {len(second)} outputs")
    return tuple(common(a, b, "the branches differ") for a, b in zip(first, second, strict=True))


def common(a: Tensor, b: Tensor, why: str) -> Tensor:
    """What holds for both of two tensors that may stand in one place; `why` says what an open shape comes from."""
    dtype = b.dtype if a.dtype is None else a.dtype if b.dtype in (a.dtype, None) else None
    length = a.length if a.length == b.length else None
    if a.shape is None or b.shape is None:
        lost = a if a.shape is None else b
        reason = lost.reason or f"the shape of {lost.name or 'a result'} is not known"
        return Tensor("", dtype=dtype, reason=reason, needs=lost.needs, container=a.container, length=length)
    if a.shape != b.shape or a.container != b.container:
        reason = f"{why}: {show(a.shape)} and {show(b.shape)}"
        return Tensor("", dtype=dtype, reason=reason, container=a.container, length=length)
    value = a.value if a.value == b.value else None
    return Tensor("", dtype=dtype, shape=a.shape, value=value, container=a.container, length=length)


def limit_of(call: Call) -> Dim:
    """The trip count M of a Loop, not less than 0."""
    limit = call.optional(0)
    if limit is None:
        raise Unknown("the loop has no trip count: the data decide when it ends")
    if limit.value is None or limit.at_most:
        raise Unknown("the trip count is computed from data and is not known before running")
    require(len(limit.value) == 1, f"the trip count must be one integer, not {len(limit.value)}")
    m = integers(limit, "the trip count")[0]
    return max(m, 0) if isinstance(m, int) else m


def loop_trips(call: Call) -> Dim:
    """How often the body of a Loop runs: M, or never where the condition starts false."""
    if truth(call.optional(1)) is False:
        return 0
    m = limit_of(call)
    if m != 0 and not stays_true(call):
        raise Unknown("the loop may end early: its condition is computed from data")
    return m


def stays_true(call: Call) -> bool:
    """Whether no iteration ends the loop: the condition is left out, or starts true and the body keeps it."""
    if not call.has(1):
        return True
    body = dict(call.bodies).get("body")
    if truth(call.optional(1)) is not True or body is None or not body.outputs or len(body.inputs) < 2:
        return False
    after = body.outputs[0]
    return truth(body.tensors.get(after)) is True or passed_on(body, after, body.inputs[1].name)


def passed_on(body: Graph, name: str, source: str) -> bool:
    """Whether `name` is `source`, through Identity at most."""
    producer = {out: node for node in body.nodes for out in node.outputs}
    for _ in range(len(body.nodes) + 1):
        if name == source:
            return True
        node = producer.get(name)
        if node is None or node.op != "Identity" or not node.inputs:
            return False
        name = node.inputs[0]
    return False


def forgotten(t: Tensor) -> Tensor:
    """A tensor whose content differs from one iteration to the next, its type does not."""
    return Tensor("", dtype=t.dtype, shape=t.shape, container=t.container, reason=t.reason, needs=t.needs)


def settle(
    call: Call, before: tuple[Tensor, ...], carried: tuple[Tensor, ...], after: tuple[Tensor, ...], skip: int
) -> Graph:
    """The body, worked out with types of the carried tensors that hold in every iteration.

    `before` and `after` stand around the carried tensors among its inputs; `skip` outputs come before them. What
    changes its type from one iteration to the next becomes unknown.
    """
    for _ in range(PASSES):
        body = call.body("body", (*before, *carried, *after))
        out = results(body)[skip : skip + len(carried)]
        require(len(out) == len(carried), f"the body carries {len(out)} tensors on, {len(carried)} go in")
        merged = tuple(common(a, b, CHANGES) for a, b in zip(carried, out, strict=True))
        if all(m.shape == c.shape and m.dtype == c.dtype for m, c in zip(merged, carried, strict=True)):
            return body
        carried = merged
    return call.body("body", (*before, *(unknown(CHANGES, t.dtype) for t in carried), *after))


CHANGES = "its shape changes from one iteration to the next"


def loop_shape(call: Call) -> tuple[Tensor, ...]:
    """M, condition, carried tensors -> their last types, and scanned outputs with the trip count in front."""
    carried = tuple(forgotten(call.x(i)) for i in range(2, len(call.inputs)))
    inputs = len(dict(call.bodies)["body"].inputs) if "body" in dict(call.bodies) else 0
    require(
        inputs == len(carried) + 2,
        f"the loop body has {inputs} inputs, not {len(carried) + 2}: iteration, condition, carried",
    )
    start = Tensor("", dtype=DType.BOOL, shape=())
    body = settle(call, (Tensor("", dtype=DType.INT64, shape=()), start), carried, (), 1)
    out = results(body)
    require(len(out) >= len(carried) + 1, f"the loop body has {len(out)} outputs, less than {len(carried) + 1}")
    last = out[1 : len(carried) + 1]
    ends = tuple(forgotten(common(a, b, CHANGES)) for a, b in zip(carried, last, strict=True))
    try:
        trips: Dim | None = loop_trips(Call(call.attrs, call.inputs, bodies=(("body", body),)))
        why = ""
    except Unknown as unclear:
        trips, why = None, unclear.reason
    return ends + tuple(stacked(t, trips, 0, why) for t in out[len(carried) + 1 :])


def stacked(t: Tensor, n: Dim | None, axis: int, why: str) -> Tensor:
    """`n` tensors like `t` along a new axis."""
    if n is None:
        return unknown(why, t.dtype)
    if t.shape is None:
        return unknown(t.reason or "the shape of a scanned output is not known", t.dtype, t.needs)
    axis = axis_of(axis, len(t.shape) + 1)
    return typed(t, (*t.shape[:axis], n, *t.shape[axis:]))


def scan_parts(call: Call) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """(states, scanned inputs) of a Scan."""
    first = 1 if call.attrs.batched else 0
    given = len(call.inputs) - first
    n = call.attrs.num_scan_inputs
    require(1 <= n <= given, f"num_scan_inputs {n} does not fit {given} inputs")
    states = tuple(call.x(i) for i in range(first, first + given - n))
    return states, tuple(call.x(i) for i in range(first + given - n, first + given))


def scan_axis(call: Call, j: int, t: Tensor) -> int:
    """The axis along which scanned input j is taken apart."""
    if call.attrs.batched:
        return 1
    axes = call.attrs.scan_input_axes
    require(not axes or len(axes) == call.attrs.num_scan_inputs, f"scan_input_axes has {len(axes)} values")
    return axis_of(axes[j] if axes else 0, t.rank)


def scan_trips(call: Call) -> Dim:
    """How often the body of a Scan runs: the length of what is scanned, once for each sequence of a batch."""
    _, scanned = scan_parts(call)
    length: Dim | None = None
    for j, t in enumerate(scanned):
        axis = scan_axis(call, j, t)
        require(axis < t.rank, f"the scanned input {show(t.dims)} has no axis {axis}")
        here = t.dims[axis]
        length = here if length is None else agree(length, here, f"the scanned inputs have lengths {length} and {here}")
    assert length is not None
    if not call.attrs.batched:
        return length
    lens = call.optional(0)
    if lens is not None and lens.value is not None:
        return total(integers(lens, "sequence_lens"))
    return length * scanned[0].dims[0]


def scan_shape(call: Call) -> tuple[Tensor, ...]:
    """States and scanned inputs (…, T, …) -> last states, and scanned outputs (…, T, …)."""
    batched = call.attrs.batched
    states, scanned = scan_parts(call)
    scan_trips(call)
    length = scanned[0].dims[scan_axis(call, 0, scanned[0])]
    each = []
    for j, t in enumerate(scanned):
        axis = scan_axis(call, j, t)
        kept = t.dims[:axis] + t.dims[axis + 1 :]
        each.append(typed(t, kept[1:] if batched else kept))
    carried = tuple(forgotten(typed(t, t.dims[1:]) if batched else t) for t in states)
    body = settle(call, (), carried, tuple(each), 0)
    out = results(body)
    axes = call.attrs.scan_output_axes
    n = len(out) - len(states)
    require(not axes or len(axes) == n, f"scan_output_axes has {len(axes)} values for {n} scanned outputs")
    ends = [forgotten(common(a, b, CHANGES)) for a, b in zip(carried, out, strict=False)]
    tail = [stacked(t, length, axes[j] if axes else 0, "") for j, t in enumerate(out[len(states) :])]
    if not batched:
        return (*ends, *tail)
    return tuple(stacked(t, scanned[0].dims[0], 0, "") for t in (*ends, *tail))


def scan_upgrade(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Opset 8 has a batch in front and one direction for each input."""
    if version >= 9:
        return raw
    return raw | {"batched": True, "scan_input_directions": raw.get("directions", ())}


def map_trips(call: Call) -> Dim:
    """How often the body of a SequenceMap runs: the number of elements."""
    s = call.x(0)
    if s.length is None:
        raise Unknown("the length of the sequence is not known before running")
    return s.length


def map_shape(call: Call) -> tuple[Tensor, ...]:
    """A sequence, and further sequences or tensors -> sequences of what the body gives for each element."""
    s = call.x(0)
    require(s.container == SEQUENCE, "the first input is not a sequence")
    given = [element(t) if t.container == SEQUENCE else t for t in (call.x(i) for i in range(len(call.inputs)))]
    return tuple(
        Tensor("", dtype=t.dtype, shape=t.shape, container=SEQUENCE, length=s.length, reason=t.reason, needs=t.needs)
        for t in results(call.body("body", tuple(given)))
    )


def element(t: Tensor) -> Tensor:
    """One element of a sequence."""
    return Tensor("", dtype=t.dtype, shape=t.shape, reason=t.reason or "the elements differ in shape", needs=t.needs)


OPS = (
    Op("If", NoAttrs, if_shape, free, "control", (1, 1), (1, MANY)),
    Op("Loop", NoAttrs, loop_shape, free, "control", (2, MANY), (1, MANY), trips=loop_trips),
    Op("Scan", ScanAttrs, scan_shape, free, "control", (1, MANY), (1, MANY), upgrade=scan_upgrade, trips=scan_trips),
    Op("SequenceMap", NoAttrs, map_shape, free, "control", (1, MANY), (1, MANY), trips=map_trips),
)
