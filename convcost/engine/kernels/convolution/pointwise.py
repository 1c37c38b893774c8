"""A 1×1 convolution of stride 1 without padding: one matrix product on the input itself, without a copy.

Any rank, group and combination of layouts. Tiles of positions are finished while they are in cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from convcost.engine.kernels.convolution import gemm
from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry
from convcost.engine.kernels.convolution.workspace import Array, Box, Program, Workspace, boxes, scratch_size


def applies(g: Geometry) -> str | None:
    """None, or why not."""
    if g.transposed:
        return "transposed"
    if g.taps != 1:
        return "the kernel is larger than 1"
    if max(g.strides) > 1:
        return "strided"
    return "padded" if g.padded else None


def limit(g: Geometry, tile: int, itemsize: int) -> int:
    """Positions in a tile whose outputs take about `tile` bytes."""
    return max(1, tile // (g.m * itemsize))


def scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int) -> int:  # noqa: ARG001 - common signature
    """Bytes of scratch a thread."""
    places = min(limit(g, tile, np.dtype(dtype).itemsize), g.positions)
    return scratch_size(dtype, (places, g.m)) if g.c > gemm.PART else 0


def to_last(
    x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, first: bool
) -> list[Program]:
    """x, channels first or last, to y: (N, *O, M); w: (g, C/g, M/g)."""
    size = prod(g.out)
    flat = y.reshape(g.positions, g.m)
    source = x.reshape(g.batch, g.c, size) if first else x.reshape(1, g.positions, g.c)

    def share(part: Sequence[Box], slot: int) -> Program:
        program: Program = []
        for (n, _), (a, b) in part:
            start, stop = (n * size + a, n * size + b) if first else (a, b)
            if first:
                rows = source[n].reshape(g.group, g.cg, size)[:, :, a:b].transpose(0, 2, 1)
            else:
                rows = source[0, a:b].reshape(b - a, g.group, g.cg).transpose(1, 0, 2)
            if g.group == 1 and gemm.splits(b - a, g.c, g.m) > 1:
                (spare,) = ws.take(slot, x.dtype, (b - a, g.m))
                program += gemm.split_product(rows[0], w[0], flat[start:stop], spare)
            else:
                program += gemm.product(rows, w, gemm.last_out(flat, g, start, stop))
            program += end.last(flat, start, stop)
        return program

    grid = (g.batch, size) if first else (1, g.positions)
    return ws.share(boxes(grid, min(limit(g, tile, x.itemsize), grid[1]), ws.threads), share)


def to_first(
    x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int, *, first: bool
) -> list[Program]:
    """x, channels first or last, to y: (N, M, *O); w: (g, M/g, C/g). The channels can be shuffled without a copy."""
    size = prod(g.out)
    flat = y.reshape(g.batch, g.m, size)
    groups = flat.reshape(g.batch, g.mg, g.group, size).swapaxes(1, 2)
    if not g.shuffled:
        groups = flat.reshape(g.batch, g.group, g.mg, size)
    source = x.reshape(g.batch, g.c, size) if first else x.reshape(g.batch, size, g.c).transpose(0, 2, 1)

    def share(part: Sequence[Box], slot: int) -> Program:  # noqa: ARG001 - every product lands in the output
        program: Program = []
        for (n, _), (a, b) in part:
            if g.group == 1:
                program.append((np.matmul, (w[0], source[n, :, a:b], flat[n, :, a:b])))
            else:
                columns = source[n].reshape(g.group, g.cg, size)[:, :, a:b]
                program.append((np.matmul, (w, columns, groups[n, :, :, a:b])))
            program += end.first(flat, n, a, b)
        return program

    return ws.share(boxes((g.batch, size), min(limit(g, tile, x.itemsize), size), ws.threads), share)
