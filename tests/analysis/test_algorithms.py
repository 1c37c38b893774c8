"""Multiplications under other algorithms, against published figures and tiles that are really laid."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.analysis.algorithms import Geometry, algorithms, tiled, transform_flops
from convcost.ir import Shape, Tensor, symbol
from convcost.ops.base import Call
from convcost.ops.conv import ConvAttrs
from convcost.record import AlgorithmCost


def priced(x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], **attrs: Any) -> dict[str, AlgorithmCost]:
    call = Call(ConvAttrs(**attrs), (Tensor("x", shape=x), Tensor("w", shape=w)), (Tensor("y", shape=y),))
    return {a.name.split(" t=")[0].split(" n=")[0]: a for a in algorithms(call)}


@pytest.mark.parametrize(("m", "fast", "direct"), [(2, 16, 36), (4, 36, 144), (6, 64, 324)])
def test_multiplications_of_one_tile(m: int, fast: int, direct: int) -> None:
    """F(2×2,3×3) 16 against 36, F(4×4,3×3) 36 against 144, F(6×6,3×3) 64 against 324: arXiv:1509.09308, section 4."""
    table = priced((1, 1, m + 2, m + 2), (1, 1, 3, 3), (1, 1, m, m))
    assert table["direct"].multiplications == direct
    assert table[f"winograd F({m})"].multiplications == fast


@pytest.mark.parametrize(("m", "data", "filter_", "inverse"), [(2, 32, 28, 24), (4, 156, 72, 100)])
def test_transforms_of_one_tile(m: int, data: int, filter_: int, inverse: int) -> None:
    """FLOPs of the transforms: arXiv:1509.09308, sections 4.1 and 4.3."""
    cost = priced((1, 1, m + 2, m + 2), (1, 1, 3, 3), (1, 1, m, m))[f"winograd F({m})"]
    assert (cost.data_transform_flops, cost.filter_transform_flops, cost.inverse_transform_flops) == (
        data,
        filter_,
        inverse,
    )


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(2, 5),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([2, 4]),
)
def test_ragged_tiles_are_laid_in_full(h: int, w: int, k: int, c: int, m: int, f: int) -> None:
    tiles = sum(1 for _ in range(0, h, f) for _ in range(0, w, f))
    table = priced((2, c, h + k - 1, w + k - 1), (m, c, k, k), (2, m, h, w))
    assert table[f"winograd F({f})"].multiplications == 2 * tiles * (f + k - 1) ** 2 * c * m


def test_winograd_along_one_axis() -> None:
    """A 1×3 layer is F(4, 3) along rows: 6 multiplications for 4 outputs."""
    table = priced((1, 8, 5, 14), (16, 8, 1, 3), (1, 16, 5, 12))
    assert table["winograd F(4)"].multiplications == 5 * 3 * 6 * 8 * 16


@pytest.mark.parametrize(
    ("t", "per_output"), [(8, "4.44"), (16, "2.94"), (32, "2.42"), (64, "2.20"), (128, "2.10"), (256, "2.05")]
)
def test_tiled_fft_multiplications_for_each_output(t: int, per_output: str) -> None:
    """4 t (t/2 + 1) / (t - 2)² for a 3×3 filter, 4 multiplications a complex product: arXiv:1509.09308, table 1."""
    side = t - 2
    one = Geometry((1, 1, t, t), (1, 1, 3, 3), (1, 1, side, side), ConvAttrs())
    multiplications, tiles = tiled(one, t)
    assert tiles == 1
    assert f"{multiplications / side**2:.2f}" == per_output
    best = priced((1, 1, t, t), (1, 1, 3, 3), (1, 1, side, side))["fft tiled"].multiplications
    assert best is not None
    assert best <= multiplications


@pytest.mark.parametrize(
    ("images", "n", "f", "g", "megabytes"),
    [(128, 16, 96, 256, 76), (128, 32, 96, 256, 294), (64, 64, 96, 256, 784), (128, 64, 96, 256, 1159)],
)
def test_frequency_buffers_of_the_whole_image(images: int, n: int, f: int, g: int, megabytes: int) -> None:
    """4 n (n + 1) (S f + S f' + f f') bytes in float32: arXiv:1312.5851, its table."""
    cost = priced((images, f, n, n), (g, f, 3, 3), (images, g, n - 2, n - 2))["fft whole"]
    assert round(4 * cost.buffer_elements / 1e6) == megabytes


@given(st.sampled_from([8, 16, 32, 64]), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_whole_image_fft_formula(n: int, images: int, f: int, g: int) -> None:
    """2 C n² log n (S f + f f' + S f') + 4 S f f' n² with C = 5: arXiv:1312.5851, section 2.2."""
    cost = priced((images, f, n, n), (g, f, 3, 3), (images, g, n - 2, n - 2))["fft whole"]
    assert cost.multiplications == 4 * images * f * g * n * n
    transforms = cost.data_transform_flops + cost.filter_transform_flops + cost.inverse_transform_flops
    assert transforms == round(2 * 5 * n * n * math.log2(n)) * (images * f + f * g + images * g)
    assert transform_flops(n, 2) == round(10 * n * n * math.log2(n))


