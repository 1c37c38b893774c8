"""If, Loop, Scan, SequenceMap and calls of functions: operators that run other graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from convcost.engine.guard import Limits, Watch
from convcost.engine.kernels.matmul import product
from convcost.engine.values import Value, numpy_dtype
from convcost.errors import EngineError
from convcost.ir import DType, Node

if TYPE_CHECKING:
    from convcost.engine.plan import Plan

Runner = Callable[[list[Value], Watch], list[Value]]


class Body:
    """One inner graph, and where the names it captures lie among the values given to its node."""

    def __init__(self, node: Node, role: str, plan: Plan, reads: list[str]) -> None:
        self.plan = plan
        self.prefix = f"{node.index}/" if role == "function" else f"{node.index}/{role}/"
        self.places = [reads.index(name) for name in plan.captures]

    def __call__(self, inputs: list[Value], given: list[Value], watch: Watch) -> list[Value]:
        """The outputs of the body for `inputs`; `given` is everything its node was given."""
        outside = watch.prefix
        watch.prefix = outside + self.prefix
        try:
            return self.plan.execute(inputs, [given[i] for i in self.places], watch)
        finally:
            watch.prefix = outside


def bind(node: Node, reads: list[str], plans: dict[str, Plan], _: Limits) -> Runner:
    """What runs `node`, whose bodies have these plans. `reads` names its inputs, captured ones last."""
    bodies = {role: Body(node, role, plan, reads) for role, plan in plans.items()}
    n = len(node.inputs)
    if "function" in bodies:
        return lambda given, watch: bodies["function"](given[:n], given, watch)
    makers: dict[str, Callable[[Node, dict[str, Body], int], Runner]] = {
        "If": _if,
        "Loop": _loop,
        "Scan": _scan,
        "SequenceMap": _sequence_map,
        "FlexAttention": _flex_attention,
    }
    maker = makers.get(node.op)
    if maker is None:
        raise EngineError(f"{node.op} holds a graph, and no kernel runs it", node=node.name, code="C412")
    return maker(node, bodies, n)


def _if(node: Node, bodies: dict[str, Body], n: int) -> Runner:
    del n

    def run(given: list[Value], watch: Watch) -> list[Value]:
        condition = np.asarray(given[0])
        if condition.size != 1:
            raise EngineError(f"the condition of {node.name} has {condition.size} elements, not 1", code="C421")
        role = "then_branch" if bool(condition.reshape(())) else "else_branch"
        return bodies[role]([], given, watch)

    return run


def _loop(node: Node, bodies: dict[str, Body], n: int) -> Runner:
    body = bodies["body"]
    carried = max(n - 2, 0)

    def run(given: list[Value], watch: Watch) -> list[Value]:
        trips = None if given[0] is None else int(np.asarray(given[0]).reshape(()))
        going = True if n < 2 or given[1] is None else bool(np.asarray(given[1]).reshape(()))
        state = given[2:n]
        scans: list[list[Value]] = [[] for _ in range(len(body.plan.outputs) - 1 - carried)]
        i = 0
        while going and (trips is None or i < trips):
            watch.tick(node, i)
            out = body([np.array(i, np.int64), np.array(going), *state], given, watch)
            going = bool(np.asarray(out[0]).reshape(()))
            state = out[1 : 1 + carried]
            for kept, value in zip(scans, out[1 + carried :], strict=True):
                kept.append(value)
                watch.keep(value)
            i += 1
        return [*state, *(_stacked(kept, body, 1 + carried + k) for k, kept in enumerate(scans))]

    return run


def _stacked(kept: list[Value], body: Body, output: int) -> Value:
    """The values of a scan output along a new first axis; empty where the loop did not run."""
    if kept:
        return np.stack(kept)
    t = body.plan.graph.tensors.get(body.plan.graph.outputs[output])
    dtype = numpy_dtype(t.dtype) if t is not None and t.dtype is not None else np.dtype(np.float32)
    shape = t.shape if t is not None and t.shape is not None else ()
    return np.zeros((0, *(d if isinstance(d, int) else 0 for d in shape)), dtype)


def _scan(node: Node, bodies: dict[str, Body], n: int) -> Runner:
    body = bodies["body"]
    raw = dict(node.raw)
    if node.since_version < 9:
        return _scan8(node, body, n, raw)
    n_scan = int(raw["num_scan_inputs"])
    n_state = n - n_scan
    n_out = len(body.plan.outputs) - n_state

    def run(given: list[Value], watch: Watch) -> list[Value]:
        return _scanned(node, body, raw, given[:n_state], given[n_state:n], given, watch, n_out)

    return run


def _scanned(
    node: Node,
    body: Body,
    raw: dict[str, Any],
    state: list[Value],
    series: list[Any],
    given: list[Value],
    watch: Watch,
    n_out: int,
) -> list[Value]:
    """One scan: slices of `series` in, states along, stacked outputs out."""
    axes = raw.get("scan_input_axes") or (0,) * len(series)
    backward = raw.get("scan_input_directions") or (0,) * len(series)
    out_axes = raw.get("scan_output_axes") or (0,) * n_out
    out_backward = raw.get("scan_output_directions") or (0,) * n_out
    moved = [np.moveaxis(s, a, 0)[:: -1 if b else 1] for s, a, b in zip(series, axes, backward, strict=True)]
    kept: list[list[Value]] = [[] for _ in range(n_out)]
    for i in range(len(moved[0]) if moved else 0):
        watch.tick(node, i)
        out = body([*state, *(m[i] for m in moved)], given, watch)
        state = out[: len(state)]
        for values, value in zip(kept, out[len(state) :], strict=True):
            values.append(value)
            watch.keep(value)
    results = list(state)
    for k, values in enumerate(kept):
        stacked = _stacked(values[:: -1 if out_backward[k] else 1], body, len(state) + k)
        results.append(np.moveaxis(stacked, 0, out_axes[k]))
    return results


def _scan8(node: Node, body: Body, n: int, raw: dict[str, Any]) -> Runner:
    """Scan of operator set 8: a batch axis first, an optional vector of sequence lengths."""
    n_scan = int(raw["num_scan_inputs"])
    n_state = n - 1 - n_scan
    n_out = len(body.plan.outputs) - n_state
    directions = raw.get("directions") or (0,) * n_scan

    def run(given: list[Value], watch: Watch) -> list[Value]:
        lengths, state, series = given[0], given[1 : 1 + n_state], given[1 + n_state : n]
        rows = []
        for b in range(series[0].shape[0]):
            length = series[0].shape[1] if lengths is None else int(lengths[b])
            cut = [s[b][:length] for s in series]
            options = {"scan_input_directions": directions}
            rows.append(_scanned(node, body, options, [s[b] for s in state], cut, given, watch, n_out))
        return [_padded([row[k] for row in rows]) for k in range(n_state + n_out)]

    return run


def _padded(rows: list[Any]) -> Any:
    longest = tuple(max(sizes) for sizes in zip(*(r.shape for r in rows), strict=True))
    out: Any = np.zeros((len(rows), *longest), rows[0].dtype)
    for b, r in enumerate(rows):
        out[(b, *(slice(0, s) for s in r.shape))] = r
    return out


def _sequence_map(node: Node, bodies: dict[str, Body], n: int) -> Runner:
    body = bodies["body"]

    def run(given: list[Value], watch: Watch) -> list[Value]:
        first = given[0]
        results: list[list[Value]] = [[] for _ in body.plan.outputs]
        for i, item in enumerate(first):
            watch.tick(node, i)
            rest = [v[i] if isinstance(v, list) else v for v in given[1:n]]
            for kept, value in zip(results, body([item, *rest], given, watch), strict=True):
                kept.append(value)
        return list(results)

    return run


def _flex_attention(node: Node, bodies: dict[str, Body], n: int) -> Runner:
    """Attention whose scores and probabilities pass through graphs: q, k, v of (batch, heads, length, size)."""
    del n
    raw = dict(node.raw)

    def run(given: list[Value], watch: Watch) -> list[Value]:
        q, k, v = given[:3]
        repeat = q.shape[1] // k.shape[1]
        k, v = (np.repeat(t, repeat, axis=1) if repeat > 1 else t for t in (k, v))
        root = np.array(np.sqrt(np.float32(raw.get("scale", q.shape[-1] ** -0.5))), q.dtype)
        precision = DType.from_code(int(raw.get("softmax_precision", 0)))
        wide = numpy_dtype(precision) if precision else np.promote_types(np.float32, _float(q.dtype))
        scores = product(q * root, (k * root).swapaxes(-1, -2)).astype(wide)
        if "score_mod" in bodies:
            scores = bodies["score_mod"]([scores], given, watch)[0]
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares = powers / powers.sum(axis=-1, keepdims=True)
        if "prob_mod" in bodies:
            shares = bodies["prob_mod"]([shares], given, watch)[0]
        return [product(shares, v.astype(wide)).astype(v.dtype)]

    return run


def _float(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A float type of NumPy's own; short ones widen to float32."""
    return dtype if dtype.kind == "f" and dtype.itemsize >= 4 else np.dtype(np.float32)
