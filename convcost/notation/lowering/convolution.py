"""Convolutions and dense layers: plain, depthwise, depthwise separable and spatially separable."""

from __future__ import annotations

import msgspec

from convcost.notation.faults import Fault
from convcost.notation.grammar import options as option_rules
from convcost.notation.grammar.options import OF_CONV, OF_DENSE, Options
from convcost.notation.grammar.syntax import Conv, Number, Shape
from convcost.notation.lowering import channels as channel_rules
from convcost.notation.lowering import windows as window_rules
from convcost.notation.lowering.build import Builder, Flow
from convcost.notation.lowering.channels import Channels
from convcost.notation.lowering.fit import VALID, Window
from convcost.notation.lowering.printing import dims_text, window_text
from convcost.notation.lowering.windows import Windows

ARTICLE = ("12x12x3 -(5x5x3x256 same)-> 12x12x256", "12x12x3 -(5x5x3x256)-> 12x12x256")

_IN_TWIN = frozenset(("kernel", "channels"))


class Layer(msgspec.Struct, frozen=True):
    """One convolution with every number settled."""

    kernel: tuple[int, ...]
    channels: Channels
    windows: Windows
    bias: bool = False
    transposed: bool = False


def convolution(b: Builder, source: Flow, conv: Conv, declared: Shape | None) -> tuple[Flow, str]:
    """Add the layers of `conv`: the tensor that comes out, and the canonical content of the parentheses."""
    n = len(source.spatial)
    twin = _IN_TWIN if conv.twin else frozenset()
    if n == 0:
        return dense(b, source, conv, declared, option_rules.settle(conv.options, OF_DENSE | twin, "a dense layer"))
    o = option_rules.settle(conv.options, OF_CONV | twin, "a convolution")
    sizes = spatial_sizes(source, conv, o)
    check_rank(source, declared)
    if o.sep is not None:
        return separable(b, source, conv, sizes, o, declared)
    if o.spatial is not None:
        return spatially_separable(b, source, conv, sizes, o, declared)
    channels = channel_rules.decide(source, conv, o, declared)
    windows = window_rules.settle(source, sizes, o, declared, conv.end)
    name = b.name("conv")
    reading = (*channels.reading, *windows.reading)
    if channels.note:
        b.note("C152", channels.note, name)
    if windows.note:
        b.note("C150", windows.note, name)
    kernel = tuple([s.value for s in sizes])
    layer = Layer(kernel, channels, windows, bias=o.bias is not None, transposed=o.T is not None)
    out, inside = emit(b, name, source, layer, reading)
    text = f"{dims_text(source.dims)} -({inside})-> {dims_text(out.dims)}"
    if text == ARTICLE[0] and o.padding is None:
        b.note("C151", article_note(), name)
    return out, inside


def article_note() -> str:
    """About the one string that people paste from an article whose arithmetic is for another."""
    return (
        "the article that made this notation popular writes this output, but its arithmetic (1,228,800 "
        "multiplications) is for 8x8x256, without padding; read here as padding same"
    )


def spatial_sizes(source: Flow, conv: Conv, o: Options) -> tuple[Number, ...]:
    """The kernel's sizes along the spatial axes, once the kernel has as many numbers as the tensor asks for."""
    n = len(source.spatial)
    numbers = conv.kernel.numbers
    if conv.twin:
        if len(numbers) not in (1, n):
            message = f"the kernel has {len(numbers)} numbers for {n} spatial dimension{'s' if n > 1 else ''}"
            raise Fault("C114", message, conv.kernel.span, others=source.at)
        return numbers * n if len(numbers) == 1 else numbers
    want = n if o.dw is not None else n + 2
    if len(numbers) == want:
        return numbers[:n]
    form = "x".join((("K",), ("KH", "KW"), ("KD", "KH", "KW"))[n - 1] + (() if o.dw else ("CIN", "COUT")))
    fixes = []
    if o.dw is None and len(numbers) == n:
        fixes = [((conv.kernel.end, conv.kernel.end, " dw"),)]
    elif o.dw is not None and len(numbers) > n:
        fixes = [((numbers[n - 1].end, conv.kernel.end, ""),)]
    raise Fault(
        "C114",
        f"the kernel has {len(numbers)} number{'s' if len(numbers) > 1 else ''}, but {dims_text(source.dims)} has "
        f"{n} spatial dimension{'s' if n > 1 else ''}{' and dw' if o.dw else ''}: expected {want}, {form}",
        conv.kernel.span,
        others=source.at,
        fixes=tuple(fixes),
    )