def test_im2col_matrix() -> None:
    """56×56×64 under 3×3, same: 1,806,336 elements, 9 times the input; a 1×1 layer needs none."""
    full = priced((1, 64, 56, 56), (64, 64, 3, 3), (1, 64, 56, 56), pads=(1, 1, 1, 1))
    assert full["im2col"].buffer_elements == 1_806_336 == 9 * 56 * 56 * 64
    assert full["im2col"].multiplications == full["direct"].multiplications
    assert priced((1, 64, 56, 56), (64, 64, 1, 1), (1, 64, 56, 56))["im2col"].buffer_elements == 0


@pytest.mark.parametrize(
    ("attrs", "w", "y", "reason"),
    [
        ({"strides": (2, 2)}, (4, 4, 3, 3), (1, 4, 4, 4), "stride"),
        ({"dilations": (2, 2)}, (4, 4, 3, 3), (1, 4, 6, 6), "dilation"),
        ({}, (4, 4, 1, 1), (1, 4, 10, 10), "1×1"),
    ],
)
def test_what_does_not_apply_says_why(
    attrs: dict[str, tuple[int, int]], w: tuple[int, ...], y: tuple[int, ...], reason: str
) -> None:
    table = priced((1, 4, 10, 10), w, y, **attrs)
    for name in ("winograd F(2)", "fft tiled", "fft whole"):
        assert table[name].multiplications is None
        assert reason in (table[name].skipped or "")


