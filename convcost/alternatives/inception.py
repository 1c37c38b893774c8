"""Inception: kernels of several sizes side by side, each behind a 1×1 convolution that reduces the channels."""

from __future__ import annotations

from convcost.alternatives.chain import plain, start
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, need
from convcost.ops.windows import Window

LEAST = 16


def module(layer: ConvLayer, one: int, reduce3: int, three: int, reduce5: int, five: int, pool: int) -> str:
    """The module with the widths of its branches, in the order of the paper's table 1."""
    rank = len(layer.spatial)
    x = start(layer)
    return x.branches(
        "|",
        x.pointwise(one, bias=layer.bias),
        x.pointwise(reduce3).conv(three, same(rank, 3), bias=layer.bias),
        x.pointwise(reduce5).conv(five, same(rank, 5), bias=layer.bias),
        x.pool("maxpool", same(rank, 3)).pointwise(pool, bias=layer.bias),
    ).text


def same(rank: int, k: int) -> Window:
    """A k-window that keeps the sizes."""
    around = (k // 2,) * rank
    window = plain(rank, k)
    return Window(kernel=window.kernel, strides=window.strides, dilations=window.dilations, before=around, after=around)


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """Branches with the proportions of GoogLeNet's module 3a."""
    need(layer.group == 1, "it is grouped: its branches would join its groups")
    need(layer.large, "a 1×1 kernel is one branch of it")
    need(layer.out == layer.spatial and all(s == 1 for s in layer.strides), "its branches need the sizes kept")
    need(layer.c >= LEAST and layer.m >= LEAST, f"it needs {LEAST} channels or more to divide")
    m, c = layer.m, layer.c
    three, five = m // 2, m // 8
    return (Form("inception", module(layer, m - three - 2 * five, c // 2, three, c // 12, five, five)),)


IDEA = Idea(
    name="inception",
    summary="1×1, 3×3, 5×5 and pooling side by side, each behind a 1×1 convolution that reduces the channels",
    when="one group, a kernel larger than 1, sizes kept, 16 channels or more",
    becomes="I -{ 1×1 to M/4 | 1×1 to C/2, 3×3 to M/2 | 1×1 to C/12, 5×5 to M/8 | pool, 1×1 to M/8 }-> O",
    cost="I²·C·(M/4 + C/2 + 9·M/4 + C/12 + 25·M/96 + M/8), the proportions of module 3a",
    keeps=("output shape",),
    loses="three quarters of the outputs' full kernels; some see 5 elements, some 1",
    source="C. Szegedy et al., Going Deeper with Convolutions, arXiv:1409.4842, section 4 and table 1",
    example="28x28x192 -(3x3x192x256 same)->",
    propose=propose,
)
