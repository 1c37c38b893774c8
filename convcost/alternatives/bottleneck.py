"""Bottleneck: a 1×1 convolution to few channels, the kernel there, a 1×1 convolution back."""

from __future__ import annotations

from convcost.alternatives.chain import start
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need

NARROW = 4
LEAST = 16


def bottleneck(layer: ConvLayer, width: int) -> str:
    """The layer through `width` channels."""
    return start(layer).pointwise(width).conv(width, layer.window).pointwise(layer.m, bias=layer.bias).text


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """A quarter of the channels inside; half and an eighth as extras."""
    need(layer.group == 1, "it is grouped: the 1×1 steps would join its groups")
    need(layer.large, "a 1×1 kernel has nothing to narrow (see low rank)")
    least = min(layer.c, layer.m)
    need(least >= LEAST, f"{least} channels are too few to narrow to a quarter")
    widths = [least // n for n in (2, NARROW, 8)]
    return tuple(Form(f"bottleneck to {w}", bottleneck(layer, w), extra=w != least // NARROW) for w in widths)


IDEA = Idea(
    name="bottleneck",
    summary="1×1 to a quarter of the channels, the kernel there, 1×1 back",
    when="one group, a kernel larger than 1, 16 channels or more",
    becomes="I -(1×1×C×w)-> -(k×k×w×w)-> -(1×1×w×M)-> O, w = min(C, M)/4",
    cost="I²·C·w + O²·(k²·w² + w·M): (8 + k²)/(16·k²) of the standard layer for C = M and same padding",
    loses="three quarters of the channels inside",
    source="K. He et al., Deep Residual Learning, arXiv:1512.03385, section 4.1",
    example="56x56x256 -(3x3x256x256 same)->",
    propose=propose,
)
