"""Figures that were published or worked out by hand, from strings to counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from convcost.ir import DType
from convcost.notation import parse

Counter = Callable[[Any], Any]

PUBLISHED = [
    ("12x12x3 -(5x5x3x256)-> 8x8x256", [1_228_800], 19_200, "8x8x256"),
    ("12x12x3 -(5x5x1x1)-> -(1x1x3x256)-> 8x8x256", [4_800, 49_152], 843, "8x8x256"),
    ("12x12x3 -(5x5x1x1)-> 8x8x3 -(1x1x3x256)-> 8x8x256", [4_800, 49_152], 843, "8x8x256"),
    ("12x12x3 -(5x5x3x256 sep)->", [4_800, 49_152], 843, "8x8x256"),
    ("7x7x3 -(3x3x3x128)-> 5x5x128", [86_400], 3_456, "5x5x128"),
    ("7x7x3 -(3x3x3x128 sep)-> 5x5x128", [675, 9_600], 27 + 384, "5x5x128"),
    ("5x5x1 -(3x3x1x1)-> 3x3x1", [81], 9, "3x3x1"),
    ("5x5x1 -(3x1x1x1)-> -(1x3x1x1)-> 3x3x1", [45, 27], 6, "3x3x1"),
    ("5x5x1 -(3x3x1x1 spatial)-> 3x3x1", [45, 27], 6, "3x3x1"),
    ("2x2x3 -(2x2x3x1 T s2)-> 4x4x1", [48], 12, "4x4x1"),
    ("4x4x1 -(2x2x1x2 same)-> 4x4x2", [128], 8, "4x4x2"),
    ("224x224x3 -(7x7x3x64)-> 112x112x64", [118_013_952], 9_408, "112x112x64"),
    ("32x32x3 -(5x5x3x12 p2)->", [921_600], 900, "32x32x12"),
    ("10x10x3 -(3x3x3x10 bias)->", [17_280], 280, "8x8x10"),
    ("784 -(784x10)-> 10", [7_840], 7_840, "10"),
    ("12x12x3,k5,c256", [1_228_800], 19_200, "8x8x256"),
    ("7x7x3,k3,c128,sep", [675, 9_600], 411, "5x5x128"),
]


@pytest.mark.parametrize(("text", "steps", "params", "output"), PUBLISHED)
def test_published_figures(text: str, steps: list[int], params: int, output: str, counts: Counter) -> None:
    got = counts(parse(text))
    assert (got.steps, got.params, got.output) == (steps, params, output)


@pytest.mark.parametrize(("mode", "nominal", "effective"), [("full", 21, 15), ("same", 15, 13), ("valid", 9, 9)])
def test_padding_zeros_are_told_apart(mode: str, nominal: int, effective: int, counts: Counter) -> None:
    got = counts(parse(f"5x1 -(3x1x1 {mode})->"))
    assert (got.multiplications, got.effective) == (nominal, effective)


def test_same_padding_of_an_even_kernel(counts: Counter) -> None:
    assert counts(parse("4x4x1 -(2x2x1x2 same)-> 4x4x2")).effective == 98


def test_lenet_5_as_a_string(counts: Counter) -> None:
    got = counts(
        parse(
            "28x28x1 -(5x5x1x6 same bias)-> -(relu)-> -(maxpool 2x2)-> -(5x5x6x16 bias)-> -(relu)-> -(maxpool 2x2)->"
            " -(flatten)-> 400 -(fc 120)-> -(relu)-> -(fc 84)-> -(relu)-> -(fc 10)-> 10"
        )
    )
    assert (got.multiplications, got.params) == (416_520, 61_706)


def test_inception_3a_as_a_string(counts: Counter) -> None:
    """GoogLeNet's table prints 128 M operations for it and 159 K (1024 each) parameters."""
    got = counts(
        parse(
            "28x28x192 -{ (1x1x192x64) | (1x1x192x96)-> (3x3x96x128 same) | (1x1x192x16)-> (5x5x16x32 same)"
            " | (maxpool 3x3 s1 same)-> (1x1x192x32) }-> 28x28x256"
        )
    )
    weights = 192 * 64 + 192 * 96 + 9 * 96 * 128 + 192 * 16 + 25 * 16 * 32 + 192 * 32
    assert (got.params, got.multiplications) == (weights, weights * 28 * 28)
    assert round(got.multiplications / 10**6) == 128
    assert got.params // 1024 == 159


def test_dimensions_of_any_size_multiply_exactly(counts: Counter) -> None:
    n = 2**63 - 1
    got = counts(parse(f"{n}x{n}x{n} -(1x1x{n}x{n})->"))
    assert (got.multiplications, got.params) == (n**4, n**2)


def test_batch_and_type() -> None:
    graph = parse("12x12x3 -(5x5x3x256 bias)->", batch=7, dtype=DType.FLOAT16)
    assert graph.resolved
    assert graph.tensors["input"].shape == (7, 3, 12, 12)
    assert graph.tensors["conv1.weight"].shape == (256, 3, 5, 5)
    assert graph.tensors["conv1.bias"].shape == (256,)
    assert graph.tensors[graph.outputs[0]].shape == (7, 256, 8, 8)
    assert {t.dtype for t in graph.tensors.values()} == {DType.FLOAT16}
