"""Memory by lifetime: arrays that do not live at the same time share a block."""

from __future__ import annotations

import numpy as np

from convcost.engine.kernels.convolution.workspace import aligned
from convcost.engine.values import Array


class Arena:
    """Blocks that are taken and given back while a program is laid out, and allocated once at the end.

    Taking prefers the smallest free block that is large enough, else the largest is made larger.
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.free: list[int] = []
        self.memory: list[Array] = []

    def take(self, nbytes: int) -> int:
        """The number of a block of at least `nbytes`."""
        fitting = [b for b in self.free if self.sizes[b] >= nbytes]
        if fitting:
            block = min(fitting, key=lambda b: self.sizes[b])
        elif self.free:
            block = max(self.free, key=lambda b: self.sizes[b])
            self.sizes[block] = nbytes
        else:
            self.sizes.append(nbytes)
            return len(self.sizes) - 1
        self.free.remove(block)
        return block

    def give(self, block: int) -> None:
        """The block may be taken again."""
        self.free.append(block)

    @property
    def nbytes(self) -> int:
        return sum(self.sizes)

    def allocate(self, *, common: bool = False) -> None:
        """Reserve the memory of all blocks; `common` to this process and its forks."""
        for size in self.sizes:
            self.memory.append(aligned((size,), np.uint8, common=common))

    def array(self, block: int, shape: tuple[int, ...]) -> Array:
        """A block as a float32 array."""
        count = 4 * int(np.prod(shape, dtype=np.int64))
        return self.memory[block][:count].view(np.float32).reshape(shape)
