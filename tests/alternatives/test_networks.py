"""Published networks rebuilt from standard layers by the alternatives, with their published counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from convcost.alternatives import ConvLayer, depthwise_separable, inception, low_rank, shuffled

Count = Callable[[str], Any]
Read = Callable[[str], ConvLayer]

MOBILENET = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *[(1, 512)] * 5, (2, 1024), (1, 1024))
"""(stride, channels) of the 3×3 layers after the first: arXiv:1704.04861, table 1."""


def mobilenet(width: int = 4, size: int = 224) -> list[str]:
    """The 3×3 layers, all standard; `width` in quarters, `size` of the image."""
    strides = (2, *(s for s, _ in MOBILENET))
    channels = (3, *(m * width // 4 for m in (32, *(m for _, m in MOBILENET))))
    out = []
    for s, (c, m) in zip(strides, pairwise(channels), strict=True):
        out.append(f"{size}x{size}x{c} -(3x3x{c}x{m} s{s} same)-> {-(-size // s)}x{-(-size // s)}x{m}")
        size = -(-size // s)
    return out


def separated(read: Read, layers: list[str]) -> list[str]:
    """The first layer as it is, the others depthwise separable."""
    return [layers[0], *(str(depthwise_separable.propose(read(text))[0].notation) for text in layers[1:])]


def macs(count: Count, layers: list[str], classifier: int) -> int:
    """Of layers and a dense layer of 1000 classes without its bias."""
    return sum(int(count(text).macs) for text in layers) + classifier * 1000


def test_s4_mobilenet_and_its_standard_twin(count: Count, layer: Read) -> None:
    """arXiv:1704.04861, table 4: 4866 M and 569 M."""
    standard = mobilenet()
    assert macs(count, standard, 1024) == 4_867_293_184
    assert macs(count, separated(layer, standard), 1024) == 568_740_352


@pytest.mark.parametrize(
    ("width", "size", "millions"),
    [(4, 224, 568.74), (3, 224, 325.40), (2, 224, 149.50), (1, 224, 41.03), (4, 192, 418.12), (4, 160, 290.68),
     (4, 128, 186.40)],
)  # fmt: skip
def test_s6_width_and_resolution(count: Count, layer: Read, width: int, size: int, millions: float) -> None:
    """arXiv:1704.04861, tables 6 and 7: 569, 325, 149, 41; 418, 290, 186 million."""
    assert round(macs(count, separated(layer, mobilenet(width, size)), 256 * width) / 1e6, 2) == millions


def test_s3_share_of_each_kind(count: Count, layer: Read) -> None:
    """arXiv:1704.04861, table 2: 94.86 % pointwise, 3.06 % depthwise, 1.19 % (a misprint for 1.91 %) standard."""
    shares: Counter[str] = Counter()
    for text in separated(layer, mobilenet()):
        for kind, part in count(text).kinds:
            shares[kind] += part
    total = shares.total() + 1024 * 1000
    percents = {kind: round(100 * part / total, 2) for kind, part in shares.items()}
    assert percents == {"pointwise": 94.86, "depthwise": 3.06, "standard": 1.91}


SHUFFLENET = {1: (144, 143.08), 2: (200, 140.84), 3: (240, 137.46), 4: (272, 134.34), 8: (384, 138.37)}
"""Groups to (channels of stage 2, millions of MACs): arXiv:1707.01083, table 1, prints 143, 140, 137, 133, 137."""


@pytest.mark.parametrize("g", SHUFFLENET)
def test_g2_shufflenet(count: Count, layer: Read, g: int) -> None:
    """Units in stages of 4, 8 and 4; the first unit's first 1×1 has no groups."""
    channels, millions = SHUFFLENET[g]
    texts = ["224x224x3 -(3x3x3x24 s2 p1)-> 112x112x24"]
    size, c = 56, 24
    for stage, repeats in enumerate((3, 7, 3)):
        m, half = channels << stage, size // 2
        down = layer(f"{size}x{size}x{c} -(3x3x{c}x{m} s2 p1)-> {half}x{half}x{m}")
        same = layer(f"{half}x{half}x{m} -(3x3x{m}x{m} same)-> {half}x{half}x{m}")
        texts += [shuffled.unit(down, g, 1 if stage == 0 else None), *[shuffled.unit(same, g)] * repeats]
        size, c = half, m
    assert round(macs(count, texts, c) / 1e6, 2) == millions


@pytest.mark.parametrize(
    ("size", "c", "widths", "millions"),
    [
        pytest.param(28, 192, (64, 96, 128, 16, 32, 32), 128, id="3a"),
        pytest.param(28, 256, (128, 128, 192, 32, 96, 64), 304, id="3b"),
        pytest.param(14, 480, (192, 96, 208, 16, 48, 64), 73, id="4a"),
        pytest.param(14, 512, (160, 112, 224, 24, 64, 64), 88, id="4b"),
        pytest.param(14, 512, (128, 128, 256, 24, 64, 64), 100, id="4c"),
        pytest.param(14, 512, (112, 144, 288, 32, 64, 64), 119, id="4d"),
        pytest.param(14, 528, (256, 160, 320, 32, 128, 128), 170, id="4e"),
        pytest.param(7, 832, (384, 192, 384, 48, 128, 128), 71, id="5b"),
    ],
)
def test_i4_modules_of_googlenet(
    count: Count, layer: Read, size: int, c: int, widths: tuple[int, ...], millions: int
) -> None:
    """arXiv:1409.4842, table 1."""
    m = widths[0] + widths[2] + widths[4] + widths[5]
    module = count(inception.module(layer(f"{size}x{size}x{c} -(3x3x{c}x{m} same)->"), *widths))
    assert module.shape == (1, m, size, size)
    assert abs(module.macs / 1e6 - millions) < 1


def test_i4_the_reduced_second_layer(count: Count, layer: Read) -> None:
    """arXiv:1409.4842, table 1: a 1×1 to 64 channels before the 3×3 to 192: 360 M, 112 K of parameters."""
    reduced = count(low_rank.inputs(layer("56x56x64 -(3x3x64x192 same)->"), 64).text)
    assert (round(reduced.macs / 1e6), round(reduced.params / 1024)) == (360, 112)
