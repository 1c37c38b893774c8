"""How padding, stride, groups and channels are decided, and what is said about it."""

from __future__ import annotations

import pytest

from convcost.ir import Node
from convcost.notation import parse


def layer(text: str) -> Node:
    (node,) = parse(text).nodes
    return node


WINDOWS = [
    ("12x12x3 -(5x5x3x8)-> 8x8x8", (1, 1), (0, 0, 0, 0)),
    ("12x12x3 -(5x5x3x8)-> 12x12x8", (1, 1), (2, 2, 2, 2)),
    ("12x12x3 -(5x5x3x8)-> 16x16x8", (1, 1), (4, 4, 4, 4)),
    ("12x12x3 -(5x5x3x8)-> 10x10x8", (1, 1), (1, 1, 1, 1)),
    ("12x12x3 -(5x5x3x8)-> 4x4x8", (2, 2), (0, 0, 0, 0)),
    ("12x12x3 -(5x3x3x8)-> 8x12x8", (1, 1), (0, 1, 0, 1)),
    ("12x12x3 -(5x5x3x8)-> 8x4x8", (1, 2), (0, 0, 0, 0)),
    ("224x224x3 -(7x7x3x64)-> 112x112x64", (2, 2), (2, 2, 3, 3)),
    ("224x224x3 -(7x7x3x64 same_lower)-> 112x112x64", (2, 2), (3, 3, 2, 2)),
    ("224x224x3 -(7x7x3x64 p3)-> 112x112x64", (2, 2), (3, 3, 3, 3)),
    ("227x227x3 -(11x11x3x96)-> 55x55x96", (4, 4), (0, 0, 0, 0)),
    ("224x224x3 -(11x11x3x96 s4)-> 55x55x96", (4, 4), (2, 2, 2, 2)),
    ("32x32x8 -(3x3x8x8, dilation=2)-> 30x30x8", (1, 1), (1, 1, 1, 1)),
    ("8x8x3 -(3x3x3x4 p=0/1/2/1)->", (1, 1), (0, 1, 2, 1)),
    ("8x8x3 -(3x3x3x4 p=1x0 s=2x1)->", (2, 1), (1, 0, 1, 0)),
    ("112x112x8 -(maxpool 3x3 s2 p1)-> 56x56x8", (2, 2), (1, 1, 1, 1)),
    ("112x112x8 -(maxpool 2x2)->", (2, 2), (0, 0, 0, 0)),
    ("112x112x8 -(maxpool 3x3)-> 56x56x8", (2, 2), (0, 0, 1, 1)),
    ("9x9x8 -(avgpool 3x3)-> 3x3x8", (3, 3), (0, 0, 0, 0)),
    ("2x2x3 -(2x2x3x1 T)-> 4x4x1", (2, 2), (0, 0, 0, 0)),
    ("4x4x3 -(4x4x3x8 T)-> 8x8x8", (2, 2), (1, 1, 1, 1)),
    ("4x4x3 -(3x3x3x8 T)-> 8x8x8", (2, 2), (1, 1, 1, 1)),
    ("4x4x3 -(3x3x3x8 T s2 same)->", (2, 2), (0, 0, 1, 1)),
]


@pytest.mark.parametrize(("text", "strides", "pads"), WINDOWS)
def test_windows(text: str, strides: tuple[int, ...], pads: tuple[int, ...]) -> None:
    attrs = layer(text).attrs
    assert (attrs.strides, attrs.pads) == (strides, pads)


GROUPS = [
    ("8x8x4 -(3x3x4x8)->", 1, (8, 4, 3, 3)),
    ("8x8x4 -(3x3x1x8)->", 4, (8, 1, 3, 3)),
    ("8x8x4 -(3x3x1x2)-> 6x6x8", 4, (8, 1, 3, 3)),
    ("8x8x4 -(3x3x1x4)-> 6x6x16", 4, (16, 1, 3, 3)),
    ("12x12x3 -(5x5x1x1)->", 3, (3, 1, 5, 5)),
    ("8x8x1 -(3x3x1x5)->", 1, (5, 1, 3, 3)),
    ("8x8x6 -(3x3x2x12 g3)->", 3, (12, 2, 3, 3)),
    ("8x8x6 -(3x3x2x4 g3)-> 6x6x12", 3, (12, 2, 3, 3)),
    ("8x8x4 -(3x3 dw)->", 4, (4, 1, 3, 3)),
    ("8x8x4 -(3x3 dw2)->", 4, (8, 1, 3, 3)),
    ("8x8x4,k3x5,dw=2", 4, (8, 1, 3, 5)),
    ("56x56x64,k3,c128,s2,g4,same", 4, (128, 16, 3, 3)),
    ("8x8x6 -(3x3x2x12 g3 T)->", 3, (6, 4, 3, 3)),
    ("8x8x4 -(3x3x1x8 T)->", 4, (4, 2, 3, 3)),
]


