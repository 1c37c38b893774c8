"""Grouped convolution: the channels in g groups that do not see each other."""

from __future__ import annotations

import msgspec

from convcost.alternatives.chain import written
from convcost.alternatives.divisors import few, groups
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """One form for each divisor of gcd(C, M)."""
    need(layer.large, "a 1×1 kernel: that is grouped pointwise")
    need(not layer.depthwise, "it is depthwise: its groups cannot be smaller")
    found = [g for g in groups(layer.c, layer.m) if g > layer.group]
    need(found, f"no number of groups divides both {layer.c} and {layer.m} channels")
    short = few([g for g in found if g < layer.c] or found)
    return tuple(
        Form(
            f"depthwise, g={g}" if g == layer.c else f"grouped, g={g}",
            written(msgspec.structs.replace(layer, group=g)),
            extra=g not in short,
        )
        for g in found
    )


IDEA = Idea(
    name="grouped",
    summary="the channels in g groups that do not see each other; for g = C that is depthwise",
    when="C and M have a common divisor, and the kernel is larger than 1",
    becomes="I -(k×k×C/g×M g)-> O",
    cost="1/g of the standard layer",
    loses="mixing between the groups",
    source="A. Krizhevsky et al., ImageNet Classification, NIPS 2012; S. Xie et al., ResNeXt, arXiv:1611.05431",
    example="56x56x64 -(3x3x64x128 same)->",
    propose=propose,
)
