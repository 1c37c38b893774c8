"""Resampling of images: Resize, Upsample, GridSample, AffineGrid, and decoding."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convcost.errors import ShapeError, Unknown
from convcost.ir import MAX_VALUE, Dim, DType, Expr, Scalar, Shape, Tensor, ceildiv, scaled
from convcost.ops.base import (
    NOTHING,
    Attrs,
    Call,
    Op,
    Work,
    agree,
    axis_of,
    integers,
    products,
    require,
    show,
    typed,
    unknown,
)
from convcost.ops.folding import rounded

TAPS = {"nearest": 1, "linear": 2, "cubic": 4}
"""Input elements that an output is made from, along each resampled axis."""

POLICIES = ("stretch", "not_larger", "not_smaller")


class ResizeAttrs(Attrs, frozen=True):
    """Attributes of Resize and Upsample. `scales_input`: the input with the scales; `scales`: those of Upsample-7."""

    antialias: int = 0
    axes: tuple[int, ...] = ()
    coordinate_transformation_mode: str = "half_pixel"
    cubic_coeff_a: float = -0.75
    exclude_outside: int = 0
    extrapolation_value: float = 0.0
    keep_aspect_ratio_policy: str = "stretch"
    mode: str = "nearest"
    nearest_mode: str = "round_prefer_floor"
    scales_input: int = 2
    scales: tuple[float, ...] = ()


class GridAttrs(Attrs, frozen=True):
    """Attributes of GridSample and AffineGrid."""

    align_corners: int = 0
    mode: str = "linear"
    padding_mode: str = "zeros"


class DecoderAttrs(Attrs, frozen=True):
    """Attributes of ImageDecoder."""

    pixel_format: str = "RGB"


def resize_upgrade(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Resize of opset 10 has its scales as the second input and samples asymmetrically."""
    if version < 11:
        raw = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"} | raw | {"scales_input": 1}
    return raw


