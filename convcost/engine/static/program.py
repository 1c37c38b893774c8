"""A compiled plan: its memory, and its units as calls that run in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from convcost.engine.guard import Watch
from convcost.engine.kernels.conv import Choice, Geometry, Layer, Trial, choose, geometry, heuristic
from convcost.engine.kernels.convolution.workspace import Program as Calls
from convcost.engine.kernels.convolution.workspace import execute
from convcost.engine.plan import Plan
from convcost.engine.static import compile as compiling
from convcost.engine.static.entry import Entry
from convcost.engine.static.finish import finish
from convcost.engine.static.fuse import Fuser
from convcost.engine.static.layout import FIRST, LAST, PLAIN, Layouts
from convcost.engine.static.places import Places
from convcost.engine.static.pool import pool
from convcost.engine.static.team import Team, forks, team
from convcost.engine.static.tuning import Tuning
from convcost.engine.static.units import Reader, Unit
from convcost.engine.values import Array, Value
from convcost.engine.weights import release
from convcost.errors import EngineError
from convcost.ir import Graph

PORTION = 256
"""Calls between two looks at the clock, where a run has a time limit."""


class Program:
    """A plan compiled for one set of shapes.

    A run copies the inputs in, executes the entries, and copies the outputs out. One run at a time: the memory is the
    program's own.
    """

    def __init__(self, graph: Graph, plan: Plan, tuning: Tuning, limit: int) -> None:
        self.plan = plan
        self.tuning = tuning
        fuser = Fuser(graph, plan, fuse=tuning.fuse)
        self.read: Reader = fuser.read
        self.units = fuser.walk(plan.steps)
        self.geometries: dict[int, Geometry] = {id(u): self.geometry(u) for u in self.units if u.kind == "conv"}
        self.ws = tuning.workspace(self.geometries.values())
        self.layouts = Layouts(self.units, self.read, {k: self.choice(g) for k, g in self.geometries.items()})
        self.fed = {self.read.names[s] for s in plan.inputs}
        self.layouts.settle(self.fed.__contains__)
        self.layouts.save(self.geometries, tuning.forms)
        self.ws = tuning.workspace(self.geometries.values())  # the scratch of trials is given back
        outputs = [self.read.names[s] for s in plan.outputs]
        self.memory = Places(self.units, self.read, self.layouts, outputs, fuse=tuning.fuse)
        if self.memory.arena.nbytes > limit:
            raise EngineError("the buffers of the compiled plan do not fit", code="C430")
        self.memory.arena.allocate(common=self.ws.threads > 1 and forks())
        for unit in self.units:
            trial = self.layouts.trial(unit) if unit.kind == "conv" else None
            if trial is not None:
                scratch = trial.scratch(self.geometries[id(unit)], np.float32, self.ws.threads)
                self.ws.reserve(scratch)
        self.stages: list[list[Calls]] = []
        self.entries = [self.entry(i, unit) for i, unit in enumerate(self.units)]
        self.team: Team | None = None
        self.runs = 0

    @property
    def nbytes(self) -> int:
        """Bytes of arrays, scratch and prepared weights."""
        trials = [(self.layouts.trial(u), self.geometries[id(u)]) for u in self.units if u.kind == "conv"]
        forms = sum(t.weight_bytes(g) for t, g in trials if t is not None)
        return self.memory.arena.nbytes + self.ws.held + forms

    def geometry(self, unit: Unit) -> Geometry:
        """The numbers of a convolution."""
        shape = self.read.shape(unit.inputs[0])
        assert shape is not None
        g = geometry(shape, unit.weight.shape, unit.attrs)
        return replace(g, shuffled=unit.shuffled, floored=unit.floor is not None)

    def choice(self, g: Geometry) -> Choice:
        """The candidates of a convolution: by trial, or by rule without times."""
        if self.tuning.tune:
            return choose(g, exact=self.tuning.exact, lean=self.tuning.lean, workspace=self.ws)
        pairs = [(a, b) for a in (LAST, FIRST) for b in (LAST, FIRST)]
        exact, lean, threads = self.tuning.exact, self.tuning.lean, self.ws.threads
        found = [heuristic(g, exact=exact, x_layout=a, y_layout=b, lean=lean, threads=threads) for a, b in pairs]
        return Choice(tuple(t for t in found if t is not None))

    # compiling ------------------------------------------------------------------------------------------------------

    def entry(self, i: int, unit: Unit) -> Entry:
        """One unit compiled."""
        entry = Entry(unit, unit.step.algorithm)
        for name, block, layout in self.memory.loads[i]:
            entry.loads.append((self.memory.array(name, block, layout), name, layout == LAST))
        for name, source, block in self.memory.moves[i]:
            to = self.memory.held[f"{name}\0{block}"]
            of = FIRST if to == LAST else LAST
            x, y = self.memory.array(name, source, of), self.memory.array(name, block, to)
            view = np.moveaxis(x, 1, -1) if to == LAST else np.moveaxis(x, -1, 1)
            self.add(entry, [[(np.copyto, (y, view))]])
        if unit.kind == "generic":
            entry.arrays = {n: self.memory.array(n, block, FIRST) for n, block in self.memory.spots[i][0].items()}
        else:
            calls = self.calls(i, unit, entry)
            if calls:
                self.add(entry, calls)
            if unit.kind in ("concat", "pool") and (unit.floor is not None or unit.bias is not None):
                place, layout = self.memory.spots[i][1][unit.outputs[0]], self.layouts.layout(unit.outputs[0])
                y = self.memory.array(unit.outputs[0], place, layout)
                self.add(entry, finish(unit, y, layout, self.ws))
            if self.tuning.fuse and len(unit.nodes) > 1:
                entry.algorithm += "".join(f" + {n.op}" for n in unit.nodes[1:])
        return entry

    def add(self, entry: Entry, programs: list[Calls]) -> None:
        """One more stage of an entry."""
        entry.stages.append(len(self.stages))
        self.stages.append(programs)

    def calls(self, i: int, unit: Unit, entry: Entry) -> list[Calls]:
        """The calls of one unit on its arrays."""
        sources, targets = self.memory.spots[i]
        name = unit.outputs[0]
        xs = [self.memory.array(n, sources[n], self.memory.wanted(unit, n)) for n in unit.reads]
        layout = FIRST if unit.kind in PLAIN else self.layouts.layout(name)
        y = self.memory.array(name, targets[name], layout)
        if unit.kind == "conv":
            return self.conv(unit, xs, y, entry)
        table: dict[str, Callable[[], list[Calls]]] = {
            "act": lambda: compiling.activation(unit, xs[0], y, self.ws),
            "affine": lambda: compiling.affine(unit, xs[0], y, layout, self.ws),
            "add": lambda: compiling.addition(unit, xs[0], xs[-1], y, self.ws),
            "concat": lambda: compiling.concat(unit, xs, y, layout, self.ws),
            "gemm": lambda: compiling.gemm(unit, xs[0], y, self.ws),
            "lrn": lambda: compiling.lrn(unit, xs[0], y, layout, self.ws),
            "pool": lambda: pool(unit, xs[0], y, layout, self.ws),
            "transpose": lambda: [[(np.copyto, (y, xs[0].transpose(unit.attrs.perm or None)))]],
            "alias": lambda: (
                [] if np.may_share_memory(xs[0], y) else [[(np.copyto, (y.reshape(-1), xs[0].reshape(-1)))]]
            ),
        }
        return table[unit.kind]()

    def conv(self, unit: Unit, xs: list[Array], y: Array, entry: Entry) -> list[Calls]:
        """A convolution by the algorithm that was chosen for its layouts."""
        g = self.geometries[id(unit)]
        trial: Trial | None = self.layouts.trial(unit)
        if trial is None:
            raise EngineError("no algorithm joins the layouts", node=unit.step.node.name)
        entry.algorithm = f"{trial.algorithm.name} {trial.algorithm.layout}"
        layer = Layer(trial, g, unit.kernel(), unit.bias, unit.act, unit.floor)
        release(unit.weight)
        addend = xs[1].reshape(g.y_shape(self.layouts.layout(unit.outputs[0]))) if unit.addend else None
        x = xs[0].reshape(g.x_shape(trial.algorithm.x_layout))
        return layer.compile(x, y.reshape(g.y_shape(trial.algorithm.y_layout)), self.ws, addend)

    # running --------------------------------------------------------------------------------------------------------

    def execute(self, inputs: list[Value], watch: Watch) -> list[Value]:
        """One run: the outputs, in arrays of their own."""
        self.runs += 1
        again = self.runs & (self.runs - 1) == 0  # other threads may have been busy: the 1st, 2nd, 4th, 8th … run
        if again if self.team is None else not self.team.ready():
            self.team = team(self.stages, self.ws.threads)
        values: dict[str, Value] = dict(self.read.constants)
        for slot, value in zip(self.plan.inputs, inputs, strict=True):
            values[self.read.names[slot]] = value
        hurried = watch.clock is None and watch.deadline is None
        for i, entry in enumerate(self.entries):
            if hurried and not entry.loads:
                for number in entry.stages:
                    self.stage(number)
            elif entry.stages or entry.loads or (entry.unit.kind == "alias" and watch.clock is not None):
                for array, name, last in entry.loads:  # bringing inputs into place is the time of no layer
                    given = np.asarray(values[name])
                    np.copyto(array, np.moveaxis(given, 1, -1) if last else given)
                start = watch.before(entry.unit.step.node)
                for number in entry.stages:
                    self.portions(number, entry, watch)
                watch.after(entry.unit.step.node, entry.algorithm, start)
            if entry.unit.kind == "generic":
                self.generic(entry, values, watch)
            for name in self.memory.drops[i]:
                values.pop(name, None)
        return [self.output(self.read.names[s], values) for s in self.plan.outputs]

    def stage(self, number: int, start: int = 0, stop: int | None = None) -> None:
        """Calls `start` to `stop` of the programs of a stage, side by side where there are several."""
        programs = self.stages[number]
        if self.team is not None and len(programs) > 1:
            self.team.run(number, start, stop)
        else:
            execute(programs, start, stop)

    def portions(self, number: int, entry: Entry, watch: Watch) -> None:
        """A stage; in portions where there is a time limit."""
        if watch.deadline is None or (longest := max(map(len, self.stages[number]))) <= PORTION:
            self.stage(number)
            return
        for start in range(0, longest, PORTION):
            if watch.late_now():
                raise watch.late(entry.unit.step.node)
            self.stage(number, start, start + PORTION)

    @staticmethod
    def generic(entry: Entry, values: dict[str, Value], watch: Watch) -> None:
        """A usual kernel between compiled units. What it gives may be a view of a block, which will be reused."""
        unit = entry.unit
        given = [entry.arrays.get(n, values.get(n)) if n else None for n in unit.inputs]
        outputs = watch.run(unit.step, given, list(values.values()))
        for name, value in zip(unit.outputs, outputs, strict=False):
            if isinstance(value, np.ndarray) and any(np.may_share_memory(value, a) for a in entry.arrays.values()):
                value = value.copy()  # noqa: PLW2901 - the block is written over later
            if name:
                values[name] = value

    def output(self, name: str, values: dict[str, Value]) -> Value:
        """A copy of an output, channels first."""
        place = self.memory.places.get(name)
        if place is None or not place.blocks:
            return values[name]
        layout, block = next(iter(place.blocks.items()))
        array = self.memory.array(name, block, layout)
        return np.ascontiguousarray(np.moveaxis(array, -1, 1)) if layout == LAST and array.ndim > 2 else array.copy()
