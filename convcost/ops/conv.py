"""Convolutions: Conv and ConvTranspose of every rank, stride, dilation, padding and group."""

from __future__ import annotations

from convcost.errors import Unknown
from convcost.ir import Dim, Shape, Tensor, maximum, product
from convcost.ops.base import Call, Kind, Op, Work, may_equal, products, remembered, require, show, typed
from convcost.ops.windows import AUTO_PADS, MAX_SPATIAL, Window, WindowAttrs, per_axis, window_of, window_sizes
from convcost.window import effective_kernel, same_padding, taps_inside, transposed_size


class ConvAttrs(WindowAttrs, frozen=True):
    """Attributes shared by the convolutions."""

    group: int = 1


class ConvTransposeAttrs(ConvAttrs, frozen=True):
    """Attributes of ConvTranspose; `output_shape` decides the padding where given."""

    output_padding: tuple[int, ...] = ()
    output_shape: tuple[int, ...] = ()


def conv_operands(x: Shape, w: Shape, a: ConvAttrs) -> tuple[Dim, Dim, Dim, Dim, Shape, Shape]:
    """(N, C, C/g, M, spatial, kernel), checked against each other and against the attributes."""
    require(len(x) >= 3, f"a convolution needs an input of at least 3 dimensions (N, C, D1 …), not {show(x)}")
    require(len(x) - 2 <= MAX_SPATIAL, f"{len(x) - 2} spatial dimensions are over the limit of {MAX_SPATIAL}")
    require(len(w) == len(x), f"the weight {show(w)} has {len(w)} dimensions, the input {show(x)} has {len(x)}")
    require(a.group >= 1, f"group {a.group} is less than 1")
    kernel = w[2:]
    for k in kernel:
        require(k != 0, f"the kernel {show(kernel)} has a size of zero")
    if a.kernel_shape:
        require(
            len(a.kernel_shape) == len(kernel)
            and all(given == k or not isinstance(k, int) for given, k in zip(a.kernel_shape, kernel, strict=False)),
            f"kernel_shape {show(a.kernel_shape[:8])} contradicts the weight {show(w)}",
        )
    return x[0], x[1], w[1], w[0], x[2:], kernel


def conv_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), w: (M, C/g, *K), b: (M) -> y: (N, M, *O)."""
    x = call.x(0)
    return (typed(x, conv_output(call.attrs, x.dims, call.x(1).dims, bias_of(call))),)


@remembered
def conv_output(a: ConvAttrs, x: Shape, w: Shape, bias: Shape | None) -> Shape:
    """(N, M, *O) of a convolution of x: (N, C, *I) with w: (M, C/g, *K)."""
    n, c, cg, m, spatial, kernel = conv_operands(x, w, a)
    require(
        may_equal(cg * a.group, c),
        f"the weight {show(w)} with group {a.group} reads {cg * a.group} channels, but the input {show(x)} has {c}",
    )
    if isinstance(m, int):
        require(m % a.group == 0, f"{m} output channels cannot be divided into group {a.group}")
    check_bias(bias, m)
    return (n, m, *window_sizes(a, spatial, window_of(a, spatial, kernel)))


def bias_of(call: Call, slot: int = 2) -> Shape | None:
    """The shape of the bias, where there is one and it is known."""
    b = call.optional(slot)
    return None if b is None else b.shape


def check_bias(b: Shape | None, m: Dim) -> None:
    """The bias, where there is one, is a vector with one element for each output channel."""
    if b is None:
        return
    require(len(b) == 1, f"the bias B has rank {len(b)}, not 1")
    (size,) = b
    require(may_equal(size, m), f"the bias B has size {size}, but there are {m} output channels")


@remembered
def conv_work(a: ConvAttrs, x: Shape, w: Shape, y: Shape, *, bias: bool) -> Work:
    """|y| · C/g · ΠK products, and |y| additions where there is a bias."""
    cg, kernel = w[1], w[2:]
    win = window_of(a, x[2:], kernel)
    macs = product(y) * cg * product(kernel)
    plus = product(y) if bias else 0
    try:
        pairs = product(
            taps_inside(i, k, s, d, pb, pe, o)
            for i, k, s, d, pb, pe, o in zip(
                x[2:], kernel, win.strides, win.dilations, win.before, win.after, y[2:], strict=True
            )
        )
    except Unknown:
        return products(macs, plus=plus, effective_unknown=True)
    return products(macs, effective=y[0] * y[1] * cg * pairs, plus=plus)


def conv_cost(call: Call) -> Work:
    """Conv. x: (N, C, *I), w: (M, C/g, *K), b: (M) -> y: (N, M, *O).

    Counted: |y| · C/g · ΠK multiply-accumulates, and |y| additions for a bias.
    Effective: without the products whose input element is padding.
    Source: ONNX operator Conv; arXiv:1704.04861 section 3.1 (depthwise and pointwise as the same rule).
    """
    return conv_work(call.attrs, call.x(0).dims, call.x(1).dims, call.y().dims, bias=call.has(2))


def conv_transpose_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), w: (C, M/g, *K), b: (M) -> y: (N, M, *O), O = s(I-1) + op + k' - pb - pe."""
    x, w, a = call.x(0), call.x(1), call.attrs
    n, c, mg, wc, spatial, kernel = conv_operands(x.dims, w.dims, a)
    require(may_equal(wc, c), f"the weight {show(w.dims)} reads {wc} channels, but the input {show(x.dims)} has {c}")
    if isinstance(c, int):
        require(c % a.group == 0, f"{c} input channels cannot be divided into group {a.group}")
    m = mg * a.group
    check_bias(bias_of(call), m)
    win, op = transposed_window(a, spatial, kernel)
    out: list[Dim] = []
    for axis, (i, k, s, d, pb, pe, extra) in enumerate(
        zip(spatial, kernel, win.strides, win.dilations, win.before, win.after, op, strict=True)
    ):
        o = transposed_size(i, k, s, d, pb, pe, extra)
        if isinstance(o, int):
            require(o >= 1, f"the padding {pb}+{pe} exceeds the output size on spatial axis {axis}")
        out.append(o)
    return (typed(x, (n, m, *out)),)


