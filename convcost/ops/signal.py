"""Fourier transforms and what belongs to them."""

from __future__ import annotations

from typing import Any

from convcost.ir import Dim, DType, Shape, Tensor, floordiv, product
from convcost.ops.base import NOTHING, Attrs, Call, Op, Work, axis_of, integers, joins, require, show, typed


class DftAttrs(Attrs, frozen=True):
    """Attributes of DFT; `axis` is an attribute below opset 20."""

    inverse: int = 0
    onesided: int = 0
    axis: int = -2


class StftAttrs(Attrs, frozen=True):
    """Attributes of STFT."""

    onesided: int = 1


class MelAttrs(Attrs, frozen=True):
    """Attributes of MelWeightMatrix."""

    output_datatype: int = 1


def dft_upgrade(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Below opset 20 the axis is an attribute, 1 by default."""
    return {"axis": 1} | raw if version < 20 else raw


def one(t: Tensor, what: str) -> Dim:
    """The one integer that a tensor holds."""
    values = integers(t, what)
    require(len(values) == 1, f"{what} must be one integer, not {len(values)}")
    return values[0]


def dft_sizes(call: Call) -> tuple[int, Dim, Dim]:
    """(axis, length L of the transform, number of outputs along the axis)."""
    x, a = call.x(0), call.attrs
    require(x.rank >= 2, f"DFT needs an input of at least 2 dimensions, not {show(x.dims)}")
    parts_of(x.dims)
    axis = a.axis
    if call.has(2):
        given = one(call.x(2), "the axis")
        require(isinstance(given, int), "the axis must be a number")
        axis = given if isinstance(given, int) else 0
    axis = axis_of(axis, x.rank)
    require(axis != x.rank - 1, f"axis {axis} is the one of real and imaginary parts")
    d = x.dims[axis]
    back = a.inverse and a.onesided
    length = one(call.x(1), "the length of the transform") if call.has(1) else (d - 1) * 2 if back else d
    require(not isinstance(length, int) or length >= 1, f"the length of the transform {length} is less than 1")
    return axis, length, floordiv(length, 2) + 1 if a.onesided and not back else length


def parts_of(x: Shape) -> int:
    """1 for real, 2 for complex input."""
    require(x[-1] in (1, 2), f"the last dimension of {show(x)} is not 1 (real) or 2 (complex)")
    return 1 if x[-1] == 1 else 2


def dft_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, L, …, 1 or 2) -> y: (…, L or L/2 + 1, …, 2), or (…, L, …, 1) for the inverse of a one-sided transform."""
    x = call.x(0)
    axis, _, bins = dft_sizes(call)
    out = list(x.dims)
    out[axis] = bins
    out[-1] = 1 if call.attrs.inverse and call.attrs.onesided else 2
    return (typed(x, tuple(out)),)


def sums_of(length: Dim, bins: Dim, parts: int, *, real: bool = False) -> Work:
    """`bins` sums of `length` products with roots of unity; `parts` 2 for complex input, `real` for real output."""
    if real:
        return Work(multiplications=bins * length * 2, additions=bins * length + bins * joins(length))
    if parts == 1:
        return Work(multiplications=bins * length * 2, additions=bins * joins(length) * 2)
    return Work(multiplications=bins * length * 4, additions=bins * length * 2 + bins * joins(length) * 2)


def dft_cost(call: Call) -> Work:
    """DFT. x: (…, 1 or 2), transforms of length L with K outputs -> y: Σ x[n] · exp(-2πi·kn/L).

    Counted: by the definition, for each output L products with a root of unity and their sum: 2 multiplications each
    for real input, 4 multiplications and 2 additions for complex, L - 1 complex additions; inverse: one division for
    each real number.
    Not counted: the roots of unity. A fast transform of length 2^n does about 5·L·n operations instead.
    Source: ONNX operator DFT.
    """
    x = call.x(0).dims
    axis, length, bins = dft_sizes(call)
    batch = product(d for i, d in enumerate(x[:-1]) if i != axis)
    back = bool(call.attrs.inverse)
    real = back and bool(call.attrs.onesided)
    work = sums_of(length, bins, parts_of(x), real=real).times(batch)
    return work + Work(divisions=batch * bins * (1 if real else 2)) if back else work


def stft_sizes(call: Call) -> tuple[Dim, Dim, Dim]:
    """(frames, frame length L, outputs of each)."""
    x = call.x(0)
    require(x.rank in (2, 3), f"STFT needs a signal of rank 3, not {show(x.dims)}")
    length = x.dims[1]
    if call.has(3):
        length = one(call.x(3), "the frame length")
    elif call.has(2):
        length = call.x(2).dims[0]
    step = one(call.x(1), "the frame step")
    for v, what in ((step, "frame step"), (length, "frame length")):
        require(not isinstance(v, int) or v >= 1, f"the {what} {v} is less than 1")
    frames = floordiv(x.dims[1] - length, step) + 1
    require(
        not isinstance(frames, int) or frames >= 0, f"the frame of {length} is longer than the signal {show(x.dims)}"
    )
    return frames, length, floordiv(length, 2) + 1 if call.attrs.onesided else length


def stft_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (B, N, 1 or 2), step, window: (L) -> y: (B, frames, L or L/2 + 1, 2)."""
    x = call.x(0)
    frames, _, bins = stft_sizes(call)
    return (typed(x, (x.dims[0], frames, bins, 2)),)


def stft_cost(call: Call) -> Work:
    """STFT. x: (B, N, 1 or 2), step, window: (L) -> y: (B, F, K, 2).

    Counted: for each of the B·F frames DFT of length L with K outputs, and one multiplication for each real number of
    the frame for a window.
    Source: ONNX operator STFT.
    """
    x = call.x(0).dims
    frames, length, bins = stft_sizes(call)
    parts = parts_of(x) if len(x) == 3 else 1
    window = Work(multiplications=length * parts if call.has(2) else 0)
    return (sums_of(length, bins, parts) + window).times(x[0] * frames)


def mel_shape(call: Call) -> tuple[Tensor, ...]:
    """Number of bands B, length L of the transform -> y: (L/2 + 1, B)."""
    bands, length = one(call.x(0), "the number of bands"), one(call.x(1), "the length of the transform")
    for v in (bands, length):
        require(not isinstance(v, int) or v >= 0, f"the size {v} is negative")
    return (typed(call.x(0), (floordiv(length, 2) + 1, bands), dtype=DType.from_code(call.attrs.output_datatype)),)


def mel_cost(_: Call) -> Work:
    """MelWeightMatrix. number of bands B, length L of the transform -> y: (L/2 + 1, B).

    Counted: nothing.
    Not counted: making the matrix, which follows from five numbers.
    Source: ONNX operator MelWeightMatrix.
    """
    return NOTHING


OPS = (
    Op("DFT", DftAttrs, dft_shape, dft_cost, "signal", (1, 3), upgrade=dft_upgrade),
    Op("STFT", StftAttrs, stft_shape, stft_cost, "signal", (2, 4)),
    Op("MelWeightMatrix", MelAttrs, mel_shape, mel_cost, "signal", (5, 5)),
)
