"""The same kernel with its taps further apart: a larger field at the same cost."""

from __future__ import annotations

import msgspec

from convcost.alternatives.chain import written
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """Dilation doubled, and as much more padding."""
    need(layer.large, "a 1×1 kernel has no taps to draw apart")
    more = [d * (k - 1) for d, k in zip(layer.dilations, layer.kernel, strict=True)]
    wider = msgspec.structs.replace(
        layer,
        dilations=tuple(2 * d if k > 1 else d for d, k in zip(layer.dilations, layer.kernel, strict=True)),
        before=tuple(p + n // 2 for p, n in zip(layer.before, more, strict=True)),
        after=tuple(p + n - n // 2 for p, n in zip(layer.after, more, strict=True)),
    )
    return (Form("wider field", written(wider)),)


IDEA = Idea(
    name="wider field",
    summary="the taps twice as far apart: it sees 2k-1 elements for the price of k",
    when="a kernel larger than 1",
    becomes="I -(k×k×C×M d2)-> O",
    cost="that of the standard layer",
    keeps=("output shape", "parameters"),
    loses="the elements between the taps; more of the border is padding",
    source="F. Yu, V. Koltun, arXiv:1511.07122, section 2",
    example="28x28x64 -(3x3x64x64 same)->",
    propose=propose,
)
