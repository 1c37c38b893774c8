"""Other ways to do a layer: one idea a file, each with when it applies, what it becomes, and why not."""

from convcost.alternatives import depthwise_separable, spatially_separable, standard
from convcost.alternatives.layer import ConvLayer, Skip, layer_of

ALTERNATIVES = (
    (standard.NAME, standard.propose),
    (depthwise_separable.NAME, depthwise_separable.propose),
    (spatially_separable.NAME, spatially_separable.propose),
)
"""(name, rule) in the order of the comparison. A rule gives a shape string or raises `Skip` with the reason."""

__all__ = ["ALTERNATIVES", "ConvLayer", "Skip", "layer_of"]
