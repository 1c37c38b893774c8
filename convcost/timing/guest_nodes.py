"""From the events of onnxruntime's profiler to times of the user's nodes.

The model's nodes were named after their places (see `engine.ort_names`). A name with a prefix is that of a node of a
function, which onnxruntime has put in the place of its call.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from convcost.engine import NodeTimes
from convcost.engine.ort_names import INLINED
from convcost.ir import Graph, Visit, names_of, visits

KERNEL = "_kernel_time"
CALL = re.compile(r"_inlfunc_(.*?)(?:_token_\d+)?_?$", re.DOTALL)


class Ran(msgspec.Struct):
    """One of onnxruntime's nodes: its name and operator, its position in the graph, nanoseconds in each run."""

    name: str
    op: str
    index: int
    times: list[int]


def node_times(
    events: Sequence[Mapping[str, Any]], graph: Graph, covered: Mapping[str, Sequence[str]], warmup: int
) -> tuple[NodeTimes, ...]:
    """Each node's times in nanoseconds, without those of its bodies and without the warm-up.

    A node that onnxruntime fused has the times of all that it covers; it stands at the first, and its algorithm names
    the others. Nodes of onnxruntime's own come last, under its names.
    """
    ran = nodes_that_ran(events)
    calls = calls_of(ran, graph)
    covered = {name: places for name, places in covered.items() if INLINED not in name}
    places = {r.name: covered[r.name][0] if r.name in covered else placed(r.name, calls) for r in ran}
    inside = {p[:i] for p in places.values() for i, c in enumerate(p) if c == "/"}
    return tuple(told(ran, places, covered, list(visits(graph, inside.__contains__)), warmup))


def told(
    ran: Sequence[Ran],
    places: Mapping[str, str],
    covered: Mapping[str, Sequence[str]],
    seen: Sequence[Visit],
    warmup: int,
) -> Iterable[NodeTimes]:
    """The nodes in the graph's order, then those that have no place in it."""
    names = names_of(seen)
    at: dict[str, list[Ran]] = {}
    for r in ran:
        at.setdefault(places[r.name] if places[r.name] in names else r.name, []).append(r)
    for v in seen:
        group = at.pop(v.place, None)
        if group is not None:
            also = [names[p] for r in group for p in covered.get(r.name, ()) if p in names and p != v.place]
            algorithm = " + ".join(dict.fromkeys(r.op for r in group))
            algorithm += f" ({', '.join([v.path, *also])})" if also else ""
            times = [sum(t) for t in zip(*(r.times for r in group), strict=True)]
            yield NodeTimes(names[v.place], v.node.op, v.node.domain, algorithm, tuple(times[warmup:]))
    for name, group in at.items():
        for r in group:
            yield NodeTimes(name, r.op, "", r.op, tuple(r.times[warmup:]))


def nodes_that_ran(events: Sequence[Mapping[str, Any]]) -> list[Ran]:
    """The nodes in the order of their first run. The time of what runs inside another node is taken off."""
    kernels = [e for e in events if e.get("cat") == "Node" and str(e.get("name", "")).endswith(KERNEL)]
    starts = sorted(int(e["ts"]) for e in events if e.get("cat") == "Session" and e.get("name") == "model_run")
    found: dict[str, Ran] = {}
    open_: list[tuple[int, Ran, int]] = []
    for event in sorted(kernels, key=lambda e: (int(e["ts"]), -int(e["dur"]))):
        begin, spent = int(event["ts"]), int(event["dur"])
        run = max(bisect_right(starts, begin) - 1, 0)
        name = str(event["name"]).removesuffix(KERNEL)
        args = event.get("args", {})
        node = found.get(name)
        if node is None:
            times = [0] * max(len(starts), 1)
            node = found[name] = Ran(name, str(args.get("op_name", "")), int(args.get("node_index", 0)), times)
        while open_ and open_[-1][0] < begin + spent:
            open_.pop()
        if open_:
            _, outer, at = open_[-1]
            outer.times[at] -= 1000 * spent
        node.times[run] += 1000 * spent
        open_.append((begin + spent, node, run))
    return list(found.values())


def calls_of(ran: Sequence[Ran], graph: Graph) -> dict[str, str]:
    """Prefixes that onnxruntime gave to the nodes of functions, and the places of the calls.

    It names them after the function and numbers the calls, in the order of the nodes.
    """
    first: dict[str, int] = {}
    for r in ran:
        prefix, inlined, _ = r.name.rpartition(INLINED)
        if inlined:
            first[prefix] = min(r.index, first.get(prefix, r.index))
    if not first:
        return {}
    pending: dict[str, list[str]] = {}
    for prefix in sorted(first, key=first.__getitem__):
        called = CALL.match(prefix)
        if called:
            pending.setdefault(called.group(1), []).append(prefix)
    out: dict[str, str] = {}
    for v in visits(graph, lambda _: True):
        waiting = pending.get(v.node.op) if v.scope else None
        if waiting:
            out[waiting.pop(0)] = v.place
        if not any(pending.values()):
            break
    return out


def placed(name: str, calls: Mapping[str, str]) -> str:
    """The place of a node that onnxruntime calls `name`."""
    prefix, inlined, rest = name.rpartition(INLINED)
    if not inlined:
        return name
    return f"{calls[prefix]}/{rest}" if prefix in calls else name
