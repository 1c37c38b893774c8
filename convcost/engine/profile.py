"""Times of every node over many runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from convcost.engine.guard import Watch
from convcost.ir import Node, distinct

if TYPE_CHECKING:
    from convcost.engine.plan import Plan
    from convcost.engine.session import Session


class Clock(Protocol):
    """Nanoseconds from any fixed moment."""

    def __call__(self) -> int:
        """The time now, in nanoseconds."""


class NodeTimes(msgspec.Struct, frozen=True):
    """One node's time in every run, in nanoseconds, bodies apart. A folded node did its work at planning: zeros.

    `name` is the node's path, as `If_0/then_branch/conv1`. Where several have the same, the second is `conv1#2`; the
    name of a call of a function ends in a slash.
    """

    name: str
    op: str
    domain: str
    algorithm: str
    times_ns: tuple[int, ...]


class Profile(msgspec.Struct, frozen=True):
    """Every run of a profile: whole runs (with each node timed) and the nodes in the order in which they ran.

    `totals_ns` includes the work of timing; `plain_ns` are runs in between in which no node was timed.
    """

    nodes: tuple[NodeTimes, ...]
    totals_ns: tuple[int, ...]
    plain_ns: tuple[int, ...]
    warmup_ns: tuple[int, ...]
    interrupted: bool = False


def profile(
    session: Session,
    feeds: Mapping[str, Any],
    *,
    runs: int,
    warmup: int,
    min_seconds: float,
    fuse: bool = False,
    clock: Clock = time.perf_counter_ns,
) -> Profile:
    """At least `runs` runs and `min_seconds` seconds, each once plain and once with every node timed.

    Ctrl-C after the first timed run ends the measurement with what there is.
    """
    warm = [_plain(session, feeds, clock, fuse=fuse) for _ in range(warmup)]
    watches: list[Watch] = []
    plain: list[int] = []
    totals: list[int] = []
    interrupted = False
    start = clock()
    try:
        while len(totals) < runs or clock() - start < min_seconds * 1e9:
            alone = _plain(session, feeds, clock, fuse=fuse)
            watch = Watch(session.limits, clock)
            begin = clock()
            session.watched(None, feeds, watch, fuse=fuse)
            totals.append(clock() - begin)
            watches.append(watch)
            plain.append(alone)
    except KeyboardInterrupt:
        if not totals:
            raise
        interrupted = True
    count = min(len(totals), len(watches), len(plain))
    return Profile(
        tuple(_nodes(session.plan, watches[:count])),
        tuple(totals[:count]),
        tuple(plain[:count]),
        tuple(warm),
        interrupted,
    )


def _plain(session: Session, feeds: Mapping[str, Any], clock: Clock, *, fuse: bool) -> int:
    begin = clock()
    session.watched(None, feeds, Watch(session.limits), fuse=fuse)
    return clock() - begin


def _nodes(plan: Plan, watches: list[Watch]) -> list[NodeTimes]:
    """The nodes that ran or were folded, in the graph's order."""
    seen: list[_Seen] = []
    _walk(plan, "", "", {place for w in watches for place in w.times}, seen)
    names = iter(distinct(s.path for s in seen if not s.scope))
    out = []
    for s in seen:
        name = s.path if s.scope else next(names)
        if s.folded or any(s.place in w.times for w in watches):
            algorithm = next((w.algorithms[s.place] for w in reversed(watches) if s.place in w.algorithms), "folded")
            times = tuple(w.times.get(s.place, 0) for w in watches)
            out.append(NodeTimes(name, s.node.op, s.node.domain, algorithm, times))
    return out


class _Seen(msgspec.Struct, frozen=True):
    """A node on the walk. `scope`: it calls a function and is no layer itself."""

    place: str
    path: str
    node: Node
    folded: bool
    scope: bool


def _walk(plan: Plan, prefix: str, path: str, ran: set[str], out: list[_Seen]) -> None:
    """Every node of a plan and of the bodies that ran."""
    steps = {id(step.node): step for step in plan.steps}
    for node in plan.graph.nodes:
        place, name = f"{prefix}{node.index}", path + node.name
        step = steps.get(id(node))
        scope = node.body("function") is not None
        out.append(_Seen(place, name + "/" if scope else name, node, step is None, scope))
        if step is not None and place in ran:
            for role, body in step.bodies.items():
                inner = "/" if role == "function" else f"/{role}/"
                _walk(body, place + inner, name + inner, ran, out)
