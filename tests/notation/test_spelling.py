"""Every accepted spelling gives the same graph as the canonical one."""

from __future__ import annotations

import pytest

from convcost.notation import canonical, parse

PLAIN = "12x12x3 -(5x5x3x256)-> 8x8x256"

SAME_GRAPH = [
    "12X12X3 -(5X5X3X256)-> 8X8X256",
    "12×12×3 -(5×5×3×256)-> 8×8×256",
    "12*12*3 -(5*5*3*256)-> 8*8*256",
    "12x12x3-(5x5x3x256)->8x8x256",
    "12x12x3(5x5x3x256)→8x8x256",
    "  12 x 12 x 3  - ( 5 x 5 x 3 x 256 )  - >  8 x 8 x 256 ",
    "12x12x3 — (5x5x3x256) — >8x8x256",
    "12x12x3 –(5x5x3x256)–> 8x8x256",
    "12x12x3 −(5x5x3x256)−> 8x8x256",
    "12x12x3\u00a0-(5x5x3x256)->\u2009 8x8x256\n",
    "012x0012x3 -(5x5x3x0256)->",
    "12x12x3 -(5x5x3x256 valid)-> 8x8x256",
    "12x12x3 -(5x5x3x256, s1, d=1, g1, p0)-> 8x8x256",
    "12x12x3 -(5x5x3x256 stride=1x1 dilation=1 groups=1 pad=0/0/0/0)->",
    "12x12x3,k5,c256",
    "12x12x3, k=5x5, channels=256, valid",
]


@pytest.mark.parametrize("text", SAME_GRAPH)
def test_spellings(text: str) -> None:
    assert canonical(text) == PLAIN
    assert parse(text) == parse(PLAIN)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("s2", "stride=2"),
        ("s=2x1", "stride = 2 x 1"),
        ("d2", "dilation=2x2"),
        ("p1", "pad=1/1/1/1"),
        ("p=1x2", "pad=1/2/1/2"),
        ("same", "same_upper"),
        ("g3", "groups=3"),
    ],
)
def test_short_and_long_options(short: str, long: str) -> None:
    kernel = "3x3x2x6" if "g" in short else "3x3x6x6"
    assert parse(f"12x12x6 -({kernel} {short})->") == parse(f"12x12x6 -({kernel}, {long})->")


CANONICAL = [
    ("224x224x3 -(7x7x3x64)-> 112x112x64", "224x224x3 -(7x7x3x64 s2 same)-> 112x112x64"),
    ("12x12x3 -(5x5x1x1)-> -(1x1x3x256)->", "12x12x3 -(5x5x1x3)-> 8x8x3 -(1x1x3x256)-> 8x8x256"),
    ("8x8x4 -(3x3x1x2)-> 6x6x8", "8x8x4 -(3x3x1x8)-> 6x6x8"),
    ("8x8x4,k3,dw", "8x8x4 -(3x3x1x4)-> 6x6x4"),
    ("56x56x64,k3,c128,s2,g4,same", "56x56x64 -(3x3x16x128 g4 s2 same)-> 28x28x128"),
    ("4x4x3 -(3x3x3x8 T bias)-> 8x8x8", "4x4x3 -(3x3x3x8 T s2 p1 op=1 bias)-> 8x8x8"),
    ("7x7x3 -(3x3x3x9, sep, same)->", "7x7x3 -(3x3x3x9 sep same)-> 7x7x9"),
    ("8x8x4 -(maxpool 3 s2 p1)->", "8x8x4 -(maxpool 3x3 s2 p1)-> 4x4x4"),
    (
        "3x3x2 -{(1x1x2x3 same)|(2x2x2x2 same)->(relu)|(maxpool 3x3 s1 same)}->",
        "3x3x2 -{ (1x1x2x3) | (2x2x2x2 same)-> (relu) | (maxpool 3x3 s1 same) }-> 3x3x7",
    ),
    (
        "4x4x2 -{ (id) + -{ (id) + (1x1x2x2) }-> -(relu)-> }->",
        "4x4x2 -{ (id) + -{ (id) + (1x1x2x2) }-> (relu) }-> 4x4x2",
    ),
]


@pytest.mark.parametrize(("text", "expected"), CANONICAL)
def test_canonical_printing(text: str, expected: str) -> None:
    assert canonical(text) == expected
