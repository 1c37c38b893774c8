"""Layers written one after the other: the shape string of an alternative under construction."""

from __future__ import annotations

import msgspec

from convcost.alternatives.layer import ConvLayer, Skip
from convcost.ir import Dim
from convcost.notation.lowering.fit import EXPLICIT
from convcost.notation.lowering.fit import Window as Slide
from convcost.notation.lowering.printing import dims_text, window_text
from convcost.ops.windows import Window
from convcost.window import output_size


def number(value: Dim) -> int:
    """A size, which is a number here."""
    assert isinstance(value, int)
    return value


def plain(rank: int, k: int = 1) -> Window:
    """A k-window with stride 1, dilation 1 and no padding."""
    one, zero = (1,) * rank, (0,) * rank
    return Window(kernel=(k,) * rank, strides=one, dilations=one, before=zero, after=zero)


def along(window: Window, axes: tuple[int, ...]) -> Window:
    """The window along some axes; the others keep their sizes."""

    def pick(values: tuple[Dim, ...], other: int) -> tuple[int, ...]:
        return tuple(number(v) if a in axes else other for a, v in enumerate(values))

    return Window(
        kernel=pick(window.kernel, 1),
        strides=pick(window.strides, 1),
        dilations=pick(window.dilations, 1),
        before=pick(window.before, 0),
        after=pick(window.after, 0),
    )


def sizes_after(spatial: tuple[int, ...], window: Window) -> tuple[int, ...]:
    """The sizes that a window leaves; `Skip` where it does not fit."""
    columns = (spatial, window.kernel, window.strides, window.dilations, window.before, window.after)
    out = tuple(number(output_size(*axis)) for axis in zip(*columns, strict=True))
    if min(out) < 1:
        raise Skip(f"{dims_text(spatial)} is too small for it")
    return out


class Chain(msgspec.Struct, frozen=True):
    """Steps, and the shape after them; each method gives the chain with one more step."""

    source: tuple[int, ...]
    spatial: tuple[int, ...]
    c: int
    steps: tuple[str, ...] = ()

    def step(self, text: str, spatial: tuple[int, ...], c: int) -> Chain:
        """Any step, by its text and the shape that it leaves."""
        return msgspec.structs.replace(self, spatial=spatial, c=c, steps=(*self.steps, text))

    def conv(self, m: int, window: Window, group: int = 1, *, bias: bool = False) -> Chain:
        """A convolution to m channels."""
        kernel = tuple(number(k) for k in window.kernel)
        groups = f" g{group}" if 1 < group < self.c else ""
        words = [f"{dims_text((*kernel, self.c // group, m))}{groups}", *self.sliding(window)]
        if bias:
            words.append("bias")
        return self.step(f"({' '.join(words)})", sizes_after(self.spatial, window), m)

    def sliding(self, window: Window, default: tuple[int, ...] | None = None) -> list[str]:
        """Stride, dilation and padding as options."""
        sides = zip(window.strides, window.before, window.after, strict=True)
        slides = tuple(Slide(s, number(b), number(e), EXPLICIT) for s, b, e in sides)
        return window_text(self.spatial, tuple(map(number, window.kernel)), window.dilations, slides, default=default)

    def pointwise(self, m: int, group: int = 1, *, bias: bool = False) -> Chain:
        """A 1×1 convolution to m channels."""
        return self.conv(m, plain(len(self.spatial)), group, bias=bias)

    def depthwise(self, window: Window, multiplier: int = 1, *, bias: bool = False) -> Chain:
        """A window over each channel by itself."""
        return self.conv(self.c * multiplier, window, self.c, bias=bias)

    def pool(self, word: str, window: Window) -> Chain:
        """`maxpool` or `avgpool`."""
        kernel = tuple(map(number, window.kernel))
        words = [word, dims_text(kernel), *self.sliding(window, kernel)]
        return self.step(f"({' '.join(words)})", sizes_after(self.spatial, window), self.c)

    def branches(self, joiner: str, *arms: Chain) -> Chain:
        """Chains side by side from here, joined along channels (`|`) or added (`+`)."""
        inside = f" {joiner} ".join("-> ".join(arm.steps) for arm in arms)
        m = sum(arm.c for arm in arms) if joiner == "|" else arms[0].c
        return self.step(f"{{ {inside} }}", arms[0].spatial, m)

    @property
    def text(self) -> str:
        """The shape string."""
        arrows = " ".join(f"-{step}->" for step in self.steps)
        return f"{dims_text(self.source)} {arrows} {dims_text((*self.spatial, self.c))}"


def start(layer: ConvLayer) -> Chain:
    """An empty chain at the layer's input."""
    return Chain((*layer.spatial, layer.c), layer.spatial, layer.c)


def written(layer: ConvLayer, form: str = "") -> str:
    """The layer as a shape string with its output written out; `form` is an option such as `sep`."""
    chain = start(layer)
    if layer.transposed:
        return written_transposed(layer, chain)
    if not form:
        return chain.conv(layer.m, layer.window, layer.group, bias=layer.bias).text
    words = [dims_text((*layer.kernel, layer.c, layer.m)), form, *chain.sliding(layer.window)]
    if layer.bias:
        words.append("bias")
    return chain.step(f"({' '.join(words)})", layer.out, layer.m).text


def written_transposed(layer: ConvLayer, chain: Chain) -> str:
    """A transposed layer as a shape string."""
    columns = zip(layer.strides, layer.before, layer.after, layer.extra, strict=True)
    slides = tuple(Slide(s, b, e, EXPLICIT, op) for s, b, e, op in columns)
    group = [f"g{layer.group}"] if 1 < layer.group < layer.c else []
    words = [dims_text((*layer.kernel, layer.c // layer.group, layer.m)), "T", *group]
    words += window_text(layer.spatial, layer.kernel, layer.dilations, slides, transposed=True)
    if layer.bias:
        words.append("bias")
    return chain.step(f"({' '.join(words)})", layer.out, layer.m).text
