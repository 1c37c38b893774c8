"""Plan once, run many: steps with bound kernels, constants folded, every value freed at its last use.

A plan does not depend on shapes: kernels read them from the arrays. What the shapes of the graph do tell beforehand
is the memory that a run will take (`memory.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcost.engine import control, fallback, kernels
from convcost.engine.guard import FAILURES, Limits, Watch, failed
from convcost.engine.kernels import Bound, Simple
from convcost.engine.values import Value
from convcost.engine.weighing import Weighed
from convcost.engine.weights import Weights
from convcost.errors import EngineError
from convcost.ir import DType, Graph, Node

ABSENT = -1
"""The slot of an input that is left out."""
PREPARED = {"Conv", "ConvTranspose"}
"""Operators that bring their second input into a form of their own."""


class Step:
    """One node, ready to run: where its inputs lie, where its outputs go, and what is free afterwards."""

    __slots__ = ("bodies", "bound", "frees", "guarded", "inputs", "node", "outputs", "run_bodies", "weighed")

    def __init__(self, node: Node, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> None:
        self.node = node
        self.inputs = inputs
        self.outputs = outputs
        self.frees: tuple[int, ...] = ()
        self.guarded = False
        self.weighed = Weighed(node)
        self.bound: Bound | None = None
        self.bodies: dict[str, Plan] = {}
        self.run_bodies: Callable[[list[Value], Watch], list[Value]] | None = None

    @property
    def algorithm(self) -> str:
        """How the node is computed; for a convolution, the choice made at the last run."""
        return self.bound.algorithm if self.bound is not None else "control"


Call = tuple[Step, Any, Any, int, tuple[int, ...], int, tuple[int, ...]]
"""A step in short: kernel, attributes, number of outputs where it is a plain one; inputs, its only output, `frees`."""


class Plan:
    """A graph made ready. `captures` are the names that it reads from the graphs around it."""

    __slots__ = (
        "calls",
        "captures",
        "constants",
        "folded",
        "graph",
        "inputs",
        "n_slots",
        "outputs",
        "slots",
        "start",
        "steps",
    )

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.slots: dict[str, int] = {}
        self.steps: list[Step] = []
        self.calls: list[Call] = []
        self.constants: dict[int, Value] = {}
        self.start: list[Value] = []
        self.folded: list[Node] = []
        self.inputs: tuple[int, ...] = ()
        self.captures: tuple[str, ...] = ()
        self.outputs: tuple[int, ...] = ()
        self.n_slots = 0

    def slot(self, name: str) -> int:
        """The place of `name` among the values of a run."""
        return self.slots.setdefault(name, len(self.slots))

    def execute(self, inputs: list[Value], captured: list[Value], watch: Watch) -> list[Value]:
        """Run every step. `inputs` in the graph's order, `captured` in the order of `captures`."""
        values = self.start.copy()
        for slot, value in zip(self.inputs, inputs, strict=False):
            values[slot] = value
        for name, value in zip(self.captures, captured, strict=True):
            values[self.slots[name]] = value
        if watch.clock is None and watch.deadline is None:
            self.hurry(values, watch)
        else:
            self.watched(values, watch)
        return [values[i] for i in self.outputs]

    def watched(self, values: list[Value], watch: Watch) -> None:
        """Run every step with a look at the clock."""
        if watch.clock is not None:
            watch.note(self.folded)
        for step in self.steps:
            given = [values[i] for i in step.inputs]
            for slot, value in zip(step.outputs, watch.run(step, given, values), strict=False):
                if slot >= 0:
                    values[slot] = value
            del given
            for slot in step.frees:
                values[slot] = None

    def hurry(self, values: list[Value], watch: Watch) -> None:
        """Run every step, where neither times nor a time limit are wanted: a step costs little beside its kernel."""
        given: list[Value] = []
        step = None
        try:
            for step, kernel, attrs, n, inputs, output, frees in self.calls:
                given = [values[i] for i in inputs]
                if kernel is not None:
                    out = kernel(attrs, given, n)
                elif step.guarded:
                    out = watch.run(step, given, values)
                elif step.bound is None:
                    out = watch.enter(step, given, values)
                else:
                    out = step.bound(given)
                if output >= 0:
                    values[output] = out[0]
                else:
                    for slot, value in zip(step.outputs, out, strict=False):
                        if slot >= 0:
                            values[slot] = value
                for slot in frees:
                    values[slot] = None
        except FAILURES as why:
            assert step is not None
            raise failed(step.node, given, why) from why


