"""Multiplications under other algorithms, against published figures and tiles that are really laid."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.analysis.algorithms import Geometry, algorithms, tiled, transform_flops
from convcost.ir import Tensor
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
