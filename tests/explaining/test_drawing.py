"""Drawings show what a convolution does: their cells are counted and compared with one done by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from convcost import api
from convcost.record import CELLS, Drawing, DrawnRow
from convcost.report import render
from convcost.report.explanation import GLYPHS, glyph
from convcost.report.style import Style
from convcost.report.text import cells


def drawings(text: str) -> list[Drawing]:
    (explanation,) = api.explain(text).explanations
    return [drawing for section in explanation.sections for drawing in section.drawings]


def count(rows: list[DrawnRow], *words: str) -> int:
    return sum(cell in words for row in rows for cell in row.cells)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same", "full"])
def test_the_first_window(k: int, d: int, padding: str) -> None:
    text = f"6x7x1 -({k}x{k}x1x1 d{d} {padding})->"
    attributes = api.count(text).models[0].layers[0].attributes
    pads = attributes.get("pads", [0, 0, 0, 0])
    image = np.pad(np.ones((6, 7), int), ((pads[0], pads[2]), (pads[1], pads[3])))
    window = image[: d * (k - 1) + 1 : d, : d * (k - 1) + 1 : d]
    first = drawings(text)[0]
    plane = first.rows
    assert ("padded" in first.caption) == any(pads)
    assert count(plane, "tap") == window.sum()
    assert count(plane, "tap_padding") == window.size - window.sum()
    real = count(plane, "input", "tap", "hole")
    assert real == 42
    out = api.count(text).models[0].outputs[0].shape
    assert out is not None
    assert count(plane, "output", "now") == int(out[2]) * int(out[3])


@pytest.mark.parametrize(
    ("text", "taps"), [("9x2 -(3x2x4 s2)->", 12), ("5x1 -(3x1x1 same)->", 13), ("7x1 -(3x1x1 d2)->", 9)]
)
def test_the_windows_that_follow(text: str, taps: int) -> None:
    (ladder,) = drawings(text)
    assert count(ladder.rows[1:], "tap") == taps
    starts = [
        row.cells.index("tap") for row in ladder.rows[1:] if "tap" in row.cells and "tap_padding" not in row.cells
    ]
    steps = {b - a for a, b in pairwise(starts)}
    assert len(steps) <= 1


def scattered(i: int, k: int, s: int, d: int, pad: int, op: int) -> list[int]:
    """How often each output of a transposed convolution is written, done by hand."""
    out = np.zeros(s * (i - 1) + d * (k - 1) + 1 + op, int)
    for x in range(i):
        for j in range(k):
            out[x * s + j * d] += 1
    return [int(n) for n in out[pad : len(out) - pad]]


@pytest.mark.parametrize(
    ("i", "k", "s", "d", "pad", "op"),
    [
        (3, 3, 2, 1, 0, 0),
        (3, 3, 2, 1, 1, 1),
        (4, 4, 2, 1, 1, 0),
        (3, 2, 3, 1, 0, 0),
        (4, 3, 1, 1, 1, 0),
        (3, 2, 2, 3, 0, 0),
    ],
)
def test_overlaps_of_a_transposed_layer(i: int, k: int, s: int, d: int, pad: int, op: int) -> None:
    options = f"T s{s} d{d} p{pad} op={op}" if op else f"T s{s} d{d} p{pad}"
    text = f"{i}x{i}x1 -({k}x{k}x1x1 {options})->"
    wanted = scattered(i, k, s, d, pad, op)
    found = drawings(text)
    ladder = next(one for one in found if "writes" in one.caption)
    (row,) = [row for row in ladder.rows if row.label == "overlap"]
    assert [int(cell) for cell in row.cells if cell.isdigit()] == wanted
    if s > 1:
        plane = [[int(cell) for cell in row.cells] for row in found[-1].rows]
        assert plane == np.outer(wanted, wanted).tolist()
    spread = found[0].rows
    assert count(spread, "input", "tap") == i * i


def test_the_checkerboard_is_said_where_the_stride_does_not_divide() -> None:
    uneven = "1 1 2 1 2 1 1"
    said = " ".join(
        s.text for x in api.explain("3x3x1 -(3x3x1x1 T s2)->").explanations[0].sections for s in x.sentences
    )
    assert f"get {uneven} products" in said
    assert "checkerboard" in said
    even = " ".join(
        s.text for x in api.explain("3x3x1 -(4x4x1x1 T s2)->").explanations[0].sections for s in x.sentences
    )
    assert "get 1 1 2 2 2 2 1 1 products" in even


LARGE = [
    "224x224x3 -(7x7x3x64)-> 112x112x64",
    "1000000x4 -(99x4x4 same)->",
    "9x500x1 -(3x300x1x1)->",
    "40x40x3 -(25x25x3x3 T s9)->",
]


@pytest.mark.parametrize("text", LARGE)
@pytest.mark.parametrize("unicode", [True, False])
def test_large_ones_are_cropped(text: str, unicode: bool) -> None:
    """Every line fits 80 columns, and what is left out is marked."""
    drawn = render(api.explain(text), "table", style=Style(width=80, unicode=unicode))
    picture, _, _ = drawn.partition("Worth knowing")
    assert all(cells(line) <= 80 for line in picture.splitlines())
    assert ("…" if unicode else "~") in drawn
    assert unicode or drawn.isascii()


def test_every_cell_has_a_glyph_of_its_own() -> None:
    assert list(GLYPHS) == list(CELLS)
    said = [word for word in CELLS if word not in ("blank", "output", "now", "write", "cut")]
    for unicode in (True, False):
        assert len({glyph(word, unicode=unicode) for word in said}) == len(said)
    assert all(pair[1].isascii() for pair in GLYPHS.values())


def test_a_drawing_is_data() -> None:
    """Cells are words or counts, in JSON too."""
    for text in ("3x3x1 -(3x3x1x1 T s2)->", "5x5x1 -(3x3x1x1 d2 same)->"):
        for drawing in drawings(text):
            every: list[Any] = [cell for row in drawing.rows for cell in row.cells]
            assert all(cell in CELLS or cell.isdigit() for cell in every)
