"""Depthwise separable: one kernel for each input channel, then a 1×1 convolution that mixes the channels."""

from __future__ import annotations

from convcost.alternatives.chain import start, written
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need

MULTIPLIERS = (2, 4)


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """A depthwise and a pointwise step; with more than one kernel for each channel as extras."""
    need(layer.large, "a 1×1 kernel has no spatial part to split off")
    need(not layer.depthwise, "it is depthwise already")
    need(layer.group == 1, "it is grouped: the pointwise step would join its groups")
    more = tuple(
        Form(
            f"depthwise separable, multiplier {n}",
            start(layer).depthwise(layer.window, n).pointwise(layer.m, bias=layer.bias).text,
            extra=True,
        )
        for n in MULTIPLIERS
    )
    return (Form("depthwise separable", written(layer, "sep")), *more)


IDEA = Idea(
    name="depthwise separable",
    summary="one kernel for each channel, then a 1×1 convolution that mixes the channels",
    when="one group, a kernel larger than 1",
    becomes="I -(k×k dw)-> O -(1×1×C×M)-> O",
    cost="O²·C·(k² + M): 1/M + 1/k² of the standard layer; with n kernels for each channel n times that",
    loses="kernels that look at space and channels at once",
    source="A. Howard et al., MobileNets, arXiv:1704.04861, section 3.1",
    example="12x12x3 -(5x5x3x256)->",
    propose=propose,
)
