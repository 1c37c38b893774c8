"""Multiplications of single layers as published, and the output sizes of the guide to convolution arithmetic."""

from __future__ import annotations

from typing import Any

import pytest

LAYERS: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any], int]] = [
    # C.-F. Wang, A Basic Introduction to Separable Convolutions: 12x12x3 -(5x5x3x256)-> 8x8x256, and separable
    ("Conv", (1, 3, 12, 12), (256, 3, 5, 5), {}, 1_228_800),
    ("Conv", (1, 3, 12, 12), (3, 1, 5, 5), {"group": 3}, 4_800),
    ("Conv", (1, 3, 8, 8), (256, 3, 1, 1), {}, 49_152),
    # K. Bai, A Comprehensive Introduction to Different Types of Convolutions: 7x7x3 -> 5x5x128, and separable
    ("Conv", (1, 3, 7, 7), (128, 3, 3, 3), {}, 86_400),
    ("Conv", (1, 3, 7, 7), (3, 1, 3, 3), {"group": 3}, 675),
    ("Conv", (1, 3, 5, 5), (128, 3, 1, 1), {}, 9_600),
    # the same: 5x5 -(3x3)-> 3x3 directly, and as 3x1 then 1x3
    ("Conv", (1, 1, 5, 5), (1, 1, 3, 3), {}, 81),
    ("Conv", (1, 1, 5, 5), (1, 1, 3, 1), {}, 45),
    ("Conv", (1, 1, 3, 5), (1, 1, 1, 3), {}, 27),
    # Lyken17/pytorch-OpCounter, tests/test_conv2d.py
    ("Conv", (1, 3, 32, 32), (12, 3, 5, 5), {"pads": (1, 1, 1, 1)}, 810_000),
    # pytorch, test/test_flop_counter.py: 28800 FLOPs
    ("Conv", (2, 3, 6, 6), (6, 3, 4, 4), {"pads": (1, 1, 1, 1)}, 28_800 // 2),
    # zhijian-liu/torchprofile, tests/test_ops.py
    ("Conv", (1, 3, 32), (16, 3, 3), {}, 4_320),
    ("Conv", (1, 3, 8, 8), (16, 3, 3, 3), {"pads": (1, 1, 1, 1)}, 27_648),
    ("Conv", (1, 16, 8, 8), (16, 1, 3, 3), {"pads": (1, 1, 1, 1), "group": 16}, 9_216),
    # mmengine, docs/en/advanced_tutorials/model_analysis.md
    ("Conv", (1, 3, 10, 10), (10, 3, 3, 3), {}, 17_280),
    # pytorch, test/test_flop_counter.py: the four layers of ResNet-18's layer1 do 924844032 FLOPs
    ("Conv", (1, 64, 56, 56), (64, 64, 3, 3), {"pads": (1, 1, 1, 1)}, 924_844_032 // 8),
    # sovrasov/flops-counter.pytorch#149, ultralytics/thop#92
    ("ConvTranspose", (1, 3, 2, 2), (3, 1, 2, 2), {"strides": (2, 2)}, 48),
    # deepspeedai/DeepSpeed#8323
    ("ConvTranspose", (2, 4, 8, 8), (4, 6, 4, 4), {"strides": (2, 2), "pads": (1, 1, 1, 1)}, 49_152),
    (
        "ConvTranspose",
        (2, 4, 8, 8),
        (4, 1, 3, 3),
        {"strides": (2, 2), "pads": (1, 1, 1, 1), "output_padding": (1, 1), "group": 4},
        4_608,
    ),
]


@pytest.mark.parametrize(("op", "x", "w", "attributes", "macs"), LAYERS)
def test_macs(op: str, x: Any, w: Any, attributes: dict[str, Any], macs: int, apply: Any) -> None:
    assert apply(op, x, w, **attributes).cost().macs == macs


@pytest.mark.parametrize(
    ("w", "attributes", "flops"),
    [
        ((4, 6, 4, 4), {}, 101_376),
        ((4, 1, 3, 3), {"output_padding": (1, 1), "group": 4}, 11_264),
    ],
)
def test_flops_of_a_transposed_convolution_with_a_bias(w: Any, attributes: Any, flops: int, apply: Any) -> None:
    """Source: deepspeedai/DeepSpeed#8323."""
    bias = (w[1] * attributes.get("group", 1),)
    layer = apply("ConvTranspose", (2, 4, 8, 8), w, bias, strides=(2, 2), pads=(1, 1, 1, 1), **attributes)
    assert layer.cost().flops == flops


def test_products_with_padding_are_told_apart(apply: Any) -> None:
    """Source: google/flax#3392, 256 FLOPs of which XLA's cost analysis counts 196."""
    work = apply("Conv", (1, 1, 4, 4), (2, 1, 2, 2), auto_pad="SAME_UPPER").cost()
    assert (2 * work.macs, 2 * work.effective) == (256, 196)


@pytest.mark.parametrize(
    ("i", "k", "s", "p", "o"),
    [
        (4, 3, 1, 0, 2),
        (5, 4, 1, 2, 6),
        (5, 3, 1, 1, 5),
        (5, 3, 1, 2, 7),
        (5, 3, 2, 0, 2),
        (5, 3, 2, 1, 3),
        (6, 3, 2, 1, 3),
    ],
)
def test_figures_of_convolution_arithmetic(i: int, k: int, s: int, p: int, o: int, apply: Any) -> None:
    """Source: V. Dumoulin, F. Visin, arXiv:1603.07285, chapter 2."""
    layer = apply("Conv", (1, 1, i, i), (1, 1, k, k), strides=(s, s), pads=(p, p, p, p))
    assert layer.y.shape == (1, 1, o, o)


def test_a_dilated_kernel_costs_as_much_for_each_output(apply: Any) -> None:
    """Source: arXiv:1603.07285, figure 5.1: i = 7, k = 3, d = 2 gives o = 3."""
    layer = apply("Conv", (1, 1, 7, 7), (1, 1, 3, 3), dilations=(2, 2))
    assert layer.y.shape == (1, 1, 3, 3)
    assert layer.cost().macs == 9 * 9


def test_attention_of_vit_b_16(apply: Any) -> None:
    """Source: pytorch/vision#7871: 17,563,828,224 MACs with the products of attention, 16,848,500,736 without."""
    q = (1, 12, 197, 64)
    assert 12 * apply("Attention", q, q, q).cost().macs == 17_563_828_224 - 16_848_500_736
