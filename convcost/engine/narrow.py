"""Plans for the shapes of given inputs: what depends on shapes alone is computed once.

Exported models are full of shape arithmetic (Shape, Gather, Concat, Reshape): more nodes than the arithmetic proper
has. Once the shapes of the inputs are known most of it is constant, branches learn the constants around them, and no
step makes anything of unknown size.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping

import msgspec
import numpy as np

from convcost.engine import control, kernels
from convcost.engine.footprint import predict, tensor_bytes
from convcost.engine.guard import Limits
from convcost.engine.kernels import lean
from convcost.engine.kernels.lean import ROOM, Copies
from convcost.engine.plan import ABSENT, Plan, Step, bind, finish, fold
from convcost.engine.values import Value
from convcost.engine.weighing import SMALL, known
from convcost.errors import ConvcostError, EngineError, ShapeError
from convcost.ir import Graph, Node, Tensor
from convcost.ops import find
from convcost.ops.resolve import resolve

KEPT = 16
"""Plans for this many sets of shapes are kept. They share their weights."""
SEEN = 256
"""Sets of shapes that are remembered: a plan is made when one comes a second time."""
HEAVY = {
    "Conv",
    "ConvTranspose",
    "FusedConv",
    "LSTM",
    "GRU",
    "RNN",
    "DynamicQuantizeLSTM",
    "QLinearConv",
    "ConvInteger",
}
"""Operators that prepare their weights: a step keeps what it has prepared."""
OPENED = {"then_branch", "else_branch", "function"}
"""Bodies that see the same shapes at every run, as loops' need not."""


class Narrowed:
    """Finds or makes the plan for given inputs. No lock, which a fork might copy locked: plans do not change."""

    def __init__(self, graph: Graph, plan: Plan, limits: Limits, options: kernels.Options) -> None:
        self.graph = graph
        self.plan = plan
        self.limits = limits
        self.options = options
        self.made: dict[tuple[object, ...], Plan | None] = {}
        self.copies = Copies(ROOM)

    def find(self, inputs: list[Value]) -> Plan:
        """The plan for inputs of these shapes; the plan for any shapes at their first time."""
        if not all(v.__class__ is np.ndarray for v in inputs):
            return self.plan
        key = tuple([(v.shape, v.dtype.num) for v in inputs])
        found = self.made.get(key, self)
        if found is None:
            found = self.made[key] = self.make(inputs)
        if isinstance(found, Plan):
            return found
        for old in list(self.made)[: 1 - SEEN]:
            self.made.pop(old, None)
        self.made[key] = None
        return self.plan

    def make(self, inputs: list[Value]) -> Plan:
        """A plan for inputs like these; the one for any shapes where that is not possible."""
        for old in [key for key, plan in list(self.made.items()) if plan is not None][: 1 - KEPT]:
            self.made.pop(old, None)
        try:
            graph = shaped(self.graph, inputs)
            spare = self.limits.max_memory - predict(graph, self.limits.max_memory)
            self.copies.room = min(self.copies.room, spare)
            return narrowed(self.plan, graph, self.limits, self.options, self.copies)
        except (ConvcostError, ShapeError, ArithmeticError, ValueError, MemoryError):
            return self.plan


def shaped(graph: Graph, inputs: list[Value]) -> Graph:
    """`graph` with the shapes that follow from those of its inputs; raises where they contradict each other."""
    given = tuple(_shaped(t, v) for t, v in zip(graph.inputs, inputs, strict=True))
    return resolve(msgspec.structs.replace(graph, inputs=given))


def narrowed(plan: Plan, graph: Graph, limits: Limits, options: kernels.Options, copies: Copies | None = None) -> Plan:
    """`plan`, of a graph that stands in no other, for `graph`, which is its graph with more shapes known."""
    return Narrower(limits, options, copies or Copies(0)).plan(plan, graph, {}, graph.tensors)


def _shaped(t: Tensor, value: Value) -> Tensor:
    """What is known about an input at every run with these shapes: not its content."""
    found = known(value)
    assert found is not None
    return msgspec.structs.replace(found, name=t.name, value=None)


