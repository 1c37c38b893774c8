"""A pointwise convolution in groups, after a depthwise one where the kernel is larger than 1."""

from __future__ import annotations

from convcost.alternatives.chain import start
from convcost.alternatives.divisors import few, groups
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """One form for each divisor of gcd(C, M); the smallest few are shown."""
    need(not layer.depthwise, "it is depthwise: it has no pointwise part")
    found = [g for g in groups(layer.c, layer.m) if g > layer.group]
    need(found, f"no number of groups divides both {layer.c} and {layer.m} channels")
    short = few([g for g in found if g < layer.c] or found)
    if layer.large:
        short = {min(short)}
    return tuple(Form(f"grouped pointwise g={g}", form(layer, g), extra=g not in short) for g in found)


def form(layer: ConvLayer, g: int) -> str:
    """The layer with its pointwise part in g groups."""
    if not layer.large:
        return start(layer).conv(layer.m, layer.window, g, bias=layer.bias).text
    return start(layer).depthwise(layer.window).pointwise(layer.m, g, bias=layer.bias).text


IDEA = Idea(
    name="grouped pointwise",
    summary="depthwise separable with its 1×1 convolution in g groups",
    when="C and M have a common divisor",
    becomes="I -(k×k dw)-> O -(1×1×C/g×M g)-> O",
    cost="O²·C·(k² + M/g): 1/M + 1/(g·k²) of the standard layer",
    loses="mixing between the groups, besides what depthwise separable loses",
    source="X. Zhang et al., ShuffleNet, arXiv:1707.01083, section 3.1",
    example="56x56x64 -(3x3x64x128 same)->",
    propose=propose,
)
