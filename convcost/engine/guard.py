"""Limits that hold while a model runs, and the times of its nodes when they are wanted.

The sizes of outputs that were not known beforehand are worked out with the operators' own shape rules, from the
arrays that are there, before a kernel may allocate them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from convcost.engine.kernels import set_checkpoint
from convcost.engine.values import Value, nbytes
from convcost.engine.weighing import SMALL, Weighed
from convcost.errors import EngineError
from convcost.ir import Node
from convcost.units import size

if TYPE_CHECKING:
    from convcost.engine.plan import Step

MAX_ITERATIONS = 1_000_000
"""A Loop or Scan ends with an error after this many iterations, unless told otherwise."""


class Limits(msgspec.Struct, frozen=True):
    """What a run may take: bytes, seconds (None: no limit), iterations of one Loop."""

    max_memory: int
    time_limit: float | None = None
    max_iterations: int = MAX_ITERATIONS


class Frame:
    """The values around a graph that runs inside a node; they are weighed only when that is asked."""

    __slots__ = ("before", "size", "values")

    def __init__(self, values: list[Value], before: Frame | None) -> None:
        self.values = values
        self.before = before
        self.size = -1

    def total(self) -> int:
        """Bytes of these values and of those further out."""
        if self.size < 0:
            own = sum(nbytes(v) for v in self.values if v is not None)
            self.size = own + (0 if self.before is None else self.before.total())
        return self.size


class Watch:
    """Accompanies one run: enforces the limits and, with a clock, keeps the time spent in each node.

    `times` maps the place of a node (`7/then_branch/0`: positions, as names need not differ) to nanoseconds spent in it
    alone, bodies apart.
    """

    def __init__(self, limits: Limits, clock: Callable[[], int] | None = None) -> None:
        self.limits = limits
        self.clock = clock
        self.deadline: float | None = None
        self.prefix = ""
        self.times: dict[str, int] = {}
        self.algorithms: dict[str, str] = {}
        self.inner = 0
        self.kept = 0
        self.frames: Frame | None = None
        self.turn = ""

        self.begin()

    def begin(self) -> None:
        """The time limit counts from here."""
        limit = self.limits.time_limit
        self.deadline = None if limit is None else time.monotonic() + limit

    def run(self, step: Step, given: list[Value], values: list[Value]) -> list[Value]:
        """The outputs of one step. Raises `EngineError` where a limit is hit or the kernel fails."""
        if self.late_now():
            raise self.late(step.node)
        if step.guarded:
            self.weigh(step.node, step.weighed, given, values)
        if self.clock is None:
            return self.call(step, given, values)
        outside, self.inner = self.inner, 0
        start = self.clock()
        out = self.call(step, given, values)
        spent = self.clock() - start
        path = f"{self.prefix}{step.node.index}"
        self.times[path] = self.times.get(path, 0) + spent - self.inner
        self.algorithms[path] = step.algorithm
        self.inner = outside + spent
        return out

    def before(self, node: Node) -> int:
        """Before the compiled form of a node: the time limit; when it begins, for `after`."""
        if self.late_now():
            raise self.late(node)
        return 0 if self.clock is None else self.clock()

    def after(self, node: Node, algorithm: str, start: int) -> None:
        """After the compiled form of a node: the time spent."""
        if self.clock is None:
            return
        spent = self.clock() - start
        path = f"{self.prefix}{node.index}"
        self.times[path] = self.times.get(path, 0) + spent
        self.algorithms[path] = algorithm
        self.inner += spent

    def note(self, folded: list[Node]) -> None:
        """Keep that these nodes took no time in this graph."""
        for node in folded:
            path = f"{self.prefix}{node.index}"
            self.times.setdefault(path, 0)
            self.algorithms.setdefault(path, "folded")

    def call(self, step: Step, given: list[Value], values: list[Value]) -> list[Value]:
        """Call the kernel; what goes wrong inside becomes one clear error."""
        try:
            if step.run_bodies is not None:
                return self.enter(step, given, values)
            assert step.bound is not None
            if self.deadline is None:
                return step.bound(given)
            set_checkpoint(lambda: self.check(step.node))
            try:
                return step.bound(given)
            finally:
                set_checkpoint(None)
        except FAILURES as why:
            raise failed(step.node, given, why) from why

    def enter(self, step: Step, given: list[Value], values: list[Value]) -> list[Value]:
        """Run the bodies of a node, with what is live around them counted."""
        assert step.run_bodies is not None
        frames, kept, turn = self.frames, self.kept, self.turn
        self.frames = Frame(values, frames)
        try:
            return step.run_bodies(given, self)
        finally:
            self.frames, self.kept, self.turn = frames, kept, turn

    def around(self) -> int:
        """Bytes of the values around the graph that runs, and of what loops have collected."""
        return self.kept + (0 if self.frames is None else self.frames.total())

    def keep(self, value: Value) -> None:
        """Count a value that a loop collects; refuse when the collection does not fit."""
        self.kept += nbytes(value)
        taken = self.around()
        if taken > self.limits.max_memory:
            raise EngineError(
                f"the outputs that a loop collects take the run to {size(taken)}, "
                f"the limit is {size(self.limits.max_memory)}",
                code="C430",
                help="raise --max-memory, or run fewer iterations",
            )

    def weigh(self, node: Node, weighed: Weighed, given: list[Value], values: list[Value]) -> None:
        """Refuse a node whose outputs would not fit beside what is live."""
        needed = weighed.bytes(node, given)
        if needed <= SMALL:
            return
        live = sum(nbytes(v) for v in values if v is not None) + self.around()
        if live + needed > self.limits.max_memory:
            raise too_large(node.outputs[0], needed, live + needed, self.limits.max_memory, node.name)

    def tick(self, node: Node, iteration: int) -> None:
        """Called before each iteration of a Loop or Scan."""
        if iteration >= self.limits.max_iterations:
            message = f"{node.op} has run {iteration} iterations, the limit"
            raise EngineError(message, node=node.name, code="C432", help="raise the limit if the model means it")
        self.turn = f" in iteration {iteration} of the {node.op} '{node.name[:60]}'"
        if self.late_now():
            raise self.late(node)

    def late_now(self) -> bool:
        """Whether the time limit is over."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def check(self, node: Node) -> None:
        """Raise when the time limit is over."""
        if self.late_now():
            raise self.late(node)

    def late(self, node: Node) -> EngineError:
        """The error of a run that takes too long."""
        said = f"the time limit of {self.limits.time_limit:g} s is over{self.turn}"
        return EngineError(said, node=node.name, code="C431", help="raise --time-limit if the model means it")