class Narrower:
    """Makes plans from plans: of a graph and of those inside it."""

    def __init__(self, limits: Limits, options: kernels.Options, copies: Copies) -> None:
        self.limits = limits
        self.options = options
        self.copies = copies

    def plan(self, plan: Plan, graph: Graph, given: Mapping[str, Value], seen: Mapping[str, Tensor]) -> Plan:
        """`plan` for `graph`: `given` are constants that it takes from around it, `seen` all tensors that it sees."""
        new = Plan(graph)
        new.slots = dict(plan.slots)
        new.n_slots = plan.n_slots
        new.inputs, new.outputs = plan.inputs, plan.outputs
        new.captures = tuple(name for name in plan.captures if name not in given)
        new.constants = plan.constants | {new.slots[name]: value for name, value in given.items() if name in new.slots}
        new.folded = list(plan.folded)
        nodes = {node.index: node for node in graph.nodes}
        for old in plan.steps:
            node = nodes[old.node.index]
            step = self.opened(new, old, node, seen) if old.bodies else self.step(plan, new, old, node, seen)
            shape = exact_shape(seen.get(node.inputs[0])) if node.op == "Shape" and not node.domain else None
            if shape is not None and step.bound is not None:
                (new.constants[step.outputs[0]],) = step.bound([np.broadcast_to(np.float32(0), shape)])
                new.folded.append(node)
            elif not (foldable(new, step) and folded(new, step, self.limits)):
                new.steps.append(step)
        finish(new)
        return new

    def step(self, plan: Plan, new: Plan, old: Step, node: Node, seen: Mapping[str, Tensor]) -> Step:
        """A step with what is constant now bound; one that prepares weights only where they are new."""
        step = Step(node, old.inputs, old.outputs)
        step.bound, step.weighed = old.bound, old.weighed
        constants = [new.constants.get(i) for i in old.inputs]
        fresh = [i in new.constants and i not in plan.constants for i in old.inputs]
        if any(fresh[1:3] if node.op in HEAVY else fresh):
            step.bound = bind(node, constants, self.options)
        if step.bound is not None:
            inputs, outputs = (
                [t if exact_shape(t := seen.get(n)) is not None else None for n in names]
                for names in (node.inputs, node.outputs)
            )
            step.bound = lean.bind(node, inputs, outputs, constants, step.bound, self.copies) or step.bound
        return step

    def opened(self, new: Plan, old: Step, node: Node, seen: Mapping[str, Tensor]) -> Step:
        """A step with bodies, which learn the constants that they read."""
        names = {slot: name for name, slot in new.slots.items()}
        reads = [names[i] if i >= 0 else "" for i in old.inputs]
        constants = {names[i]: new.constants[i] for i in old.inputs if i in new.constants}
        graphs = dict(node.bodies)
        bodies = {}
        for role, body in old.bodies.items():
            if role not in OPENED:
                bodies[role] = body
                continue
            own = graphs[role].tensors
            if role == "function":
                inner = [t.name for t in graphs[role].inputs]
                given = {a: constants[b] for a, b in zip(inner, node.inputs, strict=False) if b in constants}
                bodies[role] = self.plan(body, graphs[role], given, own)
            else:
                given = {name: constants[name] for name in body.captures if name in constants}
                bodies[role] = self.plan(body, graphs[role], given, ChainMap(dict(own), dict(seen)))
        wanted = {name for body in bodies.values() for name in body.captures}
        kept = [name for i, name in enumerate(reads) if i < len(node.inputs) or name in wanted]
        step = Step(node, tuple(new.slots[name] if name else ABSENT for name in kept), old.outputs)
        step.weighed, step.bodies = old.weighed, bodies
        step.run_bodies = control.bind(node, kept, bodies, self.limits)
        return step


def folded(plan: Plan, step: Step, limits: Limits) -> bool:
    """Fold a step; False where its kernel refuses, which a run will say if it comes to that branch."""
    try:
        fold(plan, step, limits)
    except EngineError:
        return False
    return True


def exact_shape(t: Tensor | None) -> tuple[int, ...] | None:
    """The shape of a tensor, where it is the same at every run."""
    if t is None or t.shape is None or t.at_most or t.container != "tensor":
        return None
    dims = tuple(d for d in t.shape if isinstance(d, int))
    return dims if len(dims) == len(t.shape) else None


def foldable(plan: Plan, step: Step) -> bool:
    """Whether all inputs are constants, and the outputs the same at every run and small, or counted as constants."""
    op = find(step.node.domain, step.node.op)
    if step.run_bodies is not None or op is None or not op.constant or not step.inputs:
        return False
    if not all(i < 0 or i in plan.constants for i in step.inputs):
        return False
    tensors = [plan.graph.tensors.get(name) for name in step.node.outputs if name]
    total = 0
    for t in tensors:
        if t is None or t.shape is None or not isinstance(t.size, int):
            return False
        total += 0 if t.constant else tensor_bytes(t)
    return total <= SMALL