def transposed_window(a: ConvTransposeAttrs, spatial: Shape, kernel: Shape) -> tuple[Window, tuple[int, ...]]:
    """The window of a transposed convolution and its output padding, from `pads`, `auto_pad` or `output_shape`.

    SAME pads for an output of I·s; where even no padding gives less, it stays at that, as runtimes have it.
    """
    rank = len(kernel)
    strides = per_axis(a.strides, rank, 1, 1, "stride")
    dilations = per_axis(a.dilations, rank, 1, 1, "dilation")
    op = per_axis(a.output_padding, rank, 0, 0, "output_padding")
    for extra, s, d in zip(op, strides, dilations, strict=True):
        require(extra < max(s, d), f"output_padding {extra} is not less than the stride {s} or dilation {d}")
    require(a.auto_pad in AUTO_PADS, f"auto_pad '{a.auto_pad[:40]}' is not one of {', '.join(AUTO_PADS)}")
    same = a.auto_pad in ("SAME_UPPER", "SAME_LOWER")
    if not a.output_shape and not same:
        win = window_of(a, spatial, kernel)
        return win, op
    wanted: Shape = tuple(i * s for i, s in zip(spatial, strides, strict=True))
    if a.output_shape:
        wanted = per_axis(a.output_shape[-rank:], rank, 0, 1, "output_shape")
    before: list[Dim] = []
    after: list[Dim] = []
    for i, k, s, d, extra, o in zip(spatial, kernel, strides, dilations, op, wanted, strict=True):
        excess = transposed_size(i, k, s, d, 0, 0, extra) - o
        if not a.output_shape:
            excess = maximum(excess, 0)
        half = excess // 2
        first, second = (half, excess - half) if a.auto_pad == "SAME_UPPER" else (excess - half, half)
        before.append(first)
        after.append(second)
    return Window(kernel=kernel, strides=strides, dilations=dilations, before=tuple(before), after=tuple(after)), op