def check_rank(source: Flow, declared: Shape | None) -> None:
    """A declared output has as many numbers as the input."""
    if declared is None or len(declared.numbers) == len(source.dims):
        return
    raise Fault(
        "C114",
        f"the declared output has {len(declared.numbers)} numbers, expected {len(source.dims)}: "
        "the step keeps the number of spatial dimensions",
        declared.span,
        others=source.at,
    )


def inside_text(source: Flow, layer: Layer, form: str = "") -> str:
    """The canonical content of the parentheses."""
    c, w = layer.channels, layer.windows
    parts = [dims_text((*layer.kernel, c.per_group, c.outputs))]
    if form:
        parts.append(form)
    if layer.transposed:
        parts.append("T")
    if c.groups > 1 and c.per_group > 1:
        parts.append(f"g{c.groups}")
    parts += window_text(source.spatial, layer.kernel, w.dilations, w.axes, transposed=layer.transposed)
    if layer.bias:
        parts.append("bias")
    return " ".join(parts)


def emit(b: Builder, name: str, source: Flow, layer: Layer, reading: tuple[str, ...] = ()) -> tuple[Flow, str]:
    """Add one Conv or ConvTranspose: its output, and the canonical content of its parentheses."""
    inside = inside_text(source, layer)
    c, w = layer.channels, layer.windows
    weights = [b.kernel(name, layer.kernel, c.per_group, c.outputs, c.groups, transposed=layer.transposed)]
    if layer.bias:
        weights.append(b.weight(name, "bias", c.outputs))
    extra = tuple([x.output_padding for x in w.axes])
    attributes = {"output_padding": extra} if any(extra) else {}
    out = b.layer(
        "ConvTranspose" if layer.transposed else "Conv",
        name,
        source,
        inside,
        (*w.outputs, c.outputs),
        *weights,
        reading=reading,
        dilations=w.dilations,
        group=c.groups,
        kernel_shape=layer.kernel,
        pads=tuple([x.before for x in w.axes] + [x.after for x in w.axes]),
        strides=tuple([x.stride for x in w.axes]),
        **attributes,
    )
    return out, inside


def still(n: int) -> Windows:
    """A window of one tap at stride 1 along n axes; the outputs are filled in by the caller."""
    return Windows((Window(1, 0, 0, VALID),) * n, (1,) * n, ())


def full_kernel(source: Flow, conv: Conv, what: str) -> tuple[int, int]:
    """(C, M) of a kernel that has to read all channels of the tensor."""
    if conv.twin:
        c = next(o for o in conv.options if o.name == "channels")
        return source.channels, c.values[0].value
    third, fourth = conv.kernel.numbers[-2:]
    if third.value != source.channels:
        raise Fault(
            "C101",
            f"the kernel reads {third.value} input channels, but {dims_text(source.dims)} has {source.channels}: "
            f"{what} reads them all",
            third.span,
            others=source.channels_at,
            fixes=(((*third.span, str(source.channels)),),),
        )
    return third.value, fourth.value