@pytest.mark.parametrize(
    ("w", "attrs", "reasons"),
    [
        ((1, 1, 11, 11), {}, [None, None, None]),
        ((1, 1, 12, 12), {}, [None, None, "a kernel of 12 is too large"]),
        ((1, 1, 12, 12), {"strides": (1, 2)}, ["stride", "stride", "stride"]),
        ((1, 1, 3, 5), {}, ["one size"] * 3),
        ((1, 1, 3, 12), {}, ["one size", "one size", "a kernel of 12 is too large"]),
        ((1, 1, 3, 3), {"dilations": (1, 2)}, ["dilation"] * 3),
        ((1, 1, 1, 3), {"dilations": (2, 1)}, [None] * 3),
        ((1, 1, 2, 2), {"dilations": (2, 1)}, ["dilation"] * 3),
        ((1, 1, 3, 1, 3), {}, [None] * 3),
    ],
)
def test_kernels_that_winograd_takes(w: tuple[int, ...], attrs: dict[str, Any], reasons: list[str | None]) -> None:
    table = priced((1, 1, *(30 for _ in w[2:])), w, (1, 1, *(31 - k for k in w[2:])), **attrs)
    for m, reason in zip((2, 4, 6), reasons, strict=True):
        cost = table[f"winograd F({m})"]
        assert (cost.multiplications is None) == (reason is not None)
        assert (reason or "") in (cost.skipped or "")


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(2, 9))
def test_fft_tiles_are_laid_in_full(h: int, w: int, kh: int, kw: int) -> None:
    n, c, m = 2, 3, 5
    cost = priced((n, c, h + kh - 1, w + kw - 1), (m, c, kh, kw), (n, m, h, w))["fft tiled"]
    laid = []
    for t in (8, 16, 32, 64, 128, 256):
        if t >= max(kh, kw):
            tiles = n * sum(1 for _ in range(0, h, t - kh + 1) for _ in range(0, w, t - kw + 1))
            laid.append((4 * tiles * t * (t // 2 + 1) * c * m, tiles, t))
    multiplications, tiles, t = min(laid)
    one = round(2 * t * 5 * t * math.log2(t))
    assert cost.name == f"fft tiled t={t}"
    assert cost.multiplications == multiplications
    assert cost.data_transform_flops == tiles * c * one
    assert cost.filter_transform_flops == m * c * one
    assert cost.inverse_transform_flops == tiles * m * one


def test_the_largest_kernels_of_a_tile() -> None:
    assert priced((1, 1, 256, 9), (1, 1, 256, 2), (1, 1, 1, 8))["fft tiled"].multiplications is not None
    skipped = priced((1, 1, 257, 9), (1, 1, 257, 2), (1, 1, 1, 8))["fft tiled"]
    assert (skipped.multiplications, skipped.skipped) == (None, "the kernel is too large")


@pytest.mark.parametrize(
    ("sides", "pads", "n"), [((33, 20), (0, 0, 0, 0), 64), ((32, 20), (0, 0, 0, 0), 32), ((20, 30), (0, 2, 0, 1), 64)]
)
def test_the_whole_image_is_padded_to_a_power_of_two(sides: tuple[int, int], pads: tuple[int, ...], n: int) -> None:
    y = (1, 1, sides[0] - 2 + pads[0] + pads[2], sides[1] - 2 + pads[1] + pads[3])
    assert priced((1, 1, *sides), (1, 1, 3, 3), y, pads=pads)["fft whole"].name == f"fft whole n={n}"


def test_automatic_padding_counts_for_the_whole_image() -> None:
    """31 and a kernel of 3: 1 before, 1 after."""
    assert priced((1, 1, 31, 9), (1, 1, 3, 3), (1, 1, 31, 9), auto_pad="SAME_UPPER")["fft whole"].name.endswith("64")


@pytest.mark.parametrize(
    ("w", "y", "attrs", "elements"),
    [
        ((4, 3, 1, 1), (2, 4, 6, 6), {}, 0),
        ((4, 3, 1, 1), (2, 4, 3, 6), {"strides": (2, 1)}, 2 * 3 * 6 * 3),
        ((4, 3, 1, 1), (2, 4, 8, 6), {"pads": (1, 0, 1, 0)}, 2 * 8 * 6 * 3),
        ((4, 3, 3, 1), (2, 4, 4, 6), {}, 2 * 4 * 6 * 3 * 3),
    ],
)
def test_only_a_pointwise_layer_without_stride_and_padding_needs_no_buffer(
    w: tuple[int, ...], y: tuple[int, ...], attrs: dict[str, Any], elements: int
) -> None:
    assert priced((2, 3, 6, 6), w, y, **attrs)["im2col"].buffer_elements == elements


@pytest.mark.parametrize("shape", [None, (1, 3, 6, symbol("W")), (0, 3, 6, 6)])
@pytest.mark.parametrize("slot", [0, 1, 2])
def test_sizes_that_are_not_numbers_have_no_algorithms(slot: int, shape: Shape | None) -> None:
    shapes: list[Shape | None] = [(1, 3, 6, 6), (1, 3, 3, 3), (1, 1, 4, 4)]
    assert len(algorithms(of_shapes(shapes))) > 1
    shapes[slot] = shape
    assert algorithms(of_shapes(shapes)) == []


def of_shapes(shapes: list[Shape | None]) -> Call:
    x, w, y = (Tensor("", shape=s) for s in shapes)
    return Call(ConvAttrs(), (x, w), (y,))


def test_an_operator_that_is_only_called_conv_has_no_algorithms() -> None:
    assert algorithms(Call(None, (Tensor("x", shape=(1, 3, 6, 6)),), (None,))) == []
    assert algorithms(Call(ConvAttrs(), (None, None), (None,))) == []
