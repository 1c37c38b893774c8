"""Convolution by the fast Fourier transform, for kernels so large that products of spectra are fewer.

Channels first, stride 1 inside (a stride takes every s-th output). The sums over channels become complex matrix
products, one for each frequency. Not `exact`: the error is that of the transforms, about 1e-6 of the largest value in
float32.
Source: M. Mathieu, M. Henaff, Y. LeCun, "Fast training of convolutional networks through FFTs", arXiv:1312.5851.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod

import numpy as np
import numpy.typing as npt

from convcost.engine.kernels.convolution.epilogue import Epilogue
from convcost.engine.kernels.convolution.geometry import Geometry, extent
from convcost.engine.kernels.convolution.slab import fill_slab
from convcost.engine.kernels.convolution.workspace import Array, Program, Workspace, index, scratch_size

LEAST_TAPS = 25

SLOW = "the kernel is small"
"""Said of a kernel that could be transformed but never is the faster for it."""


def applies(g: Geometry) -> str | None:
    """None, or why not."""
    if g.transposed:
        return "transposed"
    return SLOW if g.taps < LEAST_TAPS else None


def good_length(n: int) -> int:
    """The least length of at least n without prime factors over 5, which transforms fast."""
    while True:
        rest = n
        for p in (2, 3, 5):
            while rest % p == 0:
                rest //= p
        if rest == 1:
            return n
        n += 1


def padded_size(g: Geometry) -> tuple[int, ...]:
    """The input with its padding, as far as outputs read it."""
    return tuple((o - 1) * s + extent(k, d) for o, s, k, d in zip(g.out, g.strides, g.kernel, g.dilations, strict=True))


def lengths_of(g: Geometry) -> tuple[int, ...]:
    """Lengths of the transforms. Outputs that wrap around are those before the first one read, so no more is needed."""
    return tuple(good_length(n) for n in padded_size(g))


def prepare(w: Array, g: Geometry) -> Array:
    """The spectra of the flipped weights, as (frequencies, g, C/g, M/g)."""
    size = lengths_of(g)
    axes = tuple(range(2, 2 + g.rank))
    spread = np.zeros((*w.shape[:2], *(extent(k, d) for k, d in zip(g.kernel, g.dilations, strict=True))), w.dtype)
    spread[index(..., *(slice(None, None, d) for d in g.dilations))] = w
    spectra = np.fft.rfftn(np.flip(spread, axes), size, axes)
    parts = spectra.reshape(g.group, g.mg, g.cg, -1).transpose(3, 0, 2, 1)
    return np.ascontiguousarray(parts.astype(complex_of(w.dtype)))


def weight_bytes(g: Geometry) -> int:
    """Bytes of the spectra."""
    size = lengths_of(g)
    return 8 * prod(size[:-1]) * (size[-1] // 2 + 1) * g.m * g.cg


def complex_of(dtype: npt.DTypeLike) -> npt.DTypeLike:
    """The complex type of a real one."""
    return np.complex64 if np.dtype(dtype) == np.float32 else np.complex128


def scratch(g: Geometry, tile: int, dtype: npt.DTypeLike, threads: int) -> int:  # noqa: ARG001 - the common signature
    """Bytes of scratch a thread, the spectra that NumPy allocates by itself included."""
    size = lengths_of(g)
    return scratch_size(dtype, (g.c, *padded_size(g))) + 4 * scratch_size(complex_of(dtype), (g.c + g.m, *size))


def compiled(x: Array, w: Array, g: Geometry, y: Array, ws: Workspace, end: Epilogue, tile: int) -> list[Program]:  # noqa: ARG001 - the common signature
    """x: (N, C, *I) to y: (N, M, *O), one image at a time."""
    flat = y.reshape(g.batch, g.m, -1)

    def share(part: Sequence[int], slot: int) -> Program:
        program: Program = []
        for n in part:
            size = padded_size(g)
            (slab,) = ws.take(slot, x.dtype, (g.c, *size))
            ranges = tuple((-pad, n_ - pad) for pad, n_ in zip(g.before, size, strict=True))
            program += fill_slab(x[n], ranges, 1, slab)
            program.append((partial(convolve, slab, w, g, y[n]), ()))
            program += end.first(flat, n, 0, flat.shape[2])
        return program

    return ws.share(range(g.batch), share)


def convolve(slab: Array, w: Array, g: Geometry, out: Array) -> None:
    """out: (M, *O) = the valid outputs of slab: (C, *padded) with the spectra w."""
    size, axes = lengths_of(g), tuple(range(1, 1 + g.rank))
    spectra = np.fft.rfftn(slab, size, axes)
    left = spectra.astype(w.dtype, copy=False).reshape(g.group, 1, g.cg, -1).transpose(3, 0, 1, 2)
    products = np.matmul(np.ascontiguousarray(left), w)
    shape = (g.m, *spectra.shape[1:])
    full = np.fft.irfftn(np.ascontiguousarray(products.reshape(prod(shape[1:]), g.m).T).reshape(shape), size, axes)
    starts = (extent(k, d) - 1 for k, d in zip(g.kernel, g.dilations, strict=True))
    np.copyto(
        out,
        full[
            index(
                slice(None),
                *(slice(a, a + (o - 1) * s + 1, s) for a, o, s in zip(starts, g.out, g.strides, strict=True)),
            )
        ],
        casting="same_kind",
    )
