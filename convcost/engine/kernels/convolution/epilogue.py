"""What happens to a finished tile while it is still in cache: bias, residual addition, activation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from convcost.engine.kernels.convolution.workspace import Array, Program

Activation = Callable[[Array], object]
"""Changes an array in place, element by element."""
RUN = 8192
"""Elements of a repeated row: where rows are shorter, NumPy copies them to a buffer of this size first."""
LONG, MANY = 384, 3 * RUN
"""Elements of rows that are long enough for a call of NumPy's inner loop each; of arrays for which it is worthwhile."""
LEAST = 16
"""The smallest buffer that NumPy can be given."""
TIED = int(np.__version__.split(".", 1)[0]) > 1
"""Whether the size of the buffer is part of what `np.errstate` has back at its end."""


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
            program += acting(self.activation, tile.reshape(-1) if dense else tile)
        return program

    def first(self, y: Array, image: int, start: int, stop: int) -> Program:
        """Finish columns `start` to `stop` of y[image]: (M, positions)."""
        program: Program = []
        tile = y[image, :, start:stop]
        if self.bias is not None:
            program += by_row([(np.add, self.bias)], tile, tile)
        if self.addend is not None:
            program.append((np.add, (tile, self.addend.reshape(y.shape)[image, :, start:stop], tile)))
        if self.activation is not None:
            program += acting(self.activation, tile)
        return program


def epilogue(bias: Array | None = None, addend: Array | None = None, activation: Activation | None = None) -> Epilogue:
    """An epilogue with its widened bias."""
    wide = None
    if bias is not None:
        bias = np.ascontiguousarray(bias)
        wide = np.tile(bias, max(1, RUN // max(1, bias.size)))
    return Epilogue(bias=bias, wide=wide, addend=addend, activation=activation)


def along(function: Callable[..., object], x: Array, row: Array, out: Array) -> Program:
    """Calls of function(x, row) to an output: contiguous arrays of one shape, and a row that repeats.

    Whole rows are one call and what is left another, so that both operands of NumPy's loop are long and contiguous:
    np.maximum of an array and a number takes two to three times as long.
    """
    a, b = x.reshape(-1), out.reshape(-1)
    whole = a.size - a.size % row.size
    program: Program = []
    if whole:
        program.append((partial(function, out=b[:whole].reshape(-1, row.size)), (a[:whole].reshape(-1, row.size), row)))
    if whole < a.size:
        program.append((partial(function, out=b[whole:]), (a[whole:], row[: a.size - whole])))
    return program


def by_row(steps: Sequence[tuple[Callable[..., object], Array]], x: Array, out: Array) -> Program:
    """Calls of each function on x and its column, to an output; x: (rows, positions)."""
    program: Program = []
    for function, column in steps:
        program.append((partial(function, out=out), (x, column[:, None])))
        x = out
    most = RUN if out.flags.c_contiguous else RUN // 4  # what repeats along longer lines NumPy does not copy
    worth = TIED and LONG <= out.shape[1] < most and out.size >= MANY
    return [(unbuffered, (program,))] if worth else program


def unbuffered(calls: Program) -> None:
    """Calls of ufuncs that may not take rows together: what repeats would be copied to NumPy's buffer."""
    with np.errstate():  # at its end the buffer has its size back
        np.setbufsize(LEAST)
        for fn, args in calls:
            fn(*args)


def bounded(function: Callable[..., object], bound: float) -> Callable[[Array, Array], None]:
    """`function(x, bound)` to an output, for np.maximum or np.minimum; see `along` for single precision."""
    row = np.full(RUN, bound, np.float32)
    number = np.float32(bound)

    def run(x: Array, out: Array) -> None:
        if x.dtype != np.float32 or not x.ndim:
            function(x, x.dtype.type(bound), out=out)
        elif x.flags.c_contiguous and out.flags.c_contiguous:
            if x.size <= RUN:
                function(x.reshape(-1), row[: x.size], out=out.reshape(-1))
                return
            for fn, args in along(function, x, row, out):
                fn(*args)
        elif x.shape[-1] <= RUN:
            function(x, row[: x.shape[-1]], out=out)
        else:
            function(x, number, out=out)

    return run


rectify = bounded(np.maximum, 0.0)
ZEROS = np.zeros(8 * RUN, np.float32)
"""What pieces of this size are compared with in one call: two lines of memory to read are faster than eight calls."""


def relu(y: Array) -> None:
    """max(y, 0) in place."""
    rectify(y, y)


def acting(activation: Activation, x: Array, y: Array | None = None) -> Program:
    """The calls of an activation on x in place, or to y."""
    out = x if y is None else y
    if activation is relu and x.flags.c_contiguous and out.flags.c_contiguous:
        return along(np.maximum, x, ZEROS, out)
    before: Program = [] if out is x or np.may_share_memory(x, out) else [(np.copyto, (out, x))]
    return [*before, (activation, (out,))]
