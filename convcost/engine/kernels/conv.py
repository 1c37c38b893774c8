"""Conv and ConvTranspose, fast.

One call, arrays as ONNX has them (channels first):

    y = conv(x, w, b, ConvAttrs(strides=(2, 2)))

Plan once, run many, in either layout (`nchw` channels first, `nhwc` channels last, at any rank):

    ws = Workspace(threads)                       # one for a whole network; BLAS must be limited to one thread
    g = geometry(x_shape, w_shape, attrs)         # from the channels-first shapes
    choice = choose(g, np.float32, workspace=ws)  # timed trials, remembered; or heuristic(g, x_layout=…, y_layout=…)
    trial = choice.best                           # or choice.for_layout("nhwc", "nhwc"); .seconds, .algorithm, .tile
    layer = Layer(trial, g, w, b, relu)           # weights and bias prepared
    layer(x, y, ws, addend=None)                  # y = relu(conv(x, w) + b + addend), all of y is written

`choose(…, layouts=(("nhwc", "nhwc"),))` tries only these pairs of input and output layout, which is faster.
Outputs should begin at a multiple of 64 bytes (`aligned`): vector stores that cross a cache line are slow.
Keep the arrays of a layer from run to run: a call with the arrays of the last call only runs what that one compiled, a
list of NumPy calls on ready-made views. `ws.reserve(bytes)` with the largest `algorithm.scratch(…)` comes first.

x must be contiguous with the shape g.x_shape(layout), y with g.y_shape(layout): a one-dimensional layer has a leading
spatial axis of 1 there, which `reshape` gives. `choice.transpose_x` and `transpose_y` are the seconds that bringing the
input or the output from one layout to the other costs. `trial.algorithm.layout` and `.name` are for the report.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from convcost.engine.kernels.convolution import parts
from convcost.engine.kernels.convolution.choose import Choice, Trial, candidates, choose, heuristic
from convcost.engine.kernels.convolution.epilogue import Activation, epilogue, relu
from convcost.engine.kernels.convolution.geometry import Geometry, geometry
from convcost.engine.kernels.convolution.table import ALGORITHMS, Algorithm
from convcost.engine.kernels.convolution.workspace import Array, Program, Workspace, aligned, execute
from convcost.ops.conv import ConvAttrs

__all__ = [
    "ALGORITHMS",
    "Activation",
    "Algorithm",
    "Choice",
    "Geometry",
    "Layer",
    "Trial",
    "Workspace",
    "aligned",
    "candidates",
    "choose",
    "conv",
    "geometry",
    "heuristic",
    "relu",
]


class Layer:
    """A convolution with its algorithm chosen and its weights prepared.

    w: (M, C/g, *K), or (C, M/g, *K) for a transposed convolution; b: (M) or None; floor: (C) where the geometry is
    floored. Calls with the same arrays as the
    last one run what it compiled; other arrays are compiled first, which takes some tens of microseconds a tile.
    """

    __slots__ = ("_arrays", "_programs", "end", "g", "prepared", "shares", "trial")

    def __init__(
        self,
        trial: Trial,
        g: Geometry,
        w: Array,
        b: Array | None = None,
        activation: Activation | None = None,
        floor: Array | None = None,
    ) -> None:
        shape = (g.c, g.mg, *g.kernel) if g.transposed else (g.m, g.cg, *g.kernel)
        self.trial = trial
        self.g = g
        self._arrays: tuple[Any, ...] = ()
        self._programs: list[Program] = []
        self.shares: list[tuple[tuple[int, int], Layer]] = []
        if trial.shares > 1:
            one = replace(trial, shares=1)
            for part in parts.ranges(g, trial.shares):
                here = slice(*part)
                own = Layer(one, parts.part_of(g, part), w[here], None if b is None else b[here], activation)
                self.shares.append((part, own))
            return
        self.prepared: Any = trial.algorithm.prepare(w.reshape(shape), g)
        if g.shuffled == g.group and b is not None:
            b = b.reshape(g.group, g.mg).T.reshape(-1)
        self.end = replace(epilogue(b, None, activation), floor=floor)

    def __call__(self, x: Array, y: Array, ws: Workspace, addend: Array | None = None) -> None:
        """Write activation(conv(x) + b + addend) to y, in the layouts of the algorithm."""
        arrays = (x, y, ws, addend)
        if len(self._arrays) != 4 or any(a is not b for a, b in zip(arrays, self._arrays, strict=True)):
            self._programs = self.compile(x, y, ws, addend)
            self._arrays = arrays
        execute(self._programs)

    def compile(self, x: Array, y: Array, ws: Workspace, addend: Array | None = None) -> list[Program]:
        """The programs of this layer on these very arrays, one for each share."""
        if self.shares:
            layout, programs = self.trial.algorithm.y_layout, []
            for slot, (part, layer) in enumerate(self.shares):
                more = None if addend is None else parts.channels(addend, part, layout)
                programs += layer.compile(x, parts.channels(y, part, layout), ws.alone(slot, 0), more)
            return programs
        end = self.end if addend is None else replace(self.end, addend=addend)
        return self.trial.algorithm.compile(x, self.prepared, self.g, y, ws, end, self.trial.tile)


def conv(
    x: Array,
    w: Array,
    b: Array | None,
    attrs: ConvAttrs,
    *,
    activation: Activation | None = None,
    exact: bool = False,
    workspace: Workspace | None = None,
) -> Array:
    """Conv, or ConvTranspose for `ConvTransposeAttrs`. x: (N, C, *I) -> (N, M, *O), channels first.

    Half precision is computed in float32 and rounded once. Raises ShapeError.
    """
    g = geometry(x.shape, w.shape, attrs)
    kind = x.dtype
    work = kind if kind in (np.float32, np.float64) else np.dtype(np.float32)
    y = np.empty(g.y_shape("nchw"), work)
    if y.size and x.size:
        trial = heuristic(g, exact=exact, x_layout="nchw", y_layout="nchw")
        assert trial is not None
        layer = Layer(
            trial, g, w.astype(work, copy=False), None if b is None else b.astype(work, copy=False), activation
        )
        source = np.ascontiguousarray(x, work).reshape(g.x_shape("nchw"))
        layer(source, y, workspace or Workspace())
    return y.reshape(g.batch, g.m, *g.out[g.rank - x.ndim + 2 :]).astype(kind, copy=False)
