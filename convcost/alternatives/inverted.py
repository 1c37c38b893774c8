"""Inverted bottleneck: a 1×1 convolution to many channels, a depthwise kernel there, a 1×1 convolution back."""

from __future__ import annotations

from convcost.alternatives.chain import start
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need

EXPANSIONS = (6, 4, 2)


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """Six times the channels inside; four and two times as extras."""
    need(layer.group == 1, "it is grouped: the 1×1 steps would join its groups")
    need(layer.large, "a 1×1 kernel has no depthwise part")
    return tuple(
        Form(
            f"inverted bottleneck ×{t}",
            start(layer).pointwise(t * layer.c).depthwise(layer.window).pointwise(layer.m, bias=layer.bias).text,
            extra=t != EXPANSIONS[0],
        )
        for t in EXPANSIONS
    )


IDEA = Idea(
    name="inverted bottleneck",
    summary="MobileNet v2: 1×1 to six times the channels, depthwise there, 1×1 back",
    when="one group, a kernel larger than 1",
    becomes="I -(1×1×C×6C)-> -(k×k dw)-> O -(1×1×6C×M)-> O",
    cost="I²·6C² + O²·6C·(k² + M): 6/M·(C/k² + 1) + 6/k² of the standard layer, less than it for k > 3 or few channels",
    loses="kernels that look at space and channels at once",
    source="M. Sandler et al., MobileNetV2, arXiv:1801.04381, section 3",
    example="56x56x24 -(5x5x24x24 same)->",
    propose=propose,
)
