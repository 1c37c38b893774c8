"""Scratch memory that is reused from layer to layer, compiled steps, and their shares for several threads."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice, pairwise, product
from math import prod
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Box = tuple[tuple[int, int], ...]
Step = tuple[Callable[..., Any], tuple[Any, ...]]
Program = list[Step]
"""Calls on arrays that are already views of the right parts: nothing is worked out while they run."""
T = TypeVar("T")
ALIGN = 64
MAPPED = 256 * 1024
HUGE = 4 * 1024 * 1024
"""Bytes from which on pages of 2 MB are asked for: fewer misses where the processor looks up addresses."""


class Workspace:
    """One scratch buffer a thread, which grows on demand and stays warm in the cache between layers.

    Layers are cut into as many shares as there are threads, see `static.team`. A workspace serves one run at a time.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._buffers = [raw(0) for _ in range(self.threads)]

    @property
    def held(self) -> int:
        """Bytes of scratch of all threads."""
        return sum(buffer.nbytes for buffer in self._buffers)

    def reserve(self, size: int) -> None:
        """Make every thread's scratch at least `size` bytes, so that compiling layers never replaces it."""
        for slot, buffer in enumerate(self._buffers):
            if buffer.nbytes < size:
                self._buffers[slot] = raw(size)

    def take(self, slot: int, dtype: npt.DTypeLike, *shapes: tuple[int, ...]) -> list[Array]:
        """Uninitialised arrays of these shapes for thread `slot`, side by side; every `take` gives the same memory."""
        kind = np.dtype(dtype)
        sizes = [_rounded(prod(s) * kind.itemsize) for s in shapes]
        need = sum(sizes) + ALIGN
        if self._buffers[slot].nbytes < need:
            self._buffers[slot] = raw(need)
        buffer = self._buffers[slot]
        start = -buffer.ctypes.data % ALIGN
        out = []
        for shape, size in zip(shapes, sizes, strict=True):
            out.append(np.ndarray(shape, kind, buffer, start))
            start += size
        return out

    def alone(self, slot: int, skip: int) -> Workspace:
        """A workspace of one thread in the scratch of thread `slot`, beyond the first `skip` bytes."""
        one = Workspace()
        one._buffers = [self._buffers[slot][skip:]]
        return one

    def share(self, items: Sequence[T], compile_share: Callable[[Sequence[T], int], Program]) -> list[Program]:
        """The programs `compile_share(share, slot)` of one contiguous share of `items` for each thread."""
        n = max(1, min(self.threads, len(items)))
        cuts = [len(items) * i // n for i in range(n + 1)]
        return [compile_share(items[a:b], i) for i, (a, b) in enumerate(pairwise(cuts))]


def execute(programs: Sequence[Program], start: int = 0, stop: int | None = None) -> None:
    """Run calls `start` to `stop` of programs, one program after the other."""
    for program in programs:
        for fn, args in islice(program, start, stop):
            fn(*args)


def aligned(shape: tuple[int, ...], dtype: npt.DTypeLike, *, common: bool = False) -> Array:
    """An uninitialised array that begins at a multiple of 64 bytes; `common` to this process and its forks."""
    kind = np.dtype(dtype)
    buffer = raw(prod(shape) * kind.itemsize + ALIGN, common=common)
    return np.ndarray(shape, kind, buffer, -buffer.ctypes.data % ALIGN)


def raw(size: int, *, common: bool = False) -> Array:
    """Uninitialised bytes. Many of them are a mapping of their own, which the system has back once they are free.

    An allocator keeps some of what it is given back: measured peaks would be above predicted ones.
    """
    if (size < MAPPED and not common) or not hasattr(mmap, "MAP_ANONYMOUS"):
        return np.empty(size, np.uint8)
    try:
        memory = mmap.mmap(-1, size, flags=(mmap.MAP_SHARED if common else mmap.MAP_PRIVATE) | mmap.MAP_ANONYMOUS)
    except OSError:
        raise MemoryError(f"{size} bytes cannot be had") from None
    if size >= HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint8)


def _rounded(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def scratch_size(dtype: npt.DTypeLike, *shapes: tuple[int, ...]) -> int:
    """Bytes that `Workspace.take` holds for these shapes on one thread."""
    item = np.dtype(dtype).itemsize
    return sum(_rounded(prod(s) * item) for s in shapes) + ALIGN


def boxes(extents: tuple[int, ...], limit: int, least: int = 1) -> list[Box]:
    """Cut a grid into boxes of at most `limit` points, each contiguous in C order; a multiple of `least`, if it can.

    A box is a single index on the leading axes, a range on one axis, and everything on the axes after it.
    """
    axis, count = cut(extents, limit, least)
    cuts = [extents[axis] * i // count for i in range(count + 1)]
    tail = tuple((0, e) for e in extents[axis + 1 :])
    return [
        (*((p, p + 1) for p in prefix), (a, b), *tail)
        for prefix in product(*(range(e) for e in extents[:axis]))
        for a, b in pairwise(cuts)
    ]


def cut(extents: tuple[int, ...], limit: int, least: int) -> tuple[int, int]:
    """The axis on which the boxes of `boxes` are ranges, and how many of these there are."""
    few = max(1, min(limit, -(-prod(extents) // least)))
    inner, axis = 1, len(extents) - 1
    while axis > 0 and inner * extents[axis] <= few:
        inner *= extents[axis]
        axis -= 1
    size = extents[axis]
    count = -(-size // max(1, limit // inner))
    if prod(extents[:axis]) % least:  # else some threads would have a box more than others
        count = min(size, -(-count // least) * least)
    return axis, count


def largest(extents: tuple[int, ...], limit: int, least: int = 1) -> Box:
    """A box of the most points among those of `boxes`, without making all of them."""
    axis, count = cut(extents, limit, least)
    return (*((0, 1),) * axis, (0, -(-extents[axis] // count)), *((0, e) for e in extents[axis + 1 :]))


def span(box: Box, extents: tuple[int, ...]) -> tuple[int, int]:
    """The flat C-order range of points that a box of `boxes` covers."""
    first, size = 0, 1
    for (a, b), e in zip(box, extents, strict=True):
        first = first * e + a
        size *= b - a
    return first, first + size


def lengths(box: Box) -> tuple[int, ...]:
    """How many points a box has on each axis."""
    return tuple(b - a for a, b in box)


def index(*parts: Any) -> Any:
    """An index of slices and numbers."""
    return parts


def slices(box: Box) -> tuple[slice, ...]:
    """The box as an index."""
    return tuple(slice(a, b) for a, b in box)