def upsample_upgrade(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Upsample has its scales as two attributes, one attribute, or (from opset 9) the second input."""
    raw = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"} | raw | {"scales_input": 1}
    if raw.get("mode") == "bilinear":
        raw["mode"] = "linear"
    if version < 7:
        raw["scales"] = (1.0, 1.0, raw.get("height_scale", 1.0), raw.get("width_scale", 1.0))
    return raw


def scale_number(v: Scalar | float) -> Fraction:
    """A scale as an exact fraction; it must be finite and above zero."""
    if isinstance(v, Expr):
        raise Unknown(f"the scale depends on {v}", needs=tuple(sorted(v.symbols)))
    try:
        out = Fraction(v)
    except (OverflowError, ValueError):
        raise ShapeError(f"the scale {v} is not a finite number") from None
    if out <= 0:
        raise ShapeError(f"the scale {v} is not positive")
    return out


def scales_of(call: Call) -> tuple[Fraction, ...] | None:
    """The scales, or None where they are left out or empty."""
    a = call.attrs
    if a.scales:
        return tuple(scale_number(v) for v in a.scales)
    t = call.optional(a.scales_input)
    if t is None or t.shape == (0,):
        return None
    if t.value is None:
        held = t.stored and t.shape is not None and isinstance(t.size, int) and t.size <= MAX_VALUE
        require(not held or t.payload is None or t.payload.external, "a scale is not a finite number (inf or NaN)")
        raise Unknown("the scales are computed from data and are not known before running")
    return tuple(scale_number(v) for v in t.value)


def by_scale(d: Dim, scale: Fraction) -> Dim:
    """floor(d · scale), the product rounded to float32 as runtimes compute it."""
    if isinstance(d, Expr):
        return scaled(d, scale)
    exact = rounded(rounded(Fraction(d), DType.FLOAT32) * scale, DType.FLOAT32)
    return exact.numerator // exact.denominator


def by_size(x: Shape, sizes: Shape, axes: tuple[int, ...], policy: str) -> Shape:
    """The sizes of `axes`; where the aspect ratio is kept, one scale for all: the smallest or largest that is asked.

    Scales and products are rounded to float32, as runtimes compute them; halves go up.
    """
    out = list(x)
    if policy == "stretch":
        for axis, size in zip(axes, sizes, strict=True):
            out[axis] = size
        return tuple(out)
    wanted = []
    for axis, size in zip(axes, sizes, strict=True):
        d = x[axis]
        if not isinstance(size, int) or not isinstance(d, int) or d == 0:
            raise Unknown("keeping the aspect ratio needs sizes that are numbers")
        wanted.append(rounded(Fraction(size, d), DType.FLOAT32))
    scale = min(wanted) if policy == "not_larger" else max(wanted)
    for axis in axes:
        d = x[axis]
        assert isinstance(d, int)
        exact = rounded(scale * d, DType.FLOAT32) + Fraction(1, 2)
        out[axis] = exact.numerator // exact.denominator
    return tuple(out)


def resize_shape(call: Call) -> tuple[Tensor, ...]:
    """X and scales, or sizes, for all axes or `axes` -> y: floor(x · scale), or the sizes."""
    x, a = call.x(0), call.attrs
    require(a.mode in TAPS, f"mode '{a.mode[:40]}' is not one of {', '.join(TAPS)}")
    require(a.keep_aspect_ratio_policy in POLICIES, f"keep_aspect_ratio_policy '{a.keep_aspect_ratio_policy[:40]}'")
    scales = scales_of(call)
    axes = tuple(axis_of(axis, x.rank) for axis in a.axes) or tuple(range(x.rank))
    require(len(set(axes)) == len(axes), "an axis is named twice")
    if scales is not None:
        require(len(scales) == len(axes), f"there are {len(scales)} scales for {len(axes)} axes")
        out = list(x.dims)
        for axis, scale in zip(axes, scales, strict=True):
            out[axis] = by_scale(out[axis], scale)
        return (typed(x, tuple(out)),)
    sizes = integers(call.x(3), "the list of sizes") if call.has(3) else ()
    require(bool(sizes) or not axes, "neither scales nor sizes are given")
    require(len(sizes) == len(axes), f"there are {len(sizes)} sizes for {len(axes)} axes")
    for size in sizes:
        require(not isinstance(size, int) or size >= 0, f"the size {size} is negative")
    return (typed(x, by_size(x.dims, sizes, axes, a.keep_aspect_ratio_policy)),)


def resize_cost(call: Call) -> Work:
    """Resize, Upsample. x -> y, resampled along the axes whose size changes.

    Counted: for each output t multiplications by a coefficient and t - 1 additions, where t is the product over the
    resampled axes of 2 (linear) or 4 (cubic); with antialias, along an axis that shrinks, ceil(t · I / O).
    Not counted: coordinates and coefficients; nearest only copies.
    Source: ONNX operators Resize and Upsample.
    """
    a = call.attrs
    if a.mode == "nearest":
        return NOTHING
    taps: Dim = 1
    changed = False
    for i, o in zip(call.x(0).dims, call.y().dims, strict=True):
        if i == o:
            continue
        changed = True
        wide = a.antialias and isinstance(i, int) and isinstance(o, int) and 0 < o < i
        taps = taps * (ceildiv(TAPS[a.mode] * i, o) if wide else TAPS[a.mode])
    if not changed:
        return NOTHING
    n = call.y().size
    return Work(multiplications=n * taps, additions=n * (taps - 1))


def grid_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), grid: (N, *O, rank) -> y: (N, C, *O)."""
    x, grid = call.x(0), call.x(1)
    require(x.rank >= 3, f"GridSample needs an input of at least 3 dimensions, not {show(x.dims)}")
    require(grid.rank == x.rank, f"the grid {show(grid.dims)} needs {x.rank} dimensions as the input {show(x.dims)}")
    agree(grid.dims[-1], x.rank - 2, f"the grid {show(grid.dims)} does not hold {x.rank - 2} coordinates")
    n = agree(x.dims[0], grid.dims[0], f"the batch of {show(x.dims)} and of the grid {show(grid.dims)} differ")
    return (typed(x, (n, x.dims[1], *grid.dims[1:-1])),)


def grid_mode(_: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Before opset 20 the modes are called bilinear and bicubic."""
    mode = raw.get("mode")
    return raw | {"mode": {"bilinear": "linear", "bicubic": "cubic"}.get(mode, mode)} if isinstance(mode, str) else raw


def grid_cost(call: Call) -> Work:
    """GridSample. x: (N, C, *I), grid: (N, *O, rank) -> y: (N, C, *O).

    Counted: for each output t multiplications by a coefficient and t - 1 additions, t = 2^rank (linear) or 4^rank
    (cubic); for each coordinate of the grid one multiplication and one addition (to pixels).
    Not counted: coefficients and padding; nearest only copies.
    Source: ONNX operator GridSample.
    """
    mode = call.attrs.mode
    require(mode in TAPS, f"mode '{mode[:40]}' is not one of {', '.join(TAPS)}")
    points = call.x(1).size
    work = Work(multiplications=points, additions=points)
    if mode == "nearest":
        return work
    taps, n = TAPS[mode] ** (call.x(0).rank - 2), call.y().size
    return work + Work(multiplications=n * taps, additions=n * (taps - 1))


def affine_shape(call: Call) -> tuple[Tensor, ...]:
    """theta: (N, r, r + 1), size: (N, C, *I) -> grid: (N, *I, r)."""
    theta = call.x(0)
    size = integers(call.x(1), "the size of the grid")
    require(len(size) in (4, 5), f"the size has {len(size)} values, not 4 (N, C, H, W) or 5 (N, C, D, H, W)")
    rank = len(size) - 2
    require(theta.rank == 3, f"theta {show(theta.dims)} needs 3 dimensions")
    agree(theta.dims[1], rank, f"theta {show(theta.dims)} is not for {rank} spatial dimensions")
    return (typed(theta, (size[0], *size[2:], rank)),)


def affine_cost(call: Call) -> Work:
    """AffineGrid. theta: (N, r, r + 1), size: (N, C, *I) -> grid: (N, *I, r).

    Counted: N·ΠI·r·(r + 1) multiply-accumulates: each point of the base grid times theta.
    Not counted: the base grid, which is the same for all batches.
    Source: ONNX operator AffineGrid.
    """
    grid = call.y()
    return products(grid.size * (grid.dims[-1] + 1))


def decoder_shape(call: Call) -> tuple[Tensor, ...]:
    """A file of bytes -> (H, W, C): the file says how large."""
    require(call.x(0).shape is None or call.x(0).rank == 1, "the encoded image must be a vector of bytes")
    return (unknown("the size of an encoded image is known only when it is decoded", DType.UINT8),)


def decoder_cost(_: Call) -> Work:
    """ImageDecoder. bytes -> image: (H, W, C).

    Not counted: decoding, which has no fixed arithmetic; the node is reported as not counted.
    Source: ONNX operator ImageDecoder.
    """
    raise Unknown("decoding an image has no fixed amount of arithmetic")


OPS = (
    Op("Resize", ResizeAttrs, resize_shape, resize_cost, "resize", (1, 4), upgrade=resize_upgrade),
    Op("Upsample", ResizeAttrs, resize_shape, resize_cost, "resize", (1, 2), upgrade=upsample_upgrade),
    Op("GridSample", GridAttrs, grid_shape, grid_cost, "resize", (2, 2), upgrade=grid_mode),
    Op("AffineGrid", GridAttrs, affine_shape, affine_cost, "resize", (2, 2)),
    Op("ImageDecoder", DecoderAttrs, decoder_shape, decoder_cost, "resize", (1, 1)),
    Op("GridSample", GridAttrs, grid_shape, grid_cost, "resize", (2, 2), domain="com.microsoft", upgrade=grid_mode),
)
