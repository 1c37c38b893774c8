"""Other ways to do a layer: one idea a file, each with when it applies, what it becomes, and why not."""

from __future__ import annotations

from convcost.alternatives import (
    bottleneck,
    depthwise_separable,
    dilated,
    fft,
    flattened,
    grouped,
    grouped_pointwise,
    inception,
    inverted,
    low_rank,
    padding,
    resized,
    shuffled,
    spatially_separable,
    stacked,
    standard,
    wider,
    winograd,
)
from convcost.alternatives.chain import written
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, Skip, halves, layer_of, need, single

IDEAS: tuple[Idea, ...] = (
    standard.IDEA,
    depthwise_separable.IDEA,
    spatially_separable.IDEA,
    stacked.IDEA,
    dilated.IDEA,
    wider.IDEA,
    grouped.IDEA,
    grouped_pointwise.IDEA,
    shuffled.IDEA,
    flattened.IDEA,
    bottleneck.IDEA,
    inverted.IDEA,
    inception.IDEA,
    low_rank.IDEA,
    padding.IDEA,
    resized.IDEA,
    winograd.IDEA,
    fft.IDEA,
)
"""All ideas, in the order of the gallery."""

__all__ = ["IDEAS", "ConvLayer", "Form", "Idea", "Skip", "halves", "layer_of", "proposals", "single", "written"]


def proposals(idea: Idea, layer: ConvLayer) -> tuple[Form, ...]:
    """The forms that an idea gives a layer; `Skip` where it does not apply."""
    need(idea.transposed or not layer.transposed, "it is a transposed convolution")
    need(not idea.transposed or layer.transposed, "it is not a transposed convolution")
    return idea.propose(layer)
