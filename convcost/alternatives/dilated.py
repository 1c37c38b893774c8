"""A dilated 3×3 kernel in place of a large one."""

from __future__ import annotations

from convcost.alternatives.chain import number, start
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need
from convcost.ops.windows import Window


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """Three taps along each large axis, so far apart that the first and the last stay where they are."""
    sizes = [number(layer.kernel[a]) for a in layer.large]
    need(any(k > 3 for k in sizes), "its kernel is not larger than 3")
    need(all(k % 2 for k in sizes), "its kernel is even: it has no tap in the middle")
    pairs = list(zip(layer.kernel, layer.dilations, strict=True))
    window = Window(
        kernel=tuple(min(k, 3) for k in layer.kernel),
        strides=layer.strides,
        dilations=tuple(d * (k - 1) // 2 if k > 1 else d for k, d in pairs),
        before=layer.before,
        after=layer.after,
    )
    return (Form("dilated", start(layer).conv(layer.m, window, layer.group, bias=layer.bias).text),)


IDEA = Idea(
    name="dilated",
    summary="a 3×3 kernel with gaps that reaches as far",
    when="an odd kernel larger than 3",
    becomes="I -(3×3×C×M d)-> O, d = (k-1)/2",
    cost="9/k² of the standard layer: 9/25 for 5×5, 9/49 for 7×7",
    loses="all taps but those at the corners, the middles of the sides and the centre",
    source="F. Yu, V. Koltun, arXiv:1511.07122, section 2",
    example="28x28x64 -(5x5x64x64 same)->",
    propose=propose,
)
