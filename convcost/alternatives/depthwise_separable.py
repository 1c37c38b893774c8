"""Depthwise separable: one kernel for each input channel, then a 1×1 convolution that mixes the channels.

Cost against the standard layer: 1/M + 1/ΠK of its multiplications.
Keeps the output shape and the receptive field; loses kernels that look at several channels at once.
Source: A. Howard et al., "MobileNets", arXiv:1704.04861, section 3.1.
"""

from __future__ import annotations

from convcost.alternatives.layer import ConvLayer, Skip, written

NAME = "depthwise separable"


def propose(layer: ConvLayer) -> str:
    """The layer as a depthwise and a pointwise step."""
    if layer.group == layer.c and layer.c > 1:
        raise Skip("it is depthwise already")
    if layer.group > 1:
        raise Skip(f"it is grouped ({layer.group}): splitting it would connect channels that it keeps apart")
    if all(k == 1 for k in layer.kernel):
        raise Skip("a 1×1 kernel has no spatial part to split off")
    return written(layer, "sep")
