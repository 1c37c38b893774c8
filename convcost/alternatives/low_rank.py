"""Low rank across the channels: a 1×1 convolution to r channels before the kernel, or after it."""

from __future__ import annotations

from convcost.alternatives.chain import Chain, start
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need

PART = 4


def inputs(layer: ConvLayer, rank: int) -> Chain:
    """The input channels in `rank` combinations, then the kernel over those."""
    return start(layer).pointwise(rank).conv(layer.m, layer.window, bias=layer.bias)


def outputs(layer: ConvLayer, rank: int) -> Chain:
    """`rank` kernels, then the output channels as combinations of their results."""
    return start(layer).conv(rank, layer.window).pointwise(layer.m, bias=layer.bias)


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """A quarter of the rank, on the side with more channels; the other side and half of it as extras."""
    need(layer.group == 1, "it is grouped: a rank would join its groups")
    sides = [(layer.m, outputs, "k×k first"), (layer.c, inputs, "1×1 first")]
    if layer.c >= layer.m:
        sides.reverse()
    sides = [side for side in sides if side[0] >= PART]
    need(sides, f"{layer.c} and {layer.m} channels have no quarter of a rank")
    return tuple(
        Form(f"low rank {n // part}, {order}", build(layer, n // part).text, extra=bool(i) or part != PART)
        for i, (n, build, order) in enumerate(sides)
        for part in (PART, 2)
    )


IDEA = Idea(
    name="low rank",
    summary="the kernel from r combinations of the input channels, or r kernels combined to the output channels",
    when="one group, 4 channels or more on one side",
    becomes="I -(1×1×C×r)-> -(k×k×r×M)-> O, or I -(k×k×C×r)-> O -(1×1×r×M)-> O, r a quarter of the channels",
    cost="I²·C·r + O²·k²·r·M, or O²·r·(k²·C + M): less than the standard layer for r below k²·C·M/(C + k²·M)",
    loses="what singular values beyond the first r hold; the decomposition of the weights gives the best r",
    source="X. Zhang et al., arXiv:1505.06798, section 3; E. Denton et al., arXiv:1404.0736",
    example="56x56x64 -(3x3x64x192 same)->",
    propose=propose,
)
