"""A ShuffleNet unit: grouped 1×1, channel shuffle, depthwise, grouped 1×1, beside a shortcut."""

from __future__ import annotations

from convcost.alternatives.chain import start
from convcost.alternatives.divisors import groups
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need

PREFERRED = (3, 2, 4, 8)
NARROW = 4


def unit(layer: ConvLayer, g: int, first: int | None = None) -> str:
    """The unit with g groups, or `first` groups in its first 1×1 convolution; a quarter of M channels inside.

    With a stride the shortcut is an average pooling whose channels are joined to the others.
    """
    joined = layer.out != layer.spatial
    out = layer.m - layer.c if joined else layer.m
    inside = layer.m // NARROW
    arm = start(layer).pointwise(inside, g if first is None else first)
    if g > 1:
        arm = arm.step(f"(shuffle g{g})", arm.spatial, arm.c)
    arm = arm.depthwise(layer.window).pointwise(out, g, bias=layer.bias)
    if joined:
        return start(layer).branches("|", arm, start(layer).pool("avgpool", layer.window)).text
    same = start(layer).step("(id)", layer.spatial, layer.c)
    return start(layer).branches("+", arm, same).text


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """One form for each number of groups that divides all the channels inside."""
    need(layer.large, "a 1×1 kernel has no depthwise part")
    need(layer.group == 1, "it is grouped already")
    need(all(d == 1 for d in layer.dilations), "it is dilated")
    inside = layer.m // NARROW
    if layer.out == layer.spatial:
        need(layer.c == layer.m, "its shortcut needs as many output channels as input channels")
        found = groups(layer.c, inside) if inside else []
    else:
        need(any(s > 1 for s in layer.strides), "its shortcut needs the sizes kept: same padding")
        need(layer.m > layer.c, "its shortcut brings all input channels: M must be larger than C")
        found = groups(layer.c, inside, layer.m - layer.c) if inside else []
    need(found, "no number of groups divides all its channels")
    short = next((g for g in PREFERRED if g in found), found[0])
    return tuple(Form(f"shuffled, g={g}", unit(layer, g), extra=g != short) for g in found)


IDEA = Idea(
    name="shuffled",
    summary="a ShuffleNet unit: grouped 1×1 to M/4 channels, shuffle, depthwise, grouped 1×1, and a shortcut",
    when="same padding and C = M, or a stride and M > C; groups that divide C and M/4",
    becomes="I -{ (1×1×C/g×M/4 g)-> (shuffle g)-> (k×k dw)-> (1×1×M/4g×M g) + (id) }-> O",
    cost="O²·(C·M/4g + k²·M/4 + M²/4g) at stride 1",
    loses="full mixing of the channels (the shuffle lets the next unit do it), and three quarters of the width inside",
    source="X. Zhang et al., ShuffleNet, arXiv:1707.01083, section 3.2",
    example="28x28x240 -(3x3x240x240 same)->",
    propose=propose,
)
