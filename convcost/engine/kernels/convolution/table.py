"""The table of algorithms: one literal row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy.typing as npt

from convcost.engine.kernels.convolution import (
    depthwise,
    fft,
    gemm,
    im2col,
    pointwise,
    transposed,
    winograd,
    work,
)
from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.workspace import Array, Program, Workspace

KB = 1024
MB = 1024 * KB


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One way to compute a convolution from an `x_layout` input to a `y_layout` output.

    applies(g)                          None, or why this geometry cannot be computed this way
    prepare(w, g)                       the weights (M, C/g, *K) in the form that `compile` reads, made once
    weight_bytes(g)                     what that form takes
    scratch(g, tile, dtype, threads)    bytes of scratch a thread
    compile(x, prepared, g, y, workspace, epilogue, tile)
                                        a program for each thread, which writes all of y whenever `Workspace.execute`
                                        runs it: later runs read these same arrays
    tiles       tile sizes in bytes worth trying
    work(g)     a rough prediction of the time, see `work.py`
    shuffles    can deal out the output channels of groups, `Geometry.shuffled`
    floors      can raise its inputs, `Geometry.floored`
    exact       only reorders the sum of products, so that the error is that of a direct sum
    """

    name: str
    x_layout: str
    y_layout: str
    applies: Callable[[Geometry], str | None]
    prepare: Callable[[Array, Geometry], Any]
    weight_bytes: Callable[[Geometry], int]
    scratch: Callable[[Geometry, int, npt.DTypeLike, int], int]
    compile: Callable[[Array, Any, Geometry, Array, Workspace, Epilogue, int], list[Program]]
    tiles: tuple[int, ...]
    work: Callable[[Geometry], float]
    exact: bool = True
    shuffles: bool = False
    floors: bool = False

    @property
    def form(self) -> tuple[object, ...]:
        """Equal for algorithms that read the same form of the weights."""
        if isinstance(self.prepare, partial):
            return self.prepare.func, *sorted(self.prepare.keywords.items())
        return (self.prepare,)

    @property
    def layout(self) -> str:
        """`nhwc`, or `nchw->nhwc` where the output has another layout than the input."""
        return self.x_layout if self.x_layout == self.y_layout else f"{self.x_layout}->{self.y_layout}"


def plain(g: Geometry) -> str | None:
    """Anything but a transposed convolution."""
    return "transposed" if g.transposed else None


FIRST, LAST = "nchw", "nhwc"
_POINT = (256 * KB, MB, 4 * MB)
_COLS = (512 * KB, 2 * MB)
_LAYOUTS = ((LAST, LAST), (FIRST, FIRST), (FIRST, LAST), (LAST, FIRST))


def _products(
    name: str,
    module: Any,
    applies: Callable[[Geometry], str | None],
    scratch: Any,
    tiles: tuple[int, ...],
    cost: Callable[[Geometry], float],
) -> tuple[Algorithm, ...]:
    """An algorithm that is one matrix product a tile, in the four combinations of layouts."""
    return tuple(
        Algorithm(
            name,
            a,
            b,
            applies,
            partial(gemm.for_last if b == LAST else gemm.for_first, taps_first=a == LAST),
            gemm.bytes_last if b == LAST else gemm.bytes_first,
            scratch,
            partial(module.to_last if b == LAST else module.to_first, first=a == FIRST),
            tiles,
            cost,
            shuffles=module is pointwise and b == FIRST,
        )
        for a, b in _LAYOUTS
    )


def _winograd(alpha: int) -> tuple[Algorithm, ...]:
    """Winograd with tiles of α inputs an axis."""
    return tuple(
        Algorithm(
            f"winograd-f{alpha - 2}",
            x_layout,
            LAST,
            partial(winograd.applies, alpha=alpha),
            partial(winograd.prepare, alpha=alpha),
            partial(winograd.weight_bytes, alpha=alpha),
            partial(winograd.scratch, alpha=alpha),
            partial(winograd.compiled, alpha=alpha, first=x_layout == FIRST),
            (700 * KB, 3 * MB, 12 * MB),
            partial(work.winograd, alpha=alpha),
            exact=False,
        )
        for x_layout in (LAST, FIRST)
    )


def _phases(layout: str) -> Algorithm:
    """Sub-pixel phases in one layout."""
    return Algorithm(
        "phases",
        layout,
        layout,
        transposed.applies,
        partial(transposed.prepare_phases, layout=layout),
        partial(transposed.phase_bytes, layout=layout),
        transposed.phase_scratch,
        partial(transposed.by_phases, layout=layout),
        _COLS,
        work.transposed,
    )


ALGORITHMS: tuple[Algorithm, ...] = (
    *_products("pointwise", pointwise, pointwise.applies, pointwise.scratch, _POINT, work.pointwise),
    *(
        Algorithm(
            "depthwise",
            a,
            b,
            depthwise.applies,
            depthwise.prepare,
            depthwise.weight_bytes,
            depthwise.scratch,
            partial(depthwise.compiled, x_first=a == FIRST, y_first=b == FIRST),
            (256 * KB, MB),
            partial(work.depthwise, moves=(a == FIRST) + (b == FIRST)),
            shuffles=b == FIRST,
            floors=True,
        )
        for a, b in _LAYOUTS
    ),
    *_winograd(6),
    *_winograd(4),
    Algorithm(
        "fft",
        FIRST,
        FIRST,
        fft.applies,
        fft.prepare,
        fft.weight_bytes,
        fft.scratch,
        fft.compiled,
        (0,),
        work.fft,
        exact=False,
    ),
    _phases(LAST),
    _phases(FIRST),
    Algorithm(
        "col2im",
        LAST,
        LAST,
        transposed.applies,
        transposed.prepare_columns,
        transposed.column_bytes,
        transposed.column_scratch,
        transposed.by_columns,
        _COLS,
        work.col2im,
    ),
    *_products("im2col", im2col, plain, im2col.scratch, _COLS, work.im2col),
)
"""Every algorithm."""
