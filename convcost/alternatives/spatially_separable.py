"""Spatially separable, or asymmetric: a k×1 convolution and then a 1×k one."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.alternatives.chain import Chain, along, start, written
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need


def split(layer: ConvLayer, order: Sequence[int], inner: int) -> Chain:
    """One step for each axis in `order`, with `inner` channels between; axes without a kernel go with the first."""
    small = tuple(a for a in range(len(layer.kernel)) if a not in order)
    chain = start(layer)
    for axis in order[:-1]:
        here = (axis, *small) if axis == order[0] else (axis,)
        chain = chain.conv(inner, along(layer.window, here), layer.group)
    return chain.conv(layer.m, along(layer.window, (order[-1],)), layer.group, bias=layer.bias)


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """With min(C, M) channels between the steps; the other order and M channels as extras."""
    need(len(layer.large) > 1, "the kernel is larger than 1 along one axis at most: nothing to split")
    inner, order = min(layer.c, layer.m), layer.large
    spatial = layer.group == 1 and len(layer.kernel) == 2
    name = "spatially separable"
    forms = [
        Form(name, written(layer, "spatial") if spatial else split(layer, order, inner).text),
        Form(f"{name}, last axis first", split(layer, order[::-1], inner).text, extra=True),
    ]
    if inner != layer.m:
        forms.append(Form(f"{name}, {layer.m} channels between", split(layer, order, layer.m).text, extra=True))
    return tuple(forms)


IDEA = Idea(
    name="spatially separable",
    summary="a k×1 convolution and then a 1×k one (asymmetric convolutions)",
    when="a kernel larger than 1 along two axes or more",
    becomes="I -(k×1×C×w)-> -(1×k×w×M)-> O, w = min(C, M)",
    cost="O²·k·w·(C + M): 2/k of the standard layer for C = M; the first step makes a few rows more",
    loses="kernels that are not a column times a row, for each pair of channels w at most",
    source="C. Szegedy et al., arXiv:1512.00567, section 3.2",
    example="17x17x64 -(3x3x64x64 same)->",
    propose=propose,
)
