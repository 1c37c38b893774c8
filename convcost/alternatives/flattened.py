"""Flattened: one one-dimensional convolution across the channels and one along each axis."""

from __future__ import annotations

from convcost.alternatives.chain import along, start
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """A 1×1 convolution to M channels, then k×1 and 1×k for each of them."""
    need(layer.group == 1, "it is grouped: the step across the channels would join its groups")
    need(len(layer.large) > 1, "the kernel is larger than 1 along one axis at most")
    small = tuple(a for a in range(len(layer.kernel)) if a not in layer.large)
    chain = start(layer).pointwise(layer.m)
    for axis in layer.large:
        here = (axis, *small) if axis == layer.large[0] else (axis,)
        chain = chain.depthwise(along(layer.window, here), bias=layer.bias and axis == layer.large[-1])
    return (Form("flattened", chain.text),)


IDEA = Idea(
    name="flattened",
    summary="across the channels, then down the columns, then along the rows: kernels of one dimension only",
    when="one group, a kernel larger than 1 along two axes or more",
    becomes="I -(1×1×C×M)-> -(k×1 dw)-> -(1×k dw)-> O",
    cost="I²·C·M + O²·2k·M: 1/k² + 2/(k·C) of the standard layer with same padding",
    loses="kernels that are not a product of a channel, a column and a row vector",
    source="J. Jin, A. Dundar, E. Culurciello, arXiv:1412.5474, section 3",
    example="32x32x96 -(3x3x96x96 same)->",
    propose=propose,
)
