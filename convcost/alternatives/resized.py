"""Resize and convolve, in place of a transposed convolution."""

from __future__ import annotations

from convcost.alternatives.chain import number, start
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need
from convcost.notation.lowering.printing import dims_text, values_text
from convcost.ops.windows import Window
from convcost.window import effective_kernel


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """Every element s times along each axis, then the kernel with stride 1."""
    need(any(s > 1 for s in layer.strides), "it does not enlarge: stride 1")
    large = tuple(i * s for i, s in zip(layer.spatial, layer.strides, strict=True))
    columns = zip(layer.out, large, layer.kernel, layer.dilations, strict=True)
    pads = [o - i + number(effective_kernel(k, d)) - 1 for o, i, k, d in columns]
    need(min(pads) >= 0, f"{dims_text(large)} is larger than its output with this kernel")
    one = (1,) * len(large)
    window = Window(
        kernel=layer.kernel,
        strides=one,
        dilations=layer.dilations,
        before=tuple(p // 2 for p in pads),
        after=tuple(p - p // 2 for p in pads),
    )
    chain = start(layer).step(f"(up {values_text(layer.strides)})", large, layer.c)
    return (Form("resize, then convolve", chain.conv(layer.m, window, layer.group, bias=layer.bias).text),)


IDEA = Idea(
    name="resize, then convolve",
    summary="every element s times along each axis, then an ordinary convolution",
    when="a transposed convolution with a stride",
    becomes="I -(up s)-> s·I -(k×k×C×M)-> O",
    cost="O²·k²·C·M: s² times the transposed convolution's I²·k²·C·M",
    keeps=("output shape", "parameters"),
    loses="nothing that a stride does not take: no checkerboard, even where the stride does not divide the kernel",
    source="A. Odena, V. Dumoulin, C. Olah, Deconvolution and Checkerboard Artifacts, Distill 2016",
    example="14x14x64 -(4x4x64x32 T s2 p1)->",
    propose=propose,
    transposed=True,
)
