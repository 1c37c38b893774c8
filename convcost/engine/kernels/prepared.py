"""Convolutions that run by themselves, outside of a compiled program: in bodies, with computed weights, on integers.

They get the algorithms of `conv`, and keep the prepared weights for the input shapes of the last runs.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from convcost.engine.kernels import Bound, Options, checkpoint
from convcost.engine.kernels.conv import Geometry, Layer, Trial, candidates, choose, geometry
from convcost.engine.kernels.convolution.work import TRANSPOSE
from convcost.engine.kernels.convolution.workspace import Array, Workspace, aligned
from convcost.engine.values import Value
from convcost.engine.weights import release
from convcost.errors import ShapeError
from convcost.ir import Node

KEPT = 4
"""Prepared weights are kept for this many shapes of the input."""
SMALL = 1 << 20
"""Bytes of input and output up to which both are kept with what was compiled for them."""
PORTION = 256
"""Calls between two looks at the time limit."""
EXACT = 1 << 24
"""Integers up to this are exact in single precision."""
MANY = 4096
"""Output positions from which on Winograd is worth preparing weights that change from run to run."""


def pick(g: Geometry, options: Options, *, constant: bool) -> Trial:
    """An algorithm from channels first: what bringing its outputs back costs counts."""
    exact = options.exact or not (constant or g.positions >= MANY)
    if options.tune and constant:
        found = choose(g, exact=exact, layouts=(("nchw", "nchw"), ("nchw", "nhwc")))
        moved = found.transpose_y
        return min(found.trials, key=lambda t: (t.seconds or 0.0) + moved * (t.algorithm.y_layout == "nhwc"))
    few = candidates(g, exact=exact, layouts=(("nchw", "nchw"), ("nchw", "nhwc")), lean=not constant)
    back = TRANSPOSE * g.positions * g.m
    best = min(few, key=lambda a: a.work(g) + back * (a.y_layout == "nhwc"))
    return Trial(best, best.tiles[len(best.tiles) // 2])


class Ready:
    """A layer for one shape of its input, and, where they are small, arrays that it is compiled for."""

    __slots__ = ("calls", "layer", "x", "y")

    def __init__(self, layer: Layer, ws: Workspace) -> None:
        self.layer = layer
        self.calls: Any = None
        self.x: Any = None
        self.y: Any = None
        g, a = layer.g, layer.trial.algorithm
        shapes = g.x_shape(a.x_layout), g.y_shape(a.y_layout)
        if 4 * sum(int(np.prod(s)) for s in shapes) <= SMALL:
            self.x, self.y = (aligned(s, np.float32) for s in shapes)
            self.calls = layer.compile(self.x, self.y, ws)

    def run(self, fill: Any, ws: Workspace) -> Array:
        """The sums (N, M, *O) in an array that the next run may write over; `fill(x)` writes the input."""
        g, a = self.layer.g, self.layer.trial.algorithm
        x, y, calls = self.x, self.y, self.calls
        if calls is None:
            x, y = aligned(g.x_shape(a.x_layout), np.float32), aligned(g.y_shape(a.y_layout), np.float32)
            calls = self.layer.compile(x, y, ws)
        fill(x)
        for program in calls:
            for start in range(0, len(program), PORTION):
                checkpoint()
                for fn, args in program[start : start + PORTION]:
                    fn(*args)
        return np.moveaxis(y, -1, 1) if a.y_layout == "nhwc" else y


class Convolution(Bound):
    """Conv, ConvTranspose or FusedConv. Half precision is computed in single precision and rounded once."""

    __slots__ = ("attrs", "end", "lock", "options", "plain", "ready", "weight", "ws")

    def __init__(self, node: Node, constants: list[Value], options: Options, plain: Any, end: Any = None) -> None:
        super().__init__("im2col")
        self.attrs = node.attrs
        self.options = options
        self.plain = plain
        self.end = end
        self.weight = constants[1]
        self.ready: dict[Any, Ready] = {}
        self.ws = Workspace()
        self.lock = threading.Lock()

    def __call__(self, inputs: list[Value]) -> list[Value]:
        """y: (N, M, *O)."""
        x, w = inputs[:2]
        if x.dtype not in (np.float32, np.float16) or not x.size or not w.size:
            return list(self.plain(self.attrs, inputs, 1))
        with self.lock:
            ready = self.find(x, w)
            if ready is None:
                return list(self.plain(self.attrs, inputs, 1))
            g, trial = ready.layer.g, ready.layer.trial
            self.algorithm = f"{trial.algorithm.name} {trial.algorithm.layout}"
            sums = ready.run(lambda to: np.copyto(to, x.reshape(to.shape)), self.ws)
            y: Any = sums.reshape(g.batch, g.m, *g.out[g.rank - x.ndim + 2 :])
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
            found = Ready(Layer(trial, g, w.astype(np.float32, copy=False)), self.ws)
            if constant:
                release(w)
                while len(self.ready) >= KEPT:
                    self.ready.pop(next(iter(self.ready)))
                self.ready[x.shape] = found
        return found


class Integers(Bound):
    """QLinearConv, or with `scaled` false ConvInteger: sums of integers that single precision holds exactly."""

    __slots__ = ("attrs", "inner", "lock", "plain", "scaled", "weight")

    def __init__(self, node: Node, options: Options, plain: Any, weight: Array, *, scaled: bool) -> None:
        super().__init__("im2col")
        self.attrs = node.attrs
        self.plain = plain
        self.scaled = scaled
        self.weight = weight
        exact = Options(exact=True, threads=options.threads, tune=options.tune)
        self.inner = Convolution(node, [None, weight], exact, plain)
        self.lock = threading.Lock()

    def __call__(self, inputs: list[Value]) -> list[Value]:
        """The quantised outputs, or int32."""
        given: list[Any] = [*inputs, *[None] * (9 - len(inputs))]
        x, zero = given[0], given[2]
        bias = given[8] if self.scaled else None
        if not x.size or (bias is not None and np.abs(bias.astype(np.int64)).max(initial=0) > EXACT // 2):
            return list(self.plain(self.attrs, inputs, 1))
        with self.lock:
            ready = self.inner.find(x, self.weight)
            if ready is None:
                return list(self.plain(self.attrs, inputs, 1))
            g, trial = ready.layer.g, ready.layer.trial
            self.algorithm = f"{trial.algorithm.name} {trial.algorithm.layout}"

            def fill(to: Array) -> None:
                np.copyto(to, x.reshape(to.shape))
                if zero is not None and zero.any():
                    to -= np.float32(zero.reshape(()))

            sums: Any = ready.run(fill, self.inner.ws).reshape(g.batch, g.m, *g.out[g.rank - x.ndim + 2 :])
            if not self.scaled:
                return [sums.astype(np.int32, order="C")]
            return [requantized(sums, given, bias)]


def requantized(sums: Any, given: list[Any], bias: Any) -> Array:
    """The sums, which are written over, in the scale and type of the output."""
    scale, zero = given[1] * given[4] / given[6], given[7]
    tail = (-1, *(1,) * (sums.ndim - 2))
    if bias is not None:
        np.add(sums, bias.astype(np.float32).reshape(tail), out=sums)
    np.multiply(sums, scale.reshape(tail) if scale.size > 1 else scale.reshape(()), out=sums, casting="same_kind")
    np.rint(sums, out=sums)
    np.add(sums, np.float32(zero.reshape(())), out=sums)
    info = np.iinfo(zero.dtype)
    np.clip(sums, info.min, info.max, out=sums)
    return np.asarray(sums.astype(zero.dtype, order="C"))


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
