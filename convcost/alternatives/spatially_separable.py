"""Spatially separable: a k×1 convolution and then a 1×k one.

Cost against the standard layer, one channel, stride 1, large maps: 2/k of its multiplications.
Keeps the output shape and the receptive field; loses every kernel that is not an outer product of two vectors.
Source: C. Szegedy et al., "Rethinking the Inception Architecture", arXiv:1512.00567, section 3.2.
"""

from __future__ import annotations

from convcost.alternatives.layer import ConvLayer, Skip, written

NAME = "spatially separable"


def propose(layer: ConvLayer) -> str:
    """The layer as a vertical and a horizontal step, with min(C, M) channels between them."""
    if len(layer.kernel) != 2:
        raise Skip(f"it needs two spatial dimensions, the layer has {len(layer.kernel)}")
    if layer.group > 1:
        raise Skip(f"it is grouped ({layer.group})")
    if 1 in layer.kernel:
        raise Skip("the kernel has one extent of 1: nothing to split")
    return written(layer, "spatial")
