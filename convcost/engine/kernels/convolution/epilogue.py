"""What happens to a finished tile while it is still in cache: bias, residual addition, activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from convcost.engine.kernels.convolution.workspace import Array, Program

Activation = Callable[[Array], object]
"""Changes an array in place, element by element."""
RUN = 8192
"""Elements of a repeated row: where rows are shorter, NumPy copies them to a buffer of this size first."""
FEW = 4 * RUN


@dataclass(frozen=True, slots=True)
class Epilogue:
    """y = activation(y + bias + addend), in place. `bias` has M elements; `addend` has the layout of the output.

    `wide` is the bias repeated to about 8,192 elements: with channels last, long runs make an addition fast.
    `floor`, of C elements, is for inputs: the least value of a channel, see `Geometry.floored`.
    """

    bias: Array | None = None
    wide: Array | None = None
    addend: Array | None = None
    activation: Activation | None = None
    floor: Array | None = None

    @property
    def idle(self) -> bool:
        return self.bias is None and self.addend is None and self.activation is None

    def unbiased(self) -> Epilogue:
        """The rest, for an algorithm that adds the bias itself."""
        return replace(self, bias=None, wide=None)

    def last(self, y: Array, start: int, stop: int) -> Program:
        """Finish rows `start` to `stop` of y: (positions, M), which may be some of the columns of a wider array."""
        program: Program = []
        tile = y[start:stop]
        dense = tile.flags.c_contiguous
        if self.bias is not None and not dense:
            program.append((np.add, (tile, self.bias, tile)))
        elif self.bias is not None and self.wide is not None:
            repeat = self.wide.size // self.bias.size
            whole = (stop - start) // repeat * repeat
            if whole:
                rows = tile[:whole].reshape(-1, self.wide.size)
                program.append((np.add, (rows, self.wide, rows)))
            if whole < stop - start:
                rest = tile[whole:].reshape(-1)
                program.append((np.add, (rest, self.wide[: rest.size], rest)))
        if self.addend is not None:
            program.append((np.add, (tile, self.addend.reshape(y.shape)[start:stop], tile)))
        if self.activation is not None:
            program.append((self.activation, (tile.reshape(-1) if dense else tile,)))
        return program

    def first(self, y: Array, image: int, start: int, stop: int) -> Program:
        """Finish columns `start` to `stop` of y[image]: (M, positions)."""
        program: Program = []
        tile = y[image, :, start:stop]
        if self.bias is not None:
            program.append((np.add, (tile, self.bias[:, None], tile)))
        if self.addend is not None:
            program.append((np.add, (tile, self.addend.reshape(y.shape)[image, :, start:stop], tile)))
        if self.activation is not None:
            program.append((self.activation, (tile,)))
        return program


def epilogue(bias: Array | None = None, addend: Array | None = None, activation: Activation | None = None) -> Epilogue:
    """An epilogue with its widened bias."""
    wide = None
    if bias is not None:
        bias = np.ascontiguousarray(bias)
        wide = np.tile(bias, max(1, RUN // max(1, bias.size)))
    return Epilogue(bias=bias, wide=wide, addend=addend, activation=activation)


def bounded(function: Callable[..., object], bound: float) -> Callable[[Array, Array], None]:
    """`function(x, bound)` to an output, for np.maximum or np.minimum and single precision.

    With a number NumPy's loop takes twice as long as with an array, so the number is repeated to a row that stays in
    the first-level cache. For few elements the row would have to be fetched first, which takes longer.
    """
    row = np.full(RUN, bound, np.float32)
    number = np.float32(bound)

    def run(x: Array, out: Array) -> None:
        size = x.size
        if x.dtype != np.float32 or not x.ndim:
            function(x, x.dtype.type(bound), out=out)
        elif x.flags.c_contiguous and out.flags.c_contiguous:
            a, b = x.reshape(-1), out.reshape(-1)
            whole = size - size % RUN if size >= FEW else 0
            if whole:
                function(a[:whole].reshape(-1, RUN), row, out=b[:whole].reshape(-1, RUN))
            if whole < size:
                function(a[whole:], number, out=b[whole:])
        elif x.shape[-1] <= RUN:
            function(x, row[: x.shape[-1]], out=out)
        else:
            function(x, number, out=out)

    return run


rectify = bounded(np.maximum, 0.0)


def relu(y: Array) -> None:
    """max(y, 0) in place."""
    rectify(y, y)
