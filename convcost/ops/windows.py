"""Windows that slide over spatial axes, shared by convolutions and pooling: attributes, defaults, automatic padding."""

from __future__ import annotations

from convcost.ir import Dim, Shape
from convcost.ops.base import Attrs, remembered, require, show
from convcost.window import effective_kernel, output_size, output_size_ceil, same_padding, same_size


class WindowAttrs(Attrs, frozen=True):
    """Attributes of a window. Empty sequences mean ONNX's defaults: stride 1, dilation 1, padding 0."""

    auto_pad: str = "NOTSET"
    dilations: tuple[int, ...] = ()
    kernel_shape: tuple[int, ...] = ()
    pads: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()


class Window(Attrs, frozen=True):
    """A window with every value spelled out, one entry a spatial axis."""

    kernel: Shape
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: Shape
    after: Shape


AUTO_PADS = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
MAX_SPATIAL = 32


def per_axis(values: tuple[int, ...], rank: int, default: int, least: int, what: str) -> tuple[int, ...]:
    """`values` for `rank` spatial axes, or the default; checked to be at least `least`."""
    if not values:
        return (default,) * rank
    require(len(values) == rank, f"{what} has {len(values)} values for {rank} spatial dimensions")
    for v in values:
        require(v >= least, f"{what} {v} is less than {least}")
    return values


@remembered
def window_of(a: WindowAttrs, spatial: Shape, kernel: Shape) -> Window:
    """The window of a convolution over `spatial`, with automatic padding worked out."""
    rank = len(kernel)
    strides = per_axis(a.strides, rank, 1, 1, "stride")
    dilations = per_axis(a.dilations, rank, 1, 1, "dilation")
    require(a.auto_pad in AUTO_PADS, f"auto_pad '{a.auto_pad[:40]}' is not one of {', '.join(AUTO_PADS)}")
    if a.auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        lower = a.auto_pad == "SAME_LOWER"
        both = [
            same_padding(i, k, s, d, lower=lower)
            for i, k, s, d in zip(spatial, kernel, strides, dilations, strict=True)
        ]
        return Window(
            kernel=kernel,
            strides=strides,
            dilations=dilations,
            before=tuple(b for b, _ in both),
            after=tuple(e for _, e in both),
        )
    pads = a.pads if a.auto_pad == "NOTSET" else ()
    require(len(pads) in (0, 2 * rank), f"pads has {len(pads)} values for {rank} spatial dimensions")
    pads = pads or (0,) * (2 * rank)
    return Window(kernel=kernel, strides=strides, dilations=dilations, before=pads[:rank], after=pads[rank:])


def window_sizes(a: WindowAttrs, spatial: Shape, win: Window, *, ceil: bool = False) -> Shape:
    """The output sizes of `win` over `spatial`; `ceil` rounds up. A window that does not fit raises `ShapeError`."""
    size = output_size_ceil if ceil else output_size
    out: list[Dim] = []
    for axis, (i, k, s, d, pb, pe) in enumerate(
        zip(spatial, win.kernel, win.strides, win.dilations, win.before, win.after, strict=True)
    ):
        o = same_size(i, s) if a.auto_pad.startswith("SAME") else size(i, k, s, d, pb, pe)
        if isinstance(o, int):
            require(
                o >= 1 or i == 0,
                f"the kernel {show(win.kernel)} (effective size {effective_kernel(k, d)}) is larger than "
                f"the padded input size {i + pb + pe} on spatial axis {axis}",
            )
            o = max(o, 0)
        out.append(o)
    return tuple(out)