FAILURES = (
    EngineError,
    MemoryError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    ArithmeticError,
    RuntimeError,
    NotImplementedError,
)
"""What kernels raise."""


def failed(node: Node, given: list[Value], why: BaseException) -> EngineError:
    """One clear error for what went wrong inside the kernel of a node."""
    if isinstance(why, EngineError):
        why.node = why.node or node.name
        return why
    if isinstance(why, MemoryError):
        return EngineError(f"{node.op}: out of memory", node=node.name, code="C430")
    return EngineError(f"{node.op} cannot run on {_described(given)}: {_one_line(why)}", node=node.name, code="C420")


def too_large(tensor: str, needed: int, total: int, limit: int, node: str | None) -> EngineError:
    """The refusal of a tensor that does not fit."""
    return EngineError(
        f"tensor '{tensor[:80]}' takes {size(needed)}; "
        f"the run would need {size(total)} of memory, the limit is {size(limit)}",
        node=node,
        code="C430",
        help="raise --max-memory, or run on smaller inputs",
    )


def _described(given: list[Value]) -> str:
    return ", ".join(
        f"{v.dtype}[{'x'.join(map(str, v.shape))}]" if isinstance(v, np.ndarray) else type(v).__name__
        for v in given[:4]
        if v is not None
    )


def _one_line(why: BaseException) -> str:
    return " ".join(str(why).split())[:200] or type(why).__name__
