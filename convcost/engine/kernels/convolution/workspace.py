"""Scratch memory that is reused from layer to layer, and the threads that share a layer's tiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from itertools import pairwise, product
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Box = tuple[tuple[int, int], ...]
T = TypeVar("T")
ALIGN = 64


class Workspace:
    """One scratch buffer a thread, which grows on demand and stays warm in the cache between layers.

    `executor` runs `threads - 1` shares of every layer beside the calling thread; BLAS itself must be limited to one
    thread by the caller. A workspace serves one run at a time.
    """

    def __init__(self, threads: int = 1, executor: Executor | None = None) -> None:
        self.threads = threads if executor is not None else 1
        self.executor = executor
        self._buffers = [np.empty(0, np.uint8) for _ in range(self.threads)]

    def take(self, slot: int, dtype: npt.DTypeLike, *shapes: tuple[int, ...]) -> list[Array]:
        """Uninitialised arrays of these shapes for thread `slot`, side by side, valid until the next `take`."""
        kind = np.dtype(dtype)
        sizes = [_rounded(int(np.prod(s, dtype=np.int64)) * kind.itemsize) for s in shapes]
        need = sum(sizes) + ALIGN
        if self._buffers[slot].nbytes < need:
            self._buffers[slot] = np.empty(need, np.uint8)
        buffer = self._buffers[slot]
        start = -buffer.ctypes.data % ALIGN
        out = []
        for shape, size in zip(shapes, sizes, strict=True):
            out.append(np.ndarray(shape, kind, buffer, start))
            start += size
        return out

    def share(self, items: Sequence[T], work: Callable[[Sequence[T], int], None]) -> None:
        """Call `work(share, slot)` on one contiguous share of `items` for each thread, and wait for all."""
        n = min(self.threads, len(items))
        if n <= 1 or self.executor is None:
            work(items, 0)
            return
        cuts = [len(items) * i // n for i in range(n + 1)]
        others = [self.executor.submit(work, items[cuts[i] : cuts[i + 1]], i) for i in range(1, n)]
        try:
            work(items[: cuts[1]], 0)
        finally:
            for other in others:
                other.result()


def _rounded(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def scratch_size(dtype: npt.DTypeLike, *shapes: tuple[int, ...]) -> int:
    """Bytes that `Workspace.take` holds for these shapes on one thread."""
    item = np.dtype(dtype).itemsize
    return sum(_rounded(int(np.prod(s, dtype=np.int64)) * item) for s in shapes) + ALIGN


def boxes(extents: tuple[int, ...], limit: int, least: int = 1) -> list[Box]:
    """Cut a grid into boxes of at most `limit` points, each contiguous in C order, at least `least` boxes if it can.

    A box is a single index on the leading axes, a range on one axis, and everything on the axes after it.
    """
    total = int(np.prod(extents, dtype=np.int64))
    limit = max(1, min(limit, -(-total // least)))
    inner, axis = 1, len(extents) - 1
    while axis > 0 and inner * extents[axis] <= limit:
        inner *= extents[axis]
        axis -= 1
    size = extents[axis]
    count = -(-size // max(1, limit // inner))
    cuts = [size * i // count for i in range(count + 1)]
    tail = tuple((0, e) for e in extents[axis + 1 :])
    return [
        (*((p, p + 1) for p in prefix), (a, b), *tail)
        for prefix in product(*(range(e) for e in extents[:axis]))
        for a, b in pairwise(cuts)
    ]


def span(box: Box, extents: tuple[int, ...]) -> tuple[int, int]:
    """The flat C-order range of points that a box of `boxes` covers."""
    first, size = 0, 1
    for (a, b), e in zip(box, extents, strict=True):
        first = first * e + a
        size *= b - a
    return first, first + size
