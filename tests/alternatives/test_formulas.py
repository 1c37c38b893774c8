"""Counts of the forms against the formulas of their publications."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from convcost import alternatives
from convcost.alternatives import IDEAS, ConvLayer, Skip

Count = Callable[[str], Any]
Read = Callable[[str], ConvLayer]

BY_NAME = {idea.name: idea for idea in IDEAS}


O, K, C, M = 14, 5, 24, 48


def forms(layer: ConvLayer, idea: str) -> dict[str, str]:
    """Shape strings by name."""
    return {form.name: str(form.notation) for form in alternatives.proposals(BY_NAME[idea], layer)}


@pytest.mark.parametrize(
    ("idea", "form", "products"),
    [
        ("depthwise separable", "depthwise separable", O**2 * C * (K**2 + M)),
        ("depthwise separable", "depthwise separable, multiplier 2", 2 * O**2 * C * (K**2 + M)),
        ("spatially separable", "spatially separable", O**2 * K * min(C, M) * (C + M)),
        ("stack of small kernels", "two 3×3", O**2 * 9 * min(C, M) * (C + M)),
        ("dilated", "dilated", O**2 * 9 * C * M),
        ("wider field", "wider field", O**2 * K**2 * C * M),
        ("grouped", "grouped, g=4", O**2 * K**2 * C * M // 4),
        ("grouped", "depthwise, g=24", O**2 * K**2 * M),
        ("grouped pointwise", "grouped pointwise g=8", O**2 * C * (K**2 + M // 8)),
        ("flattened", "flattened", O**2 * (C * M + 2 * K * M)),
        ("bottleneck", "bottleneck to 6", O**2 * (C * 6 + K**2 * 36 + 6 * M)),
        ("inverted bottleneck", "inverted bottleneck ×6", O**2 * 6 * C * (C + K**2 + M)),
        ("low rank", "low rank 12, k×k first", O**2 * 12 * (K**2 * C + M)),
        ("low rank", "low rank 6, 1×1 first", O**2 * 6 * (C + K**2 * M)),
        ("inception", "inception", O**2 * (C * 12 + C * 12 + 12 * 9 * 24 + C * 2 + 2 * 25 * 6 + C * 6)),
    ],
)  # fmt: skip
def test_products(count: Count, layer: Read, idea: str, form: str, products: int) -> None:
    """The formulas that the ideas give as their cost, with same padding."""
    text = forms(layer(f"{O}x{O}x{C} -({K}x{K}x{C}x{M} same)->"), idea)[form]
    assert count(text).macs == products


@pytest.mark.parametrize("g", [2, 3, 4, 8])
def test_the_shuffled_unit(count: Count, layer: Read, g: int) -> None:
    """arXiv:1707.01083, section 3.2: h·w·(2·c·m/g + 9·m) for m channels inside."""
    text = forms(layer("28x28x96 -(3x3x96x96 same)->"), "shuffled")[f"shuffled, g={g}"]
    assert count(text).macs == 28**2 * (2 * 96 * 24 // g + 9 * 24)


@pytest.mark.parametrize(
    ("text", "idea", "form", "ratio"),
    [
        pytest.param("17x17x64 -(5x5x64x64 same)->", "stack of small kernels", "two 3×3", Fraction(18, 25), id="I2"),
        pytest.param("17x17x64 -(7x7x64x64 same)->", "stack of small kernels", "three 3×3", Fraction(27, 49), id="7x7"),
        pytest.param("17x17x64 -(3x3x64x64 same)->", "stack of small kernels", "two 2×2", Fraction(8, 9), id="I3 2x2"),
        pytest.param("17x17x64 -(3x3x64x64 same)->", "spatially separable", "spatially separable", Fraction(2, 3), id="I3"),
        pytest.param("14x14x64 -(3x3x64x512 same)->", "depthwise separable", "depthwise separable",
                     Fraction(1, 512) + Fraction(1, 9), id="S1"),
        pytest.param("12x12x3 -(5x5x3x256)->", "depthwise separable", "depthwise separable",
                     Fraction(53_952, 1_228_800), id="D2"),
        pytest.param("7x7x3 -(3x3x3x128)->", "depthwise separable", "depthwise separable",
                     Fraction(10_275, 86_400), id="D3"),
        pytest.param("5x5x1 -(3x3x1x1)->", "spatially separable", "spatially separable", Fraction(72, 81), id="D4"),
    ],
)  # fmt: skip
def test_published_ratios(count: Count, layer: Read, text: str, idea: str, form: str, ratio: Fraction) -> None:
    assert Fraction(count(forms(layer(text), idea)[form]).macs, count(text).macs) == ratio


@pytest.mark.parametrize(("m", "limit"), [(3, Fraction(2, 3)), (5, Fraction(2, 5)), (7, Fraction(2, 7))])
def test_d5_the_limit_of_spatial_separation(count: Count, layer: Read, m: int, limit: Fraction) -> None:
    """K. Bai: 2/m + 2/(m (N - 2)) at m = 3, towards 2/m for large images."""
    text = f"100000x100000x1 -({m}x{m}x1x1)->"
    ratio = Fraction(count(forms(layer(text), "spatially separable")["spatially separable"]).macs, count(text).macs)
    assert 0 < ratio - limit < Fraction(1, 10_000)


@pytest.mark.parametrize(("form", "macs", "size"), [("valid", 9, 3), ("same", 15, 5), ("full", 21, 7)])
def test_paddings(count: Count, layer: Read, form: str, macs: int, size: int) -> None:
    """Three taps over five elements: 3, 5 or 7 outputs."""
    names = {f"padding: {form}"}
    found = [
        count(text)
        for other in ("valid", "same", "full")
        for name, text in forms(layer(f"5x1 -(3x1x1 {other})->"), "padding").items()
        if name in names
    ]
    assert [(one.macs, one.shape) for one in found] == [(macs, (1, 1, size))] * 2


@pytest.mark.parametrize(
    ("form", "products"),
    [("winograd F(2)", 16 * 28 * 28), ("winograd F(4)", 36 * 14 * 14), ("winograd F(6)", 64 * 10 * 10)],
)
def test_winograd(layer: Read, form: str, products: int) -> None:
    """arXiv:1509.09308, section 4: (m+2)² products for a tile of m², on 56×56 (F(6) with ragged tiles)."""
    found = alternatives.proposals(BY_NAME["winograd"], layer("56x56x1 -(3x3x1x1 same)->"))
    (cost,) = [f.algorithm for f in found if f.name == form]
    assert cost is not None
    assert cost.multiplications == products


def test_a_resize_costs_the_stride_squared(count: Count, layer: Read) -> None:
    """Distill 2016: the convolution is over the enlarged map; a transposed one is over the small one."""
    text = "14x14x64 -(4x4x64x32 T s2 p1)->"
    (after,) = forms(layer(text), "resize, then convolve").values()
    assert count(after).macs == 4 * count(text).macs


@pytest.mark.parametrize(
    ("text", "idea", "reason"),
    [
        ("8x8x3 -(1x1x3x8)->", "depthwise separable", "1×1"),
        ("8x8x4 -(3x3x1x4)->", "depthwise separable", "depthwise already"),
        ("8x8x4 -(3x3x2x4 g2)->", "low rank", "grouped"),
        ("8x4 -(3x4x4)->", "spatially separable", "one axis"),
        ("8x8x4 -(4x4x4x4)->", "stack of small kernels", "even"),
        ("8x8x4 -(5x3x4x4)->", "stack of small kernels", "unlike"),
        ("64x64x4 -(19x19x4x4)->", "stack of small kernels", "9 layers"),
        ("8x8x4 -(3x3x4x4)->", "dilated", "larger than 3"),
        ("8x8x3 -(3x3x3x4)->", "grouped", "3 and 4"),
        ("8x8x8 -(3x3x8x8)->", "shuffled", "sizes kept"),
        ("8x8x8 -(3x3x8x16 same)->", "shuffled", "as many output channels"),
        ("8x8x8 -(3x3x8x8 same)->", "bottleneck", "8 channels"),
        ("8x8x32 -(3x3x32x32 s2 same)->", "inception", "sizes kept"),
        ("8x8x3 -(3x3x3x3 s2)->", "winograd", "stride 1"),
        ("8x8x3 -(3x3x3x3 d2)->", "fft", "dilation 1"),
        ("8x8x3 -(3x3x3x3)->", "resize, then convolve", "not a transposed"),
        ("8x8x3 -(3x3x3x3 T s2)->", "grouped", "transposed"),
        ("8x8x3 -(3x3x3x3 T)->", "resize, then convolve", "stride 1"),
        ("8x8x3 -(2x2x3x3 T s2 p2)->", "resize, then convolve", "larger than its output"),
    ],
)
def test_reasons(layer: Read, text: str, idea: str, reason: str) -> None:
    with pytest.raises(Skip, match=reason):
        alternatives.proposals(BY_NAME[idea], layer(text))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("8x8x3 -(maxpool 2x2)->", "not a convolution"),
        ("8x8x3 -(3x3x3x3)-> -(3x3x3x3)-> -(3x3x3x3)->", "3 layers"),
        ("8x8x3 -(3x3x3x3)-> -(3x3x3x3)->", "not the halves"),
        ("8x8x3 -(3x3x3x3 T)-> -(1x1x3x3)->", "not the halves"),
    ],
)
def test_what_is_no_layer(layer: Read, text: str, reason: str) -> None:
    with pytest.raises(Skip, match=reason):
        layer(text)


@pytest.mark.parametrize("form", ["sep", "spatial"])
def test_halves_are_read_as_the_layer_that_they_split(layer: Read, form: str) -> None:
    for options in ("", " same", " s2 p1", " full bias"):
        whole = layer(f"14x14x6 -(5x5x6x9{options})->")
        assert layer(f"14x14x6 -(5x5x6x9 {form}{options})->") == whole
