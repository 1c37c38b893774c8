"""Compiled programs of a session, one for each set of input shapes, made at the first run with them."""

from __future__ import annotations

import os
import threading

import numpy as np

from convcost.engine import kernels
from convcost.engine.footprint import footprint
from convcost.engine.guard import Limits
from convcost.engine.narrow import narrowed, shaped
from convcost.engine.plan import Plan
from convcost.engine.static.program import Program
from convcost.engine.static.tuning import Tuning
from convcost.engine.threads import blas_threads, limited
from convcost.engine.values import Value
from convcost.errors import ConvcostError, ShapeError
from convcost.ir import Graph

KEPT = 4
"""Programs for this many sets of shapes are kept; each holds its own memory."""

WORTH = {"Conv", "ConvTranspose", "FusedConv"}
"""A graph without any of these runs node by node."""


class Programs:
    """Finds or makes the program for given inputs. `lock` is held while one runs: its memory is its own."""

    def __init__(
        self, graph: Graph, plan: Plan, limits: Limits, options: kernels.Options, *, threads: int | None
    ) -> None:
        self.graph = graph
        self.plan = plan
        self.limits = limits
        self.options = options
        self.threads = threads
        self.owner = os.getpid()
        self.lock = threading.RLock()
        self.made: dict[tuple[object, ...], Program | None] = {}
        self.worth = any(step.node.op in WORTH for step in plan.steps)

    def find(self, inputs: list[Value], *, fuse: bool) -> Program | None:
        """The program for inputs of these shapes; None where the graph is run node by node."""
        if not self.worth or not all(isinstance(v, np.ndarray) for v in inputs):
            return None
        if self.owner != os.getpid():  # a fork: programs are shared with the first process, and so may the lock be held
            self.owner, self.lock, self.made = os.getpid(), threading.RLock(), {}
        key = (fuse, *((v.shape, v.dtype.str) for v in inputs))
        with self.lock:
            if key not in self.made:
                self.make_room(fuse=fuse)
                self.made[key] = self.make(inputs, fuse=fuse)
            return self.made[key]

    def make_room(self, *, fuse: bool) -> None:
        """Forget programs: those of the other kind, which hold all weights a second time, and the oldest."""
        others = [key for key in self.made if key[0] is not fuse]
        for key in others:
            del self.made[key]
        held = sum(program.nbytes for program in self.made.values() if program is not None)
        while self.made and (len(self.made) >= KEPT or held > self.limits.max_memory // 2):
            program = self.made.pop(next(iter(self.made)))
            held -= 0 if program is None else program.nbytes

    def make(self, inputs: list[Value], *, fuse: bool) -> Program | None:
        """A program, or None where it cannot be made: run node by node, the model then says what is wrong with it."""
        threads = self.threads or blas_threads()
        tuning = Tuning(fuse=fuse, tune=self.options.tune, exact=self.options.exact, threads=threads)
        graph = self.graph
        if any(d.__class__ is not int for t in graph.inputs for d in t.shape or ((),)):
            graph = shaped(graph, inputs)
        used = footprint(graph, self.limits.max_memory, threads=threads)
        tuning.lean = used.peak > self.limits.max_memory
        tuning.forms = used.forms
        with limited(1):
            try:
                plan = narrowed(self.plan, graph, self.limits, self.options) if fuse else self.plan
                return Program(graph, plan, tuning, self.limits.max_memory)
            except (ConvcostError, ShapeError, ArithmeticError, ValueError, MemoryError):
                return None
