"""Which algorithm a layer gets: by trial on real buffers, or by rule for a run that happens once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from time import perf_counter_ns

import numpy as np
import numpy.typing as npt

from convcost.engine.kernels.convolution.epilogue import epilogue
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.table import ALGORITHMS, LAST, Algorithm
from convcost.engine.kernels.convolution.workspace import Array, Program, Workspace, aligned

ROUNDS = 4
HOPELESS = 1.5
"""A candidate this many times slower than the best after one run is not run again."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate and its shortest run in seconds (None: not measured)."""

    algorithm: Algorithm
    tile: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates of a geometry, best first, and the seconds to bring its input or output to the other layout."""

    trials: tuple[Trial, ...]
    transpose_x: float = 0.0
    transpose_y: float = 0.0

    @property
    def best(self) -> Trial:
        return self.trials[0]

    def for_layout(self, x_layout: str, y_layout: str) -> Trial | None:
        """The best candidate between two layouts; None where no algorithm joins them."""
        for t in self.trials:
            if (t.algorithm.x_layout, t.algorithm.y_layout) == (x_layout, y_layout):
                return t
        return None


def candidates(g: Geometry, *, exact: bool = False) -> list[Algorithm]:
    """The algorithms that apply."""
    return [a for a in ALGORITHMS if (a.exact or not exact) and a.applies(g) is None]


def heuristic(g: Geometry, *, exact: bool = False, x_layout: str = LAST, y_layout: str = LAST) -> Trial | None:
    """A good candidate without a trial: the first of the table that suits, and its middle tile."""
    for a in candidates(g, exact=exact):
        if (a.x_layout, a.y_layout) == (x_layout, y_layout):
            return Trial(a, a.tiles[len(a.tiles) // 2])
    return None


_known: dict[tuple[Geometry, str, bool, int], Choice] = {}
_lock = threading.Lock()


def choose(
    g: Geometry, dtype: npt.DTypeLike = np.float32, *, exact: bool = False, workspace: Workspace | None = None
) -> Choice:
    """Try what applies, in every layout, on random arrays of the layer's size; remembered for the process.

    The runs of the candidates alternate, so that a busy moment of the machine does not fall on one of them.
    """
    ws = workspace or Workspace()
    key = (g, np.dtype(dtype).str, exact, ws.threads)
    if key not in _known:
        made = _measure(g, np.dtype(dtype), exact, ws)
        with _lock:
            _known[key] = made
    return _known[key]


def _measure(g: Geometry, dtype: np.dtype[np.generic], exact: bool, ws: Workspace) -> Choice:  # noqa: FBT001 - private
    rng = np.random.default_rng(0)
    shape = (g.c, g.mg, *g.kernel) if g.transposed else (g.m, g.cg, *g.kernel)
    w = rng.standard_normal(shape).astype(dtype)
    xs = {k: rng.standard_normal(g.x_shape(k)).astype(dtype) for k in ("nchw", "nhwc")}
    ys = {k: aligned(g.y_shape(k), dtype) for k in ("nchw", "nhwc")}
    end = epilogue(bias=np.zeros(g.m, dtype))
    ws.reserve(max(a.scratch(g, tile, dtype, ws.threads) for a in candidates(g, exact=exact) for tile in a.tiles))
    found: list[tuple[Trial, list[Program]]] = []
    for a in candidates(g, exact=exact):
        prepared = a.prepare(w, g)
        x, y = xs[a.x_layout], ys[a.y_layout]
        found += [(Trial(a, tile), a.compile(x, prepared, g, y, ws, end, tile)) for tile in a.tiles]
    times = [float("inf")] * len(found)
    for turn in range(ROUNDS):
        bound = min(times) * HOPELESS if turn else float("inf")
        for i, (_, programs) in enumerate(found):
            if times[i] > bound:
                continue
            begin = perf_counter_ns()
            ws.execute(programs)
            times[i] = min(times[i], (perf_counter_ns() - begin) * 1e-9)
    order = sorted(range(len(found)), key=times.__getitem__)
    return Choice(
        trials=tuple(Trial(found[i][0].algorithm, found[i][0].tile, times[i]) for i in order),
        transpose_x=_transposition(xs),
        transpose_y=_transposition(ys),
    )


def _transposition(arrays: dict[str, Array]) -> float:
    """Seconds to bring an array from channels last to channels first."""
    best = float("inf")
    for _ in range(2):
        begin = perf_counter_ns()
        np.copyto(arrays["nchw"], np.moveaxis(arrays["nhwc"], -1, 1))
        best = min(best, (perf_counter_ns() - begin) * 1e-9)
    return best
