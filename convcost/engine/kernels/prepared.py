"""Convolutions that run by themselves, outside of a compiled program: in bodies, with computed weights, on integers.

They get the algorithms of `conv`, and keep the prepared weights for the input shapes of the last runs.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from convcost.engine.kernels import Bound, Options, checkpoint
from convcost.engine.kernels.conv import Algorithm, Geometry, Layer, Trial, candidates, choose, geometry
from convcost.engine.kernels.convolution.epilogue import bounded
from convcost.engine.kernels.convolution.work import TRANSPOSE
from convcost.engine.kernels.convolution.workspace import ALIGN, Array, Program, Workspace, raw
from convcost.engine.values import Value
from convcost.engine.weights import release
from convcost.errors import ShapeError
from convcost.ir import Node

KEPT = 4
"""Prepared weights are kept for this many shapes of the input."""
PART = 1 << 16
"""Sums that are rounded at a time."""
PORTION = 256
"""Calls between two looks at the time limit."""
EXACT = 1 << 24
"""Integers up to this are exact in single precision."""
MANY = 4096
"""Output positions from which on Winograd is worth preparing weights that change from run to run."""


def pick(g: Geometry, options: Options, *, constant: bool) -> Trial:
    """An algorithm between arrays with channels first: what bringing them to its layouts costs counts."""
    exact = options.exact or not (constant or g.positions >= MANY)
    if options.tune and constant:
        found = choose(g, exact=exact)
        there, back = found.transpose_x, found.transpose_y
        return min(found.trials, key=lambda t: (t.seconds or 0.0) + moves(t.algorithm, there, back))
    few = candidates(g, exact=exact, lean=not constant)
    there, back = TRANSPOSE * g.batch * g.c * prod(g.spatial), TRANSPOSE * g.positions * g.m
    best = min(few, key=lambda a: a.work(g) + moves(a, there, back))
    return Trial(best, best.tiles[len(best.tiles) // 2])


def moves(a: Algorithm, there: float, back: float) -> float:
    """What bringing the input to the layout of an algorithm and its output back costs."""
    return there * (a.x_layout == "nhwc") + back * (a.y_layout == "nhwc")


class Pool:
    """Scratch, and an input and an output array, for all convolutions of a session: one runs at a time.

    The arrays grow; `grown` counts how often, as what was compiled for smaller ones is of no use then.
    """

    __slots__ = ("grown", "lock", "memory", "ws")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ws = Workspace()
        self.memory = [raw(0), raw(0)]
        self.grown = 0

    def reserve(self, *sizes: int) -> None:
        """Make both arrays at least this large, in bytes."""
        for i, size in enumerate(sizes):
            if self.memory[i].nbytes < size + ALIGN:
                self.memory[i] = raw(size + ALIGN)
                self.grown += 1

    def array(self, i: int, shape: tuple[int, ...]) -> Array:
        """One of the two arrays, in single precision."""
        memory = self.memory[i]
        return np.ndarray(shape, np.float32, memory, -memory.ctypes.data % ALIGN)


class Ready:
    """A layer for one shape of its input, compiled for the arrays of a pool."""

    __slots__ = ("algorithm", "calls", "filled", "grown", "layer", "views", "x", "y")

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.algorithm = f"{layer.trial.algorithm.name} {layer.trial.algorithm.layout}"
        self.calls: list[Program] = []
        self.views: dict[int, Array] = {}
        self.grown = -1
        self.x: Any = None
        self.y: Any = None
        self.filled: Any = None

    def run(self, fill: Any, pool: Pool) -> Array:
        """The sums in the layout of the algorithm, in an array that the next run writes over.

        `fill(x)` writes the input to x: (N, C, *I).
        """
        if self.grown != pool.grown:
            self.compile(pool)
        fill(self.filled)
        for program in self.calls:
            for start in range(0, len(program), PORTION):
                checkpoint()
                for fn, args in program[start : start + PORTION] if start or len(program) > PORTION else program:
                    fn(*args)
        return np.asarray(self.y)

    def compile(self, pool: Pool) -> None:
        """Compile for the arrays that the pool has now."""
        g, a = self.layer.g, self.layer.trial.algorithm
        shapes = g.x_shape(a.x_layout), g.y_shape(a.y_layout)
        pool.reserve(*(4 * prod(shape) for shape in shapes))
        self.x, self.y = (pool.array(i, shape) for i, shape in enumerate(shapes))
        self.calls = self.layer.compile(self.x, self.y, pool.ws)
        self.filled = np.moveaxis(self.x, -1, 1) if a.x_layout == "nhwc" else self.x
        self.views.clear()
        self.grown = pool.grown

    def first(self, rank: int) -> Array:
        """The sums of the last run as (N, M, *O), a view, for inputs of `rank` dimensions."""
        found = self.views.get(rank)
        if found is None:
            g = self.layer.g
            y = np.moveaxis(self.y, -1, 1) if self.layer.trial.algorithm.y_layout == "nhwc" else self.y
            found = y.reshape(g.batch, g.m, *g.out[g.rank - rank + 2 :])
            if np.may_share_memory(found, self.y):
                self.views[rank] = found
        return found


class Convolution(Bound):
    """Conv, ConvTranspose or FusedConv. Half precision is computed in single precision and rounded once."""

    __slots__ = ("attrs", "end", "options", "plain", "pool", "ready", "weight")

    def __init__(self, node: Node, constants: list[Value], options: Options, plain: Any, end: Any = None) -> None:
        super().__init__("im2col")
        self.attrs = node.attrs
        self.options = options
        self.plain = plain
        self.end = end
        self.weight = constants[1]
        self.ready: dict[Any, Ready] = {}
        self.pool: Pool = options.pool or Pool()

    def __call__(self, inputs: list[Value]) -> list[Value]:
        """y: (N, M, *O)."""
        x, w = inputs[:2]
        if x.dtype not in (np.float32, np.float16) or not x.size or not w.size:
            return list(self.plain(self.attrs, inputs, 1))
        with self.pool.lock:
            ready = self.find(x, w)
            if ready is None:
                return list(self.plain(self.attrs, inputs, 1))
            self.algorithm = ready.algorithm
            ready.run(lambda to: np.copyto(to, x.reshape(to.shape)), self.pool)
            y: Any = ready.first(x.ndim)
            if len(inputs) > 2 and inputs[2] is not None:
                y = np.add(y, inputs[2].reshape(-1, *(1,) * (x.ndim - 2)), dtype=np.float32, order="C")
            else:
                y = y.copy()
        if self.end is not None:
            y = self.end(y, inputs)
        return [y.astype(x.dtype, copy=False)]

    def find(self, x: Array, w: Array) -> Ready | None:
        """The layer for inputs of this shape; None where nothing but the plain way applies."""
        constant = self.weight is not None
        found = self.ready.get(x.shape) if constant else None
        if found is None:
            try:
                g = geometry(x.shape, w.shape, self.attrs)
            except ShapeError:
                return None
            trial = pick(g, self.options, constant=constant)
            found = Ready(Layer(trial, g, w.astype(np.float32, copy=False)))
            if constant:
                release(w)
                while len(self.ready) >= KEPT:
                    self.ready.pop(next(iter(self.ready)))
                self.ready[x.shape] = found
        return found


class Integers(Bound):
    """QLinearConv, or with `scaled` false ConvInteger: sums of integers that single precision holds exactly."""

    __slots__ = ("attrs", "inner", "plain", "scaled", "weight")

    def __init__(self, node: Node, options: Options, plain: Any, weight: Array, *, scaled: bool) -> None:
        super().__init__("im2col")
        self.attrs = node.attrs
        self.plain = plain
        self.scaled = scaled
        self.weight = weight
        exact = Options(exact=True, threads=options.threads, tune=options.tune, pool=options.pool)
        self.inner = Convolution(node, [None, weight], exact, plain)

    def __call__(self, inputs: list[Value]) -> list[Value]:
        """The quantised outputs, or int32."""
        given: list[Any] = [*inputs, *[None] * (9 - len(inputs))]
        x, zero = given[0], given[2]
        bias = given[8] if self.scaled else None
        if not x.size or (bias is not None and np.abs(bias.astype(np.int64)).max(initial=0) > EXACT // 2):
            return list(self.plain(self.attrs, inputs, 1))
        with self.inner.pool.lock:
            ready = self.inner.find(x, self.weight)
            if ready is None:
                return list(self.plain(self.attrs, inputs, 1))
            g, trial = ready.layer.g, ready.layer.trial
            self.algorithm = ready.algorithm

            def fill(to: Array) -> None:
                if zero is not None and zero.any():
                    np.subtract(x.reshape(to.shape), np.float32(zero.reshape(())), out=to, dtype=np.float32)
                else:
                    np.copyto(to, x.reshape(to.shape))

            sums = ready.run(fill, self.inner.pool)
            out = np.empty(ready.first(x.ndim).shape, given[7].dtype if self.scaled else np.int32)
            if self.scaled:
                requantize(sums, out, g, given, last=trial.algorithm.y_layout == "nhwc")
            else:
                np.copyto(out, ready.first(x.ndim), casting="unsafe")
            return [out]


def requantize(sums: Array, out: Array, g: Geometry, given: list[Any], *, last: bool) -> None:
    """Bring the sums to the scale and type of the output, part by part. With `last` their channels are last."""
    scale, zero, bias = given[1] * given[4] / given[6], given[7], given[8]
    channels = (1, -1) if last else (-1, 1)
    factor = np.broadcast_to(scale.astype(np.float32).reshape(-1), (g.m,)).reshape(channels)
    added = None if bias is None else bias.astype(np.float32).reshape(channels)
    low, high = lowest_and_highest(zero.dtype)
    shift = np.float32(zero.reshape(()))
    target = out.reshape(g.batch, g.m, -1)
    for image in range(g.batch):
        rows = sums[image].reshape((-1, g.m) if last else (g.m, -1))
        goal = target[image].T if last else target[image]
        step = max(1, PART // rows.shape[1])
        for a in range(0, rows.shape[0], step):
            part = rows[a : a + step]
            here = slice(None) if last else slice(a, a + step)
            if added is not None:
                part += added if last else added[here]
            part *= factor if last else factor[here]
            np.rint(part, out=part)
            if shift:
                part += shift
            low(part, part)
            high(part, part)
            np.copyto(goal[a : a + step], part, casting="unsafe")


@lru_cache
def lowest_and_highest(dtype: Any) -> tuple[Any, Any]:
    """What keeps numbers within an integer type."""
    info = np.iinfo(dtype)
    return bounded(np.maximum, float(info.min)), bounded(np.minimum, float(info.max))


def integers(node: Node, constants: list[Value], options: Options, plain: Any, *, scaled: bool) -> Bound | None:
    """The fast form, where the weights are known and small enough that no sum leaves what float32 holds exactly."""
    given: list[Any] = [*constants, *[None] * (9 - len(constants))]
    w, zero = (given[3], given[5]) if scaled else (given[1], given[3])
    needs_zero = bool(len(node.inputs) > (5 if scaled else 3) and node.inputs[5 if scaled else 3])
    if w is None or (needs_zero and zero is None) or w.dtype.itemsize != 1:
        return None
    wide = w.astype(np.int32)
    if zero is not None:
        wide = wide - zero.astype(np.int32).reshape((-1,) + (1,) * (w.ndim - 1))
    if wide.size and np.abs(wide).reshape(wide.shape[0], -1).sum(axis=1).max() * 255 > EXACT // 2:
        return None
    return Integers(node, options, plain, wide.astype(np.float32), scaled=scaled)
