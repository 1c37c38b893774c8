"""Published figures of single layers and small blocks, as shape strings. Each row's id is its fact's."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost import analysis, notation

if TYPE_CHECKING:
    from tests.networks.conftest import Result


def macs(text: str) -> int:
    """Products of a shape string."""
    work = analysis.count(notation.parse(text)).total.work.macs
    assert isinstance(work, int)
    return work


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        # C.-F. Wang, "A Basic Introduction to Separable Convolutions", 2018
        pytest.param("12x12x3 -(5x5x3x256)-> 8x8x256", 1_228_800, id="D1"),
        pytest.param("12x12x3 -(5x5x1x1)-> 8x8x3 -(1x1x3x256)-> 8x8x256", 53_952, id="D2"),
        pytest.param("12x12x3 -(5x5x3x256 sep)-> 8x8x256", 53_952, id="D2 sep"),
        # K. Bai, "A Comprehensive Introduction to Different Types of Convolutions in Deep Learning", 2019
        pytest.param("7x7x3 -(3x3x3x128)-> 5x5x128", 86_400, id="D3"),
        pytest.param("7x7x3 -(3x3x3x128 sep)-> 5x5x128", 10_275, id="D3 sep"),
        pytest.param("5x5x1 -(3x3x1x1)-> 3x3x1", 81, id="D4"),
        pytest.param("5x5x1 -(3x1x1x1)-> 3x5x1 -(1x3x1x1)-> 3x3x1", 72, id="D4 separable"),
        pytest.param("5x5x1 -(3x3x1x1 spatial)-> 3x3x1", 72, id="D4 spatial"),
        # Lyken17/pytorch-OpCounter, tests/test_conv2d.py
        pytest.param("32x32x3 -(5x5x3x12 p1)->", 810_000, id="D6"),
        # zhijian-liu/torchprofile, tests/test_ops.py
        pytest.param("32x3 -(3x3x16)->", 4_320, id="D9 1-D"),
        pytest.param("8x8x3 -(3x3x3x16 p1)->", 27_648, id="D9 2-D"),
        pytest.param("8x8x16 -(3x3 dw p1)->", 9_216, id="D9 depthwise"),
        # sovrasov/flops-counter.pytorch, issue 149; ultralytics/thop, issue 92
        pytest.param("2x2x3 -(2x2x3x1 T s2)-> 4x4x1", 48, id="T1"),
        pytest.param("2x2x3 -(2x2x3x1 T s2 bias)-> 4x4x1", 48, id="T1 bias"),
    ],
)
def test_products(written: Callable[..., Result], text: str, figure: int) -> None:
    totals = written(text).totals
    assert totals.macs == figure
    assert totals.multiplications == figure


def test_steps_of_a_separable_layer(written: Callable[..., Result]) -> None:
    """D2: 4,800 and 49,152; D3: 675 and 9,600."""
    wang = written("12x12x3 -(5x5x3x256 sep)-> 8x8x256").layers.values()
    bai = written("7x7x3 -(3x3x3x128 sep)-> 5x5x128").layers.values()
    assert [layer.cost.macs for layer in (*wang, *bai)] == [4_800, 49_152, 675, 9_600]


@pytest.mark.parametrize(
    ("text", "products", "flops"),
    [
        # pytorch/pytorch, test/test_flop_counter.py
        pytest.param("6x6x3 -(4x4x3x6 p1)->", 14_400, 28_800, id="D7"),
        # deepspeedai/DeepSpeed, issue 8323
        pytest.param("8x8x4 -(4x4x4x6 T s2 p1 bias)-> 16x16x6", 49_152, 101_376, id="T2"),
        pytest.param("8x8x4 -(3x3x1x4 T s2 p1 op1 g4 bias)-> 16x16x4", 4_608, 11_264, id="T3"),
    ],
)
def test_batches_of_two(written: Callable[..., Result], text: str, products: int, flops: int) -> None:
    totals = written(text, 2).totals
    assert (totals.macs, totals.flops) == (products, flops)


def test_d11(written: Callable[..., Result]) -> None:
    """open-mmlab/mmengine, model_analysis.md: 17,280 products, 640 activations, 280 parameters."""
    net = written("10x10x3 -(3x3x3x10 bias)-> 8x8x10")
    assert net.figures == (17_280, 280)
    assert net.totals.write_bytes == 640 * 4


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 6), st.integers(1, 6))
def test_t5_down_and_up_cost_the_same(extra: int, k: int, s: int, p: int, c: int, m: int) -> None:
    """ultralytics/thop, tests: a convolution and the transposed one that undoes its shape."""
    p = min(p, k - 1)
    i = k + extra
    o, rest = divmod(i + 2 * p - k, s)
    o += 1
    down = f"{i}x{i}x{c} -({k}x{k}x{c}x{m} s{s} p{p})-> {o}x{o}x{m}"
    up = f"{o}x{o}x{m} -({k}x{k}x{m}x{c} T s{s} p{p} op{rest})-> {i}x{i}x{c}"
    assert macs(down) == macs(up)


def test_p1_padding_zeros(written: Callable[..., Result]) -> None:
    """google/flax, issue 3392: 256 FLOPs nominal, 196 = 2 ⋅ 2 ⋅ 7² without the padding, as XLA counts."""
    totals = written("4x4x1 -(2x2x1x2 same)-> 4x4x2").totals
    assert totals.macs is not None
    assert totals.macs_effective is not None
    assert (2 * totals.macs, 2 * totals.macs_effective) == (256, 196)


@pytest.mark.parametrize("m", [3, 5, 7])
def test_d5_limit_of_spatial_separation(m: int) -> None:
    """K. Bai: 2/m for large images; for m = 3 the ratio is 2/m + 2/(m (N - 2))."""
    n = 10**9
    ratio = Fraction(macs(f"{n}x{n}x1 -({m}x{m}x1x1 spatial)->"), macs(f"{n}x{n}x1 -({m}x{m}x1x1)->"))
    assert 0 < ratio - Fraction(2, m) < Fraction(m, n)
    assert m != 3 or ratio == Fraction(2, m) + Fraction(2, m * (n - 2))


@pytest.mark.parametrize("n", [32, 512, 1024])
@pytest.mark.parametrize("k", [3, 5])
def test_s1_depthwise_separable_ratio(n: int, k: int) -> None:
    """arXiv:1704.04861, section 3.1: 1/N + 1/k²; 0.11306, or 8.845 times less, for N = 512 and k = 3."""
    standard, separable = (macs(f"14x14x64 -({k}x{k}x64x{n} same{sep})->") for sep in ("", " sep"))
    ratio = Fraction(separable, standard)
    assert ratio == Fraction(1, n) + Fraction(1, k * k)
    if (n, k) == (512, 3):
        assert (f"{float(ratio):.5f}", f"{float(1 / ratio):.3f}") == ("0.11306", "8.845")


@pytest.mark.parametrize(
    ("text", "standard", "ratio"),
    [
        pytest.param("(5x5x64x64 same)", "(3x3x64x64 same)", Fraction(25, 9), id="I1"),
        pytest.param("(3x3x64x64 same)-> -(3x3x64x64 same)", "(5x5x64x64 same)", Fraction(18, 25), id="I2"),
        pytest.param("(3x1x64x64 same)-> -(1x3x64x64 same)", "(3x3x64x64 same)", Fraction(6, 9), id="I3 3x1 1x3"),
        pytest.param("(3x3x64x64 same spatial)", "(3x3x64x64 same)", Fraction(6, 9), id="I3 spatial"),
        pytest.param("(2x2x64x64 same)-> -(2x2x64x64 same)", "(3x3x64x64 same)", Fraction(8, 9), id="I3 2x2"),
    ],
)
def test_factorised_windows(text: str, standard: str, ratio: Fraction) -> None:
    """arXiv:1512.00567, section 3: 2.78 times; 28 %, 33 % and 11 % saved."""
    assert Fraction(macs(f"17x17x64 -{text}->"), macs(f"17x17x64 -{standard}->")) == ratio


@pytest.mark.parametrize("text", ["(3x3x8x8)-> -(3x3x8x8)", "(5x5x8x8)"])
def test_i2_both_see_five_elements(written: Callable[..., Result], text: str) -> None:
    net = written(f"17x17x8 -{text}-> 13x13x8")
    assert net.field(list(net.layers)[-1]) == (5, "1", "0")


def test_i4_inception_3a_as_a_shape_string(written: Callable[..., Result]) -> None:
    """arXiv:1409.4842, table 1: 128 M, 159 K (units of 1024)."""
    net = written(
        "28x28x192 -{ (1x1x192x64) | (1x1x192x96)-> -(3x3x96x128 same) | (1x1x192x16)-> -(5x5x16x32 same)"
        " | (maxpool 3x3 s1 same)-> -(1x1x192x32) }-> 28x28x256"
    )
    weights = 192 * 64 + 192 * 96 + 9 * 96 * 128 + 192 * 16 + 25 * 16 * 32 + 192 * 32
    assert net.figures == (784 * weights, weights)
    assert (round(784 * weights / 1e6), weights // 1024) == (128, 159)