class Builder:
    """Makes plans; a function that is called twice is planned once."""

    def __init__(self, weights: Weights, limits: Limits, options: kernels.Options) -> None:
        self.weights = weights
        self.limits = limits
        self.options = options
        self.done: dict[int, Plan] = {}

    def plan(self, graph: Graph) -> Plan:
        """The plan of `graph` and of every graph inside it."""
        known = self.done.get(id(graph))
        if known is not None:
            return known
        plan = Plan(graph)
        plan.inputs = tuple(plan.slot(t.name) for t in graph.inputs)
        produced = {t.name for t in graph.inputs} | {o for n in graph.nodes for o in n.outputs if o}
        used = {name for n in graph.nodes for name in n.inputs if name} | set(graph.outputs) | used_inside(graph)
        captures: dict[str, None] = {}
        prepared = brought(graph)
        for tensor in graph.tensors.values():
            if tensor.stored and tensor.name not in produced and tensor.name in used:
                placed = tensor.name not in prepared
                plan.constants[plan.slot(tensor.name)] = self.weights.load(tensor, graph, placed=placed)
        own = produced | {n for n, t in graph.tensors.items() if t.stored}
        for node in graph.nodes:
            self.add(plan, node, own, captures)
        for name in graph.outputs:
            if name not in own:
                captures[name] = None
        plan.captures = tuple(captures)
        for name in captures:
            plan.slot(name)
        plan.outputs = tuple(plan.slot(name) for name in graph.outputs)
        plan.n_slots = len(plan.slots)
        finish(plan)
        self.done[id(graph)] = plan
        return plan

    def add(self, plan: Plan, node: Node, own: set[str], captures: dict[str, None]) -> None:
        """One more node: folded when its inputs are constants, else a step."""
        bodies = {role: self.plan(body) for role, body in node.bodies}
        reads = list(node.inputs)
        for body in bodies.values():
            reads += [name for name in body.captures if name not in reads]
        for name in reads:
            if name and name not in own:
                captures[name] = None
        if node.op == "Constant" and not node.domain:
            plan.constants[plan.slot(node.outputs[0])] = self.weights.constant(node, plan.graph)
            plan.folded.append(node)
            return
        step = Step(
            node,
            tuple(plan.slot(name) if name else ABSENT for name in reads),
            tuple(plan.slot(name) if name else ABSENT for name in node.outputs),
        )
        if bodies:
            step.bodies = bodies
            step.run_bodies = control.bind(node, reads, bodies, self.limits)
        else:
            step.bound = bind(node, [plan.constants.get(i) for i in step.inputs], self.options)
        if self.foldable(plan, node, step):
            fold(plan, step, self.limits)
            return
        plan.steps.append(step)

    @staticmethod
    def foldable(plan: Plan, node: Node, step: Step) -> bool:
        """Whether the outputs are the same in every run."""
        return (
            step.run_bodies is None
            and all(i < 0 or i in plan.constants for i in step.inputs)
            and all((t := plan.graph.tensors.get(o)) is not None and t.constant for o in node.outputs if o)
        )


def fold(plan: Plan, step: Step, limits: Limits) -> None:
    """Run a step now: its outputs are constants."""
    given = [plan.constants[i] if i >= 0 else None for i in step.inputs]
    step.guarded = guarded(plan, step.node)
    live = list(plan.constants.values()) if step.guarded else []
    for slot, value in zip(step.outputs, Watch(limits).run(step, given, live), strict=False):
        if slot >= 0:
            plan.constants[slot] = value
    plan.folded.append(step.node)


def bind(node: Node, constants: list[Value], options: kernels.Options) -> Bound:
    """The kernel that runs `node`: ours, else the operator of onnx's reference evaluator."""
    own = kernels.bind(node, constants, options)
    return own if own is not None else fallback.bind(node)


def finish(plan: Plan) -> None:
    """Work out where each value dies, drop constants that no step reads, mark the steps to be watched."""
    keep = set(plan.outputs)
    last: dict[int, int] = {}
    for n, step in enumerate(plan.steps):
        for slot in (*step.inputs, *step.outputs):
            last[slot] = n
    frees: dict[int, list[int]] = {}
    for slot, n in last.items():
        if slot >= 0 and slot not in keep and slot not in plan.constants:
            frees.setdefault(n, []).append(slot)
    for n, step in enumerate(plan.steps):
        step.frees = tuple(frees.get(n, ()))
        step.guarded = guarded(plan, step.node)
    for slot in [s for s in plan.constants if s not in last and s not in keep]:
        del plan.constants[slot]
    plan.calls = [brief(step) for step in plan.steps]
    plan.start = [None] * (plan.n_slots + 1)  # the last one is what ABSENT leads to
    for slot, value in plan.constants.items():
        plan.start[slot] = value


def brief(step: Step) -> Call:
    """A step as the loop of a run wants it."""
    plain = step.bound if isinstance(step.bound, Simple) and not step.guarded else None
    kernel, attrs, n = (None, None, 0) if plain is None else (plain.fn, plain.attrs, plain.n_outputs)
    output = step.outputs[0] if len(step.outputs) == 1 else ABSENT
    return step, kernel, attrs, n, step.inputs, output, step.frees


def guarded(plan: Plan, node: Node) -> bool:
    """Whether the sizes of a node's outputs were not known when the memory of a run was predicted."""
    return any(not _sized(plan.graph, name) for name in node.outputs if name)


def _sized(graph: Graph, name: str) -> bool:
    t = graph.tensors.get(name)
    return t is not None and t.shape is not None and isinstance(t.size, int) and t.dtype is not DType.STRING


def used_inside(graph: Graph) -> set[str]:
    """Names that the bodies of a graph's nodes read from it (a superset)."""
    out: set[str] = set()
    pending: list[Any] = [body for node in graph.nodes for role, body in node.bodies if role != "function"]
    while pending:
        body = pending.pop()
        out.update(body.outputs)
        for node in body.nodes:
            out.update(node.inputs)
            pending += [inner for role, inner in node.bodies if role != "function"]
    return out


def brought(graph: Graph) -> set[str]:
    """Names that only convolutions read, as weights: they bring them into another form anyway."""
    weights = {n.inputs[1] for n in graph.nodes if n.op in PREPARED and len(n.inputs) > 1}
    others = {name for n in graph.nodes for i, name in enumerate(n.inputs) if n.op not in PREPARED or i != 1}
    return weights - others - set(graph.outputs) - used_inside(graph)


def missing(plan: Plan) -> None:
    """Refuse a main graph that reads names which nothing defines."""
    if plan.captures:
        raise EngineError(f"tensor '{plan.captures[0][:80]}' is read but nothing makes it", code="C411")
