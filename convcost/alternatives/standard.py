"""The ordinary convolution: every output channel reads every input channel through the whole kernel."""

from __future__ import annotations

import msgspec

from convcost.alternatives.layer import ConvLayer, written

NAME = "standard"


def propose(layer: ConvLayer) -> str:
    """The layer without groups, as a shape string. It always applies."""
    return written(msgspec.structs.replace(layer, group=1))