def conv_transpose_cost(call: Call) -> Work:
    """ConvTranspose. x: (N, C, *I), w: (C, M/g, *K), b: (M) -> y: (N, M, *O).

    Counted: at input positions, |x| · M/g · ΠK multiply-accumulates, and |y| additions for a bias.
    Effective: only the products that land inside the output, not those that padding cuts away.
    Not counted: the zeros that an implementation by zero insertion would multiply.
    Source: ONNX operator ConvTranspose; a transposed convolution costs what the convolution it transposes does.
    """
    x, w, y = call.x(0), call.x(1), call.y()
    mg, kernel = w.dims[1], w.dims[2:]
    win, _ = transposed_window(call.attrs, x.dims[2:], kernel)
    macs = x.size * mg * product(kernel)
    plus = y.size if call.has(2) else 0
    try:
        pairs = product(
            taps_inside(o, k, s, d, pb, pe, i)
            for i, k, s, d, pb, pe, o in zip(
                x.dims[2:], kernel, win.strides, win.dilations, win.before, win.after, y.dims[2:], strict=True
            )
        )
    except Unknown:
        return products(macs, plus=plus, effective_unknown=True)
    return products(macs, effective=x.dims[0] * x.dims[1] * mg * pairs, plus=plus)


def conv_kind(call: Call) -> Kind:
    """The named kind of a convolution, from its weight, group and window."""
    x, w, y = call.x(0).dims, call.x(1).dims, call.y().dims
    win = window_of(call.attrs, x[2:], w[2:])
    return name_kind(x[1], y[1], call.attrs.group, win, padding_mode(x[2:], win))


def conv_transpose_kind(call: Call) -> Kind:
    """Transposed, with the traits of its window."""
    x, w = call.x(0).dims, call.x(1).dims
    win, _ = transposed_window(call.attrs, x[2:], w[2:])
    named = name_kind(x[1], call.y().dims[1], call.attrs.group, win, None)
    traits = () if named.name in ("standard", "spatial") else (named.name,)
    return Kind("transposed", traits + named.traits)


@remembered
def name_kind(c: Dim, m: Dim, group: int, win: Window, padding: str | None) -> Kind:
    """standard, pointwise, depthwise, grouped, pointwise_grouped or spatial, and the traits, the padding last.

    depthwise: one input channel for each group (more than one group); multiplier: more outputs than inputs.
    spatial: a kernel with exactly one extent above 1, on an input of two or more spatial dimensions; a depthwise layer
    with such a kernel is flattened (J. Jin, A. Dundar, E. Culurciello, arXiv:1412.5474).
    """
    large = [k for k in win.kernel if k != 1]
    if group > 1 and group == c:
        name = "depthwise"
    elif group > 1:
        name = "grouped" if large else "pointwise_grouped"
    elif not large:
        name = "pointwise"
    else:
        name = "spatial" if len(large) == 1 and len(win.kernel) > 1 else "standard"
    traits = []
    if name == "depthwise" and len(large) == 1 and len(win.kernel) > 1:
        traits.append("flattened")
    if name == "depthwise" and m != c:
        traits.append("multiplier")
    if len(win.kernel) != 2:
        traits.append(f"{len(win.kernel)}d")
    if any(s > 1 for s in win.strides):
        traits.append("strided")
    if any(d > 1 and k != 1 for d, k in zip(win.dilations, win.kernel, strict=True)):
        traits.append("dilated")
    if padding:
        traits.append(padding)
    return Kind(name, tuple(traits))


@remembered
def padding_mode(i: Shape, win: Window) -> str | None:
    """`valid`, `same` or `full` where the window is exactly that on every axis, else None. A kernel of 1 is valid."""
    axes = list(zip(i, win.kernel, win.strides, win.dilations, win.before, win.after, strict=True))
    if all(pb == 0 and pe == 0 for *_, pb, pe in axes):
        return "valid"
    if all((pb, pe) in (same_padding(x, k, s, d), same_padding(x, k, s, d, lower=True)) for x, k, s, d, pb, pe in axes):
        return "same"
    if all(pb == pe == effective_kernel(k, d) - 1 for _, k, _, d, pb, pe in axes):
        return "full"
    return None


OPS = (
    Op(
        name="Conv",
        attrs=ConvAttrs,
        shape=conv_shape,
        cost=conv_cost,
        kind=conv_kind,
        inputs=(2, 3),
        weights=(1, 2),
    ),
    Op(
        name="ConvTranspose",
        attrs=ConvTransposeAttrs,
        shape=conv_transpose_shape,
        cost=conv_transpose_cost,
        kind=conv_transpose_kind,
        inputs=(2, 3),
        weights=(1, 2),
    ),
)
