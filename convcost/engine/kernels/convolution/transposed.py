"""Transposed convolution: by sub-pixel phases, or by one matrix product whose columns are added up (col2im).

Phases: the outputs o with (o + pad) mod s = r read only the taps k with d·k mod s = r, so each of the Πs phases is an
ordinary convolution of stride 1 on the input, with a flipped part of the kernel; its outputs are interleaved.
Source: W. Shi et al., "Is the deconvolution layer the same as a convolutional layer?", arXiv:1609.07009.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from math import gcd, prod

import numpy as np
import numpy.typing as npt

from convcost.engine.kernels.convolution import gemm, im2col, pointwise
from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry, extent
from convcost.engine.kernels.convolution.workspace import Array, Program, Workspace, boxes, scratch_size


def applies(g: Geometry) -> str | None:
    """None, or why not."""
    return None if g.transposed else "not transposed"


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase on every axis: its first output, its taps, and the convolution that gives its outputs."""

    first: tuple[int, ...]
    taps: tuple[slice, ...]
    g: Geometry


def axis_phases(g: Geometry, j: int) -> list[tuple[int, slice, int, int, int, int]]:
    """Of axis j, for each residue with outputs: (first output, taps, how many, dilation, before, outputs)."""
    k, s, d, pad, size = g.kernel[j], g.strides[j], g.dilations[j], g.before[j], g.out[j]
    step, out = s // gcd(s, d), []
    for r in range(s):
        begin = -((r - pad) // s)
        first = begin * s + r - pad
        count = -(-(size - first) // s) if first < size else 0
        start = next((t for t in range(min(k, step)) if d * t % s == r), None)
        if count <= 0:
            continue
        if start is None:
            out.append((first, slice(0, 0), 0, 1, 0, count))
            continue
        taps, dilation = len(range(start, k, step)), d // gcd(s, d)
        before = (taps - 1) * dilation + (d * start - r) // s - begin
        out.append((first, slice(start, None, step), taps, dilation, before, count))
    return out


def phases(g: Geometry) -> list[Phase]:
    """Every phase with outputs; one without taps has a geometry of kernel 0."""
    out = []
    for choice in product(*(axis_phases(g, j) for j in range(g.rank))):
        first, taps, kernel, dilations, before, counts = zip(*choice, strict=True)
        after = tuple(
            o - 1 + extent(k, d) - i - b
            for o, k, d, i, b in zip(counts, kernel, dilations, g.spatial, before, strict=True)
        )
        part = replace(
            g,
            kernel=kernel,
            strides=(1,) * g.rank,
            dilations=dilations,
            before=before,
            after=after,
            out=counts,
            transposed=False,
        )
        out.append(Phase(first, taps, part))
    return out


def prepare_phases(w: Array, g: Geometry, *, layout: str) -> list[Array | None]:
    """The prepared weights of each phase, from (C, M/g, *K); None for a phase without taps."""
    flip = (slice(None), slice(None), *(slice(None, None, -1),) * g.rank)
    out: list[Array | None] = []
    for phase in phases(g):
        if not phase.g.taps:
            out.append(None)
            continue
        part = w[(slice(None), slice(None), *phase.taps)][flip]
        grouped = part.reshape(g.group, g.cg, g.mg, *part.shape[2:]).swapaxes(1, 2)
        weights = grouped.reshape(g.m, g.cg, *part.shape[2:])
        first = layout == "nchw"
        out.append((gemm.for_first if first else gemm.for_last)(weights, phase.g, taps_first=not first))
    return out


def phase_bytes(g: Geometry, *, layout: str) -> int:
    """Bytes of the weights of all phases."""
    size = gemm.bytes_first if layout == "nchw" else gemm.bytes_last
    return sum(size(phase.g) for phase in phases(g))


def phase_scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int) -> int:
    """Bytes of scratch a thread: the outputs of a phase and what its convolution takes."""
    parts = [p.g for p in phases(g) if p.g.taps]
    return max(
        (scratch_size(dtype, (p.positions * g.m,)) + im2col.scratch(p, tile, dtype, threads) for p in parts), default=0
    )


def by_phases(
    x: Array,
    weights: list[Array | None],
    g: Geometry,
    y: Array,
    ws: Workspace,
    end: Epilogue,
    tile: int,
    *,
    layout: str,
) -> list[Program]:
    """X to y, both in `layout`. Phases, and not tiles, are what threads share."""
    head = (slice(None), slice(None)) if layout == "nchw" else (slice(None),)
    inner = end if end.addend is None else Epilogue(bias=end.bias, wide=end.wide)

    def share(part: Sequence[tuple[Phase, Array | None]], slot: int) -> Program:
        program: Program = []
        for phase, w in part:
            index = (*head, *(slice(f, None, s) for f, s in zip(phase.first, g.strides, strict=True)))
            target = y[index]
            if w is None:
                program.append((target.fill, (0,)))
                program += whole(
                    end, target, None if end.addend is None else end.addend.reshape(y.shape)[index], layout
                )
                continue
            skip = scratch_size(x.dtype, (target.size,))
            (made,) = ws.take(slot, x.dtype, target.shape)
            program += _convolution(phase.g, layout)(x, w, phase.g, made, ws.alone(slot, skip), inner, tile)[0]
            if end.addend is None:
                program.append((np.copyto, (target, made)))
            else:
                program.append((np.add, (made, end.addend.reshape(y.shape)[index], target)))
                program += [] if end.activation is None else [(end.activation, (target,))]
        return program

    return ws.share(list(zip(phases(g), weights, strict=True)), share)


def _convolution(g: Geometry, layout: str) -> Callable[..., list[Program]]:
    module = pointwise if pointwise.applies(g) is None else im2col
    first = layout == "nchw"
    return partial(module.to_first if first else module.to_last, first=first)


def whole(end: Epilogue, target: Array, addend: Array | None, layout: str) -> Program:
    """The epilogue on any view of an output, with its addend's matching view."""
    program: Program = []
    if end.bias is not None:
        bias = end.bias.reshape(-1, *(1,) * (target.ndim - 2)) if layout == "nchw" else end.bias
        program.append((np.add, (target, bias, target)))
    if addend is not None:
        program.append((np.add, (target, addend, target)))
    return program if end.activation is None else [*program, (end.activation, (target,))]


def prepare_columns(w: Array, g: Geometry) -> Array:
    """Weights (C, M/g, *K) as (g, C/g, ΠK, M/g)."""
    parts = w.reshape(g.group, g.cg, g.mg, g.taps).swapaxes(2, 3)
    return gemm.placed(parts, parts.shape)


def column_bytes(g: Geometry) -> int:
    """Bytes of `prepare_columns`."""
    return gemm.room_bytes(g.group, g.cg, g.taps, g.mg)


def channels(g: Geometry, tile: int, itemsize: int) -> int:
    """Output channels of a group computed at a time, so that their columns take about `tile` bytes."""
    return max(1, min(g.mg, tile // (prod(g.spatial) * g.taps * itemsize)))


def full_size(g: Geometry) -> tuple[int, ...]:
    """The output before it is cropped, large enough for every tap and for the output."""
    return tuple(
        max((i - 1) * s + extent(k, d), pad + o)
        for i, s, k, d, pad, o in zip(g.spatial, g.strides, g.kernel, g.dilations, g.before, g.out, strict=True)
    )


def column_scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int) -> int:  # noqa: ARG001 - common form
    """Bytes of scratch a thread."""
    m = channels(g, tile, np.dtype(dtype).itemsize)
    return scratch_size(dtype, (prod(g.spatial), g.taps, m), (*full_size(g), m))


def by_columns(x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int) -> list[Program]:
    """x: (N, *I, C) to y: (N, *O, M), some output channels of one image at a time."""
    size, step = prod(g.spatial), channels(g, tile, x.itemsize)
    source = x.reshape(g.batch, size, g.c)
    full = full_size(g)
    crop = tuple(slice(pad, pad + o) for pad, o in zip(g.before, g.out, strict=True))
    addend = None if end.addend is None else end.addend.reshape(y.shape)

    def share(part: Sequence[tuple[tuple[int, int], ...]], slot: int) -> Program:
        program: Program = []
        for (n, _), (q, _), (a, b) in part:
            columns, total = ws.take(slot, x.dtype, (size, g.taps, b - a), (*full, b - a))
            rows = source[n, :, q * g.cg : (q + 1) * g.cg]
            matrix = w[q, :, :, a:b]
            if b - a < g.mg:
                matrix = np.ascontiguousarray(matrix)
            program.append((np.matmul, (rows, matrix.reshape(g.cg, -1), columns.reshape(size, -1))))
            program.append((total.fill, (0,)))
            spread = columns.reshape(*g.spatial, g.taps, b - a)
            for t, tap in enumerate(product(*(range(k) for k in g.kernel))):
                place = total[
                    tuple(
                        slice(k * d, k * d + (i - 1) * s + 1, s)
                        for k, d, i, s in zip(tap, g.dilations, g.spatial, g.strides, strict=True)
                    )
                ]
                program.append((np.add, (place, spread[..., t, :], place)))
            here = (n, ..., slice(q * g.mg + a, q * g.mg + b))
            program.append((np.copyto, (y[here], total[crop])))
            bias = None if end.bias is None else end.bias[q * g.mg + a : q * g.mg + b]
            program += whole(replace(end, bias=bias), y[here], None if addend is None else addend[here], "nhwc")
        return program

    return ws.share(boxes((g.batch, g.group, g.mg), step, ws.threads), share)
