"""Which algorithm a layer gets: by trial on real buffers, or by rule for a run that happens once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from time import thread_time_ns

import numpy as np
import numpy.typing as npt

from convcost.engine.kernels.convolution import parts
from convcost.engine.kernels.convolution.epilogue import epilogue, relu
from convcost.engine.kernels.convolution.fft import SLOW
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.table import ALGORITHMS, LAST, Algorithm
from convcost.engine.kernels.convolution.workspace import Array, Program, Workspace, aligned, execute

Layouts = tuple[tuple[str, str], ...]
ROUNDS = 6
BUDGET = 0.3
"""Seconds after which no further round of trials begins."""
UNLIKELY = 2.5
"""Candidates with this many times the least predicted work of their layouts are not tried."""
HOPELESS = 1.5
"""Candidates this many times slower than the best of their layouts are not run again."""
FRUGAL = 1.04
"""A candidate that is slower than the best by less than this is taken where its weights are smaller."""
MANY = 2000
"""Calls of a program from which on it is made again for each trial."""
LARGE = 5
FEW_BYTES = 8 << 20
"""Candidates that enlarge the weights more than this are not tried, unless to no more than so many bytes."""
LEAN = 1.25
SLIGHT = 1 << 20
"""Where memory is short the weights of a candidate may take so many times their own bytes, and so many more."""


_only: ContextVar[str | None] = ContextVar("only", default=None)


@contextmanager
def forced(name: str | None) -> Iterator[None]:
    """A context in which convolutions take the algorithm of this name, where it can; None changes nothing."""
    token = _only.set(name)
    try:
        yield
    finally:
        _only.reset(token)


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate and its shortest run in seconds (None: not measured).

    With `shares`, so many threads share the output channels, each by this algorithm; else they share the positions.
    """

    algorithm: Algorithm
    tile: int
    seconds: float | None = None
    shares: int = 1

    @property
    def layouts(self) -> tuple[str, str]:
        return self.algorithm.x_layout, self.algorithm.y_layout

    def weight_bytes(self, g: Geometry) -> int:
        """Bytes of the prepared weights."""
        return parts.weight_bytes(self.algorithm, g, self.shares)

    def scratch(self, g: Geometry, dtype: npt.DTypeLike, threads: int) -> int:
        """Bytes of scratch a thread."""
        return parts.scratch(self.algorithm, g, self.tile, dtype, threads, self.shares)


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
        """The best candidate between two layouts; None where no algorithm joins them or none was tried."""
        return next((t for t in self.trials if t.layouts == (x_layout, y_layout)), None)

    def preferring(self, trial: Trial) -> Choice:
        """With this one first."""
        return replace(self, trials=(trial, *(t for t in self.trials if t is not trial)))

    def frugal(self, g: Geometry) -> Choice:
        """For each pair of layouts the candidate with the smallest weights among those about as fast as the best."""
        best: dict[tuple[str, str], Trial] = {}
        for t in self.trials:
            first = best.setdefault(t.layouts, t)
            close = (t.seconds or 0.0) <= FRUGAL * (first.seconds or 0.0)
            if t is not first and close and 2 * t.weight_bytes(g) <= first.weight_bytes(g):
                best[t.layouts] = replace(t, seconds=first.seconds)
        taken = {(id(t.algorithm), t.tile, t.shares) for t in best.values()}
        others = [t for t in self.trials if (id(t.algorithm), t.tile, t.shares) not in taken]
        order = sorted([*best.values(), *others], key=lambda t: t.seconds or 0.0)
        return replace(self, trials=tuple(order))


def candidates(
    g: Geometry, *, exact: bool = False, layouts: Layouts | None = None, lean: bool = False
) -> list[Algorithm]:
    """The algorithms that apply, between the given layouts of input and output or between any.

    `lean` leaves out those that would enlarge the weights.
    """
    most = LEAN * 4 * g.m * g.cg * g.taps + SLIGHT
    only = _only.get()
    return [
        a
        for a in ALGORITHMS
        if (a.exact or not exact)
        and only in (None, a.name)
        and (layouts is None or (a.x_layout, a.y_layout) in layouts)
        and (a.shuffles or not g.shuffled)
        and (a.floors or not g.floored)
        and a.applies(g) in ((None,) if only is None else (None, SLOW))
        and (not lean or a.weight_bytes(g) <= most)
    ]


