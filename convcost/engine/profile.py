"""Times of every node over many runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from convcost.engine.guard import Watch
from convcost.ir import names_of, visits

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


class Recorder:
    """Runs of one session with the same inputs, one at a time, so that several sessions can take turns."""

    def __init__(
        self, session: Session, feeds: Mapping[str, Any], *, fuse: bool = False, clock: Clock = time.perf_counter_ns
    ) -> None:
        self.session = session
        self.feeds = feeds
        self.fuse = fuse
        self.clock = clock
        self.warm: list[int] = []
        self.plain: list[int] = []
        self.totals: list[int] = []
        self.watches: list[Watch] = []

    def warm_up(self) -> None:
        """One run that does not count."""
        self.warm.append(_plain(self.session, self.feeds, self.clock, fuse=self.fuse))

    def once(self) -> None:
        """One run plain, and one with every node timed."""
        alone = _plain(self.session, self.feeds, self.clock, fuse=self.fuse)
        watch = Watch(self.session.limits, self.clock)
        begin = self.clock()
        self.session.watched(None, self.feeds, watch, fuse=self.fuse)
        self.totals.append(self.clock() - begin)
        self.watches.append(watch)
        self.plain.append(alone)

    def profile(self, *, interrupted: bool = False) -> Profile:
        """What was recorded."""
        count = len(self.plain)
        return Profile(
            tuple(_nodes(self.session.plan, self.watches[:count])),
            tuple(self.totals[:count]),
            tuple(self.plain),
            tuple(self.warm),
            interrupted,
        )


def record_in_turn(
    recorders: Sequence[Recorder], *, runs: int, warmup: int, min_seconds: float, clock: Clock = time.perf_counter_ns
) -> bool:
    """Let every recorder run once, then again (A B C A B C …): at least `runs` times each, `min_seconds` in all.

    So a busy moment of the machine falls on all of them. Ctrl-C after the first round ends the measurement with what
    there is; the answer says whether that happened.
    """
    for recorder in recorders:
        for _ in range(warmup):
            recorder.warm_up()
    rounds = 0
    start = clock()
    try:
        while rounds < runs or clock() - start < min_seconds * 1e9:
            for recorder in recorders:
                recorder.once()
            rounds += 1
    except KeyboardInterrupt:
        if not rounds:
            raise
        return True
    return False


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
    recorder = Recorder(session, feeds, fuse=fuse, clock=clock)
    interrupted = record_in_turn([recorder], runs=runs, warmup=warmup, min_seconds=min_seconds, clock=clock)
    return recorder.profile(interrupted=interrupted)


def _plain(session: Session, feeds: Mapping[str, Any], clock: Clock, *, fuse: bool) -> int:
    begin = clock()
    session.watched(None, feeds, Watch(session.limits), fuse=fuse)
    return clock() - begin


def _nodes(plan: Plan, watches: list[Watch]) -> list[NodeTimes]:
    """The nodes that ran or were folded, in the graph's order."""
    ran = {place for w in watches for place in w.times}
    seen = list(visits(plan.graph, ran.__contains__))
    names = names_of(seen)
    folded = _folded(plan)
    out = []
    for v in seen:
        if v.place in ran or id(v.node) in folded:
            algorithm = next((w.algorithms[v.place] for w in reversed(watches) if v.place in w.algorithms), "folded")
            times = tuple(w.times.get(v.place, 0) for w in watches)
            out.append(NodeTimes(names[v.place], v.node.op, v.node.domain, algorithm, times))
    return out


def _folded(plan: Plan) -> set[int]:
    """The identities of the nodes that were folded, in a plan and those inside it."""
    pending, plans = [plan], {id(plan): plan}
    while pending:
        for step in pending.pop().steps:
            inner = [body for body in step.bodies.values() if id(body) not in plans]
            plans.update((id(body), body) for body in inner)
            pending += inner
    return {id(node) for found in plans.values() for node in found.folded}