@pytest.mark.parametrize(("text", "group", "weight"), GROUPS)
def test_groups(text: str, group: int, weight: tuple[int, ...]) -> None:
    graph = parse(text)
    assert graph.nodes[0].attrs.group == group
    assert graph.tensors["conv1.weight"].shape == weight


@pytest.mark.parametrize("kernel", ["5x5x3x256", "5x5x3x256 sep", "5x5x3x256 spatial"])
def test_an_ambiguous_stride_is_said(kernel: str) -> None:
    graph = parse(f"12x12x3 -({kernel})-> 4x4x256")
    assert [(note.code, note.location) for note in graph.notes] == [("C150", graph.nodes[0].name)]
    assert "stride 3 same" in graph.notes[0].message
    assert graph.notes[0].message in graph.nodes[0].reading


@pytest.mark.parametrize(
    "text",
    [
        "8x8x4 -(maxpool 2x2)-> 4x4x4",
        "224x224x3 -(7x7x3x64)-> 112x112x64",
        "12x12x3 -(5x5x3x8)->",
        "12x12x3 -(5x5x3x8 s2)-> 4x4x8",
    ],
)
def test_nothing_is_noted_where_nothing_is_ambiguous(text: str) -> None:
    assert parse(text).notes == ()


def test_what_was_inferred_is_said() -> None:
    (sentence,) = layer("224x224x3 -(7x7x3x64)-> 112x112x64").reading
    assert sentence == "stride 2, padding same (2 before, 3 after): inferred from the declared output 112x112"


def test_the_usual_stride_of_a_pooling_needs_no_words() -> None:
    assert layer("8x8x4 -(maxpool 2x2)-> 4x4x4").reading == ()
    assert "stride 2" in layer("112x112x8 -(maxpool 3x3)-> 56x56x8").reading[0]


def test_axes_that_differ_are_said_one_by_one() -> None:
    first, second = layer("12x12x3 -(5x3x3x8)-> 8x12x8").reading
    assert (first[:22], second[:20]) == ("axis 1: padding valid,", "axis 2: padding same")


def test_the_canonical_example_needs_no_words() -> None:
    assert layer("12x12x3 -(5x5x3x256)-> 8x8x256").reading == ()


def test_the_article_string_has_its_note() -> None:
    assert [n.code for n in parse("12x12x3 — (5x5x3x256) — > 12x12x256").notes] == ["C151"]
    assert parse("12x12x3 -(5x5x3x256 same)-> 12x12x256").notes == ()


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("8x8x4 -(3x3x1x2)-> 6x6x8", True),
        ("8x8x6 -(3x3x2x4 g3)-> 6x6x12", True),
        ("8x8x4 -(3x3x1x8)-> 6x6x8", False),
        ("12x12x3 -(5x5x1x1)->", False),
    ],
)
def test_a_fourth_number_per_channel_is_noted(text: str, noted: bool) -> None:
    graph = parse(text)
    assert ("C152" in [n.code for n in graph.notes]) is noted
    assert any("depthwise" in s or "per group" in s for s in graph.nodes[0].reading)


def test_names_follow_the_text() -> None:
    graph = parse(
        "8x8x4 -(3x3x4x4 sep same)-> -(3x3x4x4 spatial same)-> -{ (id) + (3x3x4x4 same) }-> -(relu)-> -(shuffle g2)->"
        " -(bn)-> -(gap)-> -(fc 3)->"
    )
    assert [n.name for n in graph.nodes] == [
        "conv1_depthwise",
        "conv1_pointwise",
        "conv2_vertical",
        "conv2_horizontal",
        "conv3",
        "add1",
        "relu1",
        "shuffle1_split",
        "shuffle1_swap",
        "shuffle1_merge",
        "bn1",
        "gap1",
        "flatten1",
        "fc1",
    ]


def test_a_bias_belongs_to_the_last_of_two_steps() -> None:
    for form, last in (("sep", "pointwise"), ("spatial", "horizontal")):
        stored = [t.name for t in parse(f"8x8x4 -(3x3x4x6 {form} bias)->").tensors.values() if "bias" in t.name]
        assert stored == [f"conv1_{last}.bias"]


def test_the_inner_width_of_spatial_is_the_smaller() -> None:
    for c, m in ((8, 4), (4, 8)):
        assert parse(f"9x9x{c} -(3x3x{c}x{m} spatial)->").tensors["conv1_vertical.out"].shape == (1, 4, 7, 9)