def heuristic(
    g: Geometry,
    *,
    exact: bool = False,
    x_layout: str = LAST,
    y_layout: str = LAST,
    lean: bool = False,
    threads: int = 1,
) -> Trial | None:
    """The candidate with the least predicted work, and its middle tile; None where no algorithm joins the layouts."""
    found = candidates(g, exact=exact, layouts=((x_layout, y_layout),), lean=lean)
    if not found:
        return None
    best = min(found, key=lambda a: a.work(g))
    shares = threads if parts.divides(best, g, threads) and parts.heavy(g) else 1
    return Trial(best, best.tiles[len(best.tiles) // 2], shares=shares)


_known: dict[tuple[Geometry, str, bool, bool, int, Layouts | None, str | None], Choice] = {}
_lock = threading.Lock()


def choose(
    g: Geometry,
    dtype: npt.DTypeLike = np.float32,
    *,
    exact: bool = False,
    layouts: Layouts | None = None,
    lean: bool = False,
    workspace: Workspace | None = None,
) -> Choice:
    """Try what applies on random arrays of the layer's size; remembered for the process.

    `layouts` restricts the pairs of input and output layout that are tried. The runs of the candidates alternate, so
    that a busy moment of the machine does not fall on one of them. Raises ValueError where nothing applies.
    """
    ws = workspace or Workspace()
    kind = np.dtype(dtype)
    key = (g, kind.str, exact, lean, ws.threads, layouts, _only.get())
    if key not in _known:
        found = likely(g, candidates(g, exact=exact, layouts=layouts, lean=lean))
        if not found:
            raise ValueError(why_not(g, _only.get()))
        made = _measure(g, kind, found, ws).frugal(g)
        with _lock:
            _known[key] = made
    return _known[key]


def why_not(g: Geometry, only: str | None) -> str:
    """Why no algorithm, or none of the name that is forced, does this layer."""
    said = {a.applies(g) for a in ALGORITHMS if a.name == only} - {None, SLOW}
    return f"{only} does not do it: {', '.join(sorted(map(str, said)))}" if said else "no algorithm does it as asked"


def likely(g: Geometry, found: list[Algorithm]) -> list[Algorithm]:
    """Those whose predicted work is near the least between the same layouts, and whose weights are not far larger."""
    most = max(LARGE * 4 * g.m * g.cg * g.taps, FEW_BYTES, min((a.weight_bytes(g) for a in found), default=0))
    found = [a for a in found if a.weight_bytes(g) <= most]
    least: dict[tuple[str, str], float] = {}
    for a in found:
        pair = (a.x_layout, a.y_layout)
        least[pair] = min(least.get(pair, float("inf")), a.work(g))
    return [a for a in found if a.work(g) <= UNLIKELY * least[a.x_layout, a.y_layout]]


def _measure(g: Geometry, dtype: np.dtype[np.generic], found: list[Algorithm], ws: Workspace) -> Choice:
    rng = np.random.default_rng(0)
    shape = (g.c, g.mg, *g.kernel) if g.transposed else (g.m, g.cg, *g.kernel)
    w = _random(rng, shape, dtype)
    xs = {k: _random(rng, g.x_shape(k), dtype) for k in ("nchw", "nhwc")}
    ys = {k: aligned(g.y_shape(k), dtype) for k in ("nchw", "nhwc")}
    floor = np.zeros(g.c, dtype) if g.floored else None
    end = replace(epilogue(bias=np.zeros(g.m, dtype), activation=relu), floor=floor)
    trials = [
        Trial(a, tile, shares=n)
        for a in found
        for n in ((1, ws.threads) if parts.divides(a, g, ws.threads) else (1,))
        for tile in a.tiles
    ]
    ws.reserve(max(t.scratch(g, dtype, ws.threads) for t in trials))
    makers: list[Callable[[], list[Program]]] = []
    forms: dict[tuple[object, ...], object] = {}
    for t in trials:
        a, part = t.algorithm, parts.ranges(g, t.shares)[-1]
        own, form = parts.part_of(g, part), (a.form, t.shares)
        if form not in forms:
            forms[form] = a.prepare(w if t.shares == 1 else w[slice(*part)], own)
        ends = end if t.shares == 1 else replace(epilogue(bias=np.zeros(own.m, dtype), activation=relu), floor=floor)
        y, space = parts.channels(ys[a.y_layout], part, a.y_layout), ws if t.shares == 1 else ws.alone(0, 0)
        makers.append(partial(a.compile, xs[a.x_layout], forms[form], own, y, space, ends, t.tile))
    times = _race(trials, makers)
    order = sorted(range(len(trials)), key=times.__getitem__)
    return Choice(
        trials=tuple(replace(trials[i], seconds=times[i]) for i in order),
        transpose_x=_transposition(xs),
        transpose_y=_transposition(ys),
    )


def _random(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
    out = aligned(shape, dtype)
    rng.standard_normal(dtype=dtype.type, out=out)  # type: ignore[arg-type]
    return out


def _race(trials: list[Trial], makers: list[Callable[[], list[Program]]]) -> list[float]:
    """The shortest run of each, in seconds of the processor's time: of the longest share, for several threads.

    Programs of many calls are not kept from turn to turn, as together they would take more memory than the arrays.
    """
    times = [float("inf")] * len(trials)
    kept: dict[int, list[Program]] = {}
    start = thread_time_ns()
    for turn in range(ROUNDS):
        best: dict[tuple[str, str], float] = {}
        for t, seconds in zip(trials, times, strict=True):
            best[t.layouts] = min(best.get(t.layouts, float("inf")), seconds)
        for i, (t, make) in enumerate(zip(trials, makers, strict=True)):
            if turn and times[i] > HOPELESS * best[t.layouts]:
                kept.pop(i, None)
                continue
            program = kept[i] if i in kept else make()
            if sum(map(len, program)) < MANY:
                kept[i] = program
            longest = 0
            for share in program:
                begin = thread_time_ns()
                execute([share])
                longest = max(longest, thread_time_ns() - begin)
            times[i] = min(times[i], longest * 1e-9)
        if turn and (thread_time_ns() - start) * 1e-9 > BUDGET:
            break
    return times


def _transposition(arrays: dict[str, Array]) -> float:
    """Seconds to bring an array from channels last to channels first."""
    best = float("inf")
    for _ in range(2):
        begin = thread_time_ns()
        np.copyto(arrays["nchw"], np.moveaxis(arrays["nhwc"], -1, 1))
        best = min(best, (thread_time_ns() - begin) * 1e-9)
    return best