def separable(
    b: Builder, source: Flow, conv: Conv, sizes: tuple[Number, ...], o: Options, declared: Shape | None
) -> tuple[Flow, str]:
    """Depthwise separable: a depthwise step with the window, then a pointwise step. A bias belongs to the last."""
    c, m = full_kernel(source, conv, "sep")
    if declared is not None and declared.values[-1] != m:
        raise channel_rules.disagree(m, declared.numbers[-1], conv)
    windows = window_rules.settle(source, sizes, o, declared, conv.end)
    kernel = tuple([s.value for s in sizes])
    name = b.name("conv")
    if windows.note:
        b.note("C150", windows.note, f"{name}_depthwise")
    depthwise = Channels(c, 1, c)
    middle, _ = emit(b, f"{name}_depthwise", source, Layer(kernel, depthwise, windows), windows.reading)
    n = len(sizes)
    pointwise = Windows(still(n).axes, (1,) * n, windows.outputs)
    bias = o.bias is not None
    out, _ = emit(b, f"{name}_pointwise", middle, Layer((1,) * n, Channels(1, c, m), pointwise, bias))
    return out, inside_text(source, Layer(kernel, Channels(1, c, m), windows, bias), "sep")


def spatially_separable(
    b: Builder, source: Flow, conv: Conv, sizes: tuple[Number, ...], o: Options, declared: Shape | None
) -> tuple[Flow, str]:
    """KHx1 to min(C, M) channels, then 1xKW. A bias belongs to the last."""
    assert o.spatial is not None
    if len(sizes) != 2:
        message = f"spatial needs two spatial dimensions, {dims_text(source.dims)} has {len(sizes)}"
        raise Fault("C124", message, o.spatial.span, others=source.at, fixes=((option_rules.without(o.spatial),),))
    c, m = full_kernel(source, conv, "spatial")
    if declared is not None and declared.values[-1] != m:
        raise channel_rules.disagree(m, declared.numbers[-1], conv)
    w = window_rules.settle(source, sizes, o, declared, conv.end)
    kh, kw = sizes[0].value, sizes[1].value
    inner = min(c, m)
    one = Window(1, 0, 0, VALID)
    name = b.name("conv")
    if w.note:
        b.note("C150", w.note, f"{name}_vertical")
    vertical = Windows((w.axes[0], one), (w.dilations[0], 1), (w.outputs[0], source.spatial[1]))
    horizontal = Windows((one, w.axes[1]), (1, w.dilations[1]), w.outputs)
    middle, _ = emit(b, f"{name}_vertical", source, Layer((kh, 1), Channels(1, c, inner), vertical), w.reading)
    bias = o.bias is not None
    out, _ = emit(b, f"{name}_horizontal", middle, Layer((1, kw), Channels(1, inner, m), horizontal, bias))
    return out, inside_text(source, Layer((kh, kw), Channels(1, c, m), w, bias), "spatial")


def dense(b: Builder, source: Flow, conv: Conv, declared: Shape | None, o: Options) -> tuple[Flow, str]:
    """`784 -(784x10)-> 10`: a matrix, without a bias unless it is asked for."""
    if o.kernel is not None:
        raise Fault("C114", "a tensor of one number has no spatial dimensions for k", o.kernel.whole, others=source.at)
    if not conv.twin and len(conv.kernel.numbers) != 2:
        raise Fault(
            "C114",
            f"the kernel has {len(conv.kernel.numbers)} numbers, but {dims_text(source.dims)} has no spatial "
            "dimensions: expected 2, INxOUT",
            conv.kernel.span,
            others=source.at,
        )
    c, m = full_kernel(source, conv, "a dense layer")
    check_rank(source, declared)
    if declared is not None and declared.values[-1] != m:
        raise channel_rules.disagree(m, declared.numbers[-1], conv)
    name = b.name("fc")
    weights = [b.weight(name, "weight", m, c)]
    if o.bias is not None:
        weights.append(b.weight(name, "bias", m))
    inside = f"{c}x{m}{' bias' if o.bias is not None else ''}"
    return b.layer("Gemm", name, source, inside, (m,), *weights, transB=1), inside
