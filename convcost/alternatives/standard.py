"""The ordinary convolution: every output channel reads every input channel through the whole kernel."""

from __future__ import annotations

import msgspec

from convcost.alternatives.chain import written
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """The layer without groups."""
    return (Form("standard", written(msgspec.structs.replace(layer, group=1))),)


IDEA = Idea(
    name="standard",
    summary="every output channel reads every input channel through the whole kernel",
    when="always",
    becomes="I -(k×k×C×M)-> O",
    cost="O²·k²·C·M",
    loses="nothing",
    source="V. Dumoulin, F. Visin, arXiv:1603.07285",
    example="56x56x64 -(3x3x16x128 g4 same)->",
    propose=propose,
)
