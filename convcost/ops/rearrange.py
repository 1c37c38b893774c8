"""Operators that rearrange blocks of an image or a sequence."""

from __future__ import annotations

from convcost.ir import Dim, Expr, Tensor, floordiv, product
from convcost.ops.base import Attrs, Call, Op, Work, axis_of, free, integers, require, show, typed
from convcost.window import output_size


class BlockAttrs(Attrs, frozen=True):
    """Side of a block, and the order of its elements."""

    blocksize: int
    mode: str = "DCR"


class ReverseSequenceAttrs(Attrs, frozen=True):
    """Axes of time and batch."""

    batch_axis: int = 1
    time_axis: int = 0


class TriluAttrs(Attrs, frozen=True):
    """Which triangle stays."""

    upper: int = 1


class Col2ImAttrs(Attrs, frozen=True):
    """The sliding window; empty sequences mean 1, 0 and 1."""

    dilations: tuple[int, ...] = ()
    pads: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()


def image(call: Call) -> tuple[Dim, Dim, Dim, Dim, int]:
    """(N, C, H, W, blocksize), checked."""
    x, b = call.x(0), call.attrs.blocksize
    require(x.rank == 4, f"the input {show(x.dims)} has rank {x.rank}, not 4")
    require(b >= 1, f"blocksize {b} is less than 1")
    n, c, h, w = x.dims
    return n, c, h, w, b


def depth_to_space_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, H, W) -> y: (N, C / b², H · b, W · b)."""
    n, c, h, w, b = image(call)
    require(not isinstance(c, int) or c % (b * b) == 0, f"{c} channels are no multiple of blocksize {b} squared: dim")
    return (typed(call.x(0), (n, floordiv(c, b * b), h * b, w * b)),)


def space_to_depth_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, H, W) -> y: (N, C · b², H / b, W / b)."""
    n, c, h, w, b = image(call)
    for d in (h, w):
        require(not isinstance(d, int) or d % b == 0, f"size {d} is no multiple of blocksize {b}")
    return (typed(call.x(0), (n, c * b * b, floordiv(h, b), floordiv(w, b))),)


def reverse_sequence_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, T, …, N, …), lengths: (N) -> y: like x."""
    x, lengths, a = call.x(0), call.x(1), call.attrs
    require(x.rank >= 2, f"the input {show(x.dims)} has rank {x.rank}, less than 2")
    batch, time = axis_of(a.batch_axis, x.rank, "batch_axis"), axis_of(a.time_axis, x.rank, "time_axis")
    require(batch != time, f"batch_axis and time_axis are both axis {batch}")
    if lengths.shape is not None:
        n = x.dims[batch]
        fits = len(lengths.shape) == 1 and (lengths.shape[0] == n or isinstance(n, Expr))
        require(fits or isinstance(lengths.shape[0], Expr), f"the lengths {show(lengths.shape)} mismatch batch {n}")
    return (typed(x, x.dims),)


def trilu_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, N, M) -> y: like x."""
    x = call.x(0)
    require(x.rank >= 2, f"the input {show(x.dims)} has rank {x.rank}, less than 2")
    return (typed(x, x.dims),)


def col2im_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C · ΠK, L), image: I, block: K -> y: (N, C, *I), where L windows of K fit into the padded I."""
    x, a = call.x(0), call.attrs
    size, block = integers(call.x(1), "image_shape"), integers(call.x(2), "block_shape")
    rank = len(block)
    require(x.rank == 3, f"the input {show(x.dims)} has rank {x.rank}, not 3")
    require(len(size) == rank, f"image_shape has {len(size)} values, block_shape {rank}: mismatch")
    n, channels, windows = x.dims
    area = product(block)
    require(area != 0, "block_shape has a size of zero")
    if isinstance(channels, int) and isinstance(area, int):
        require(channels % area == 0, f"{channels} channels are no multiple of the block size {area}")
    strides, dilations, pads = a.strides or (1,) * rank, a.dilations or (1,) * rank, a.pads or (0,) * (2 * rank)
    require(len(strides) == len(dilations) == rank and len(pads) == 2 * rank, "the attributes mismatch the block shape")
    require(min(*strides, *dilations, 1) >= 1, "a stride or dilation is less than 1")
    fit = product(
        output_size(i, k, s, d, pb, pe)
        for i, k, s, d, pb, pe in zip(size, block, strides, dilations, pads[:rank], pads[rank:], strict=True)
    )
    if isinstance(fit, int) and isinstance(windows, int):
        require(fit == windows, f"the input {show(x.dims)} has {windows} windows, the image {fit}: mismatch")
    return (typed(x, (n, floordiv(channels, area), *size)),)


def col2im_cost(call: Call) -> Work:
    """Col2Im. x: (N, C · ΠK, L) -> y: (N, C, *I): overlapping windows are summed.

    Counted: |x| additions.
    Not counted: that values which land in the padding need no addition.
    Source: ONNX operator Col2Im.
    """
    return Work(additions=call.x(0).size)


OPS = (
    Op(name="DepthToSpace", attrs=BlockAttrs, shape=depth_to_space_shape, cost=free, kind="move", inputs=(1, 1)),
    Op(name="SpaceToDepth", attrs=BlockAttrs, shape=space_to_depth_shape, cost=free, kind="move", inputs=(1, 1)),
    Op(
        name="ReverseSequence",
        attrs=ReverseSequenceAttrs,
        shape=reverse_sequence_shape,
        cost=free,
        kind="move",
        inputs=(2, 2),
    ),
    Op(name="Trilu", attrs=TriluAttrs, shape=trilu_shape, cost=free, kind="move", inputs=(1, 2)),
    Op(name="Col2Im", attrs=Col2ImAttrs, shape=col2im_shape, cost=col2im_cost, kind="move", inputs=(3, 3)),
)
