"""Every equation that an explanation prints is true, and ends in the numbers that count gives."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from convcost import api
from convcost.errors import ConvcostError, NotationError
from convcost.explaining.layers import layer_sections
from convcost.record import Explanation, Report
from convcost.report import render
from convcost.report.style import Style

Found = Callable[[Report], list[tuple[str, str, str]]]
True_ = Callable[[str], Fraction]

EQUATION = re.compile(r"^  .*: (?:\d|\(|floor|ceil).* [=≈~] ")


def random_layer(rng: random.Random) -> str:
    """A layer of any kind, as a shape string; not all of them exist."""
    rank = rng.choice((1, 2, 2, 2, 3))
    sizes = [rng.randint(3, 14) for _ in range(rank)]
    c = rng.choice((1, 2, 3, 4, 6, 8))
    kernel = [rng.randint(1, 5)] * rank if rng.random() < 0.6 else [rng.randint(1, 4) for _ in range(rank)]
    words = []
    head = "x".join(map(str, kernel))
    how = rng.choice(("plain", "plain", "g", "dw", "dw2", "sep", "spatial", "T", "T", "pool"))
    if how == "pool":
        words += [f"{rng.choice(('maxpool', 'avgpool'))} {head}"]
    elif how in ("dw", "dw2"):
        words += [head, how]
    else:
        g = rng.choice([n for n in (2, 3, 4) if c % n == 0] or [1]) if how == "g" else 1
        words += [
            f"{head}x{c // g}x{g * rng.randint(1, 4)}",
            *({"g": [f"g{g}"] if g > 1 else [], "plain": []}.get(how, [how])),
        ]
    s = rng.choice((1, 1, 1, 2, 3))
    if s > 1 or how == "pool":
        words.append(f"s{s}")
    if how != "pool" and rng.random() < 0.3:
        words.append(f"d{rng.randint(2, 3)}")
    if rng.random() < 0.6:
        words.append(
            rng.choice(("same", "valid", "p1") if how in ("T", "pool") else ("same", "full", "same_lower", "p1", "p2"))
        )
    if how not in ("pool", "spatial") and rng.random() < 0.3:
        words.append("bias")
    return f"{'x'.join(map(str, [*sizes, c]))} -({' '.join(words)})->"


def layers(n: int, seed: int) -> list[str]:
    """n layers that exist."""
    rng = random.Random(seed)
    out: list[str] = []
    while len(out) < n:
        text = random_layer(rng)
        try:
            api.count(text)
        except NotationError:
            continue
        out.append(text)
    return out


@pytest.mark.parametrize("seed", range(12))
def test_every_equation_of_random_layers_is_true(seed: int, true: True_, found: Found) -> None:
    rng = random.Random(seed)
    for text in layers(30, seed):
        batch = rng.choice((1, 1, 3))
        report = api.explain(text, batch=batch)
        totals = api.count(text, batch=batch).models[0].totals
        values = {(title, true(arithmetic)) for title, _, arithmetic in found(report)}
        if totals.macs:
            assert totals.macs in {value for title, value in values if title in ("Multiplications", "Together")}, text
            assert totals.macs_effective in {v for _, v in values} or totals.macs_effective is None, text
            assert totals.params in {v for title, v in values if title in ("Parameters", "Together")}, text
        else:
            assert totals.comparisons in {v for title, v in values if title == "Work"} or totals.additions, text


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("unicode", [True, False])
def test_what_is_drawn_says_the_same(seed: int, unicode: bool, true: True_) -> None:
    """The lines of the terminal, read without the record; each is whole on a wide page."""
    for text in layers(10, 100 + seed):
        drawn = render(api.explain(text), "table", style=Style(width=1000, unicode=unicode))
        lines = [line for line in drawn.splitlines() if EQUATION.search(line)]
        assert lines
        for line in lines:
            arithmetic = line.rpartition(": ")[2]
            if not unicode:
                assert arithmetic.isascii()
                arithmetic = arithmetic.replace("*", "·").replace(" ~ ", " ≈ ")
            true(arithmetic)


PUBLISHED = [
    ("12x12x3 -(5x5x3x256)-> 8x8x256", "256·3·5·5·8·8 = 1,228,800 multiplications"),
    ("12x12x3 -(5x5x3x256)-> 8x8x256", "3·5·5·8·8 + 256·3·8·8 = 4,800 + 49,152 = 53,952 times"),
    ("7x7x3 -(3x3x3x128)-> 5x5x128", "128·3·3·3·5·5 = 86,400 multiplications"),
    ("7x7x3 -(3x3x3x128)-> 5x5x128", "10,275 / 86,400 = 1 / 128 + 1 / (3·3) = 137 / 1,152 ≈ 11.89 %"),
    ("5x5x1 -(3x3x1x1)-> 3x3x1", "1·1·3·3·3·3 = 81 multiplications"),
    ("2x2x3 -(2x2x3x1 T s2)-> 4x4x1", "3·2·2·1·2·2 = 48 multiplications"),
    ("4x4x1 -(2x2x1x2 same)-> 4x4x2", "2·1·7·7 = 98 multiplications"),
    ("5x1 -(3x1x1 full)-> 7x1", "1 + 2 + 3 + 3 + 3 + 2 + 1 = 15"),
    ("7x7x3 -(3x3x3x4 d2)->", "2·(3 − 1) + 1 = 5 elements"),
    ("56x56x64 -(3x3x64x64 same)->", "56·56·64·3·3 = 1,806,336"),
    ("17x17x64 -(5x5x64x64 same)->", "(3·3 + 3·3) / (5·5) = 18 / 25 = 72.00 %"),
]
"""Figures of the articles and papers, as an explanation spells them."""


@pytest.mark.parametrize(("text", "arithmetic"), PUBLISHED)
def test_published_figures(text: str, arithmetic: str, found: Found) -> None:
    assert any(arithmetic in said for _, _, said in found(api.explain(text)))


def test_a_large_layer_takes_no_longer() -> None:
    """Sizes up to the limit of the notation: the taps of places are not listed one by one."""
    report = api.explain(f"{2**40}x{2**40}x4 -(1000x1000x4x8 same)->")
    assert report.models[0].totals.macs == 8 * 4 * 10**6 * 2**80


def test_two_halves_stand_beside_the_layer_that_they_split(found: Found) -> None:
    """675 + 9,600 of 86,400: 1/M + 1/k²; and a column and a row of a 3×3 kernel, 72 of 81."""
    separable = [text for title, _, text in found(api.explain("7x7x3 -(3x3x3x128 sep)->")) if "Against" in title]
    assert separable[-1] == "10,275 / 86,400 = 1 / 128 + 1 / (3·3) = 137 / 1,152 ≈ 11.89 %"
    spatial = [text for title, _, text in found(api.explain("5x5x1 -(3x3x1x1 spatial)->")) if "Against" in title]
    assert spatial[-1] == "72 / 81 = 8 / 9 ≈ 88.89 %"


@pytest.mark.corpus
def test_every_layer_of_the_corpus(corpus: Path, true: True_, found: Found) -> None:
    """Each distinct layer of the corpus: true equations, one of which gives its MACs."""
    seen: set[str] = set()
    for path in sorted((corpus / "models").rglob("*.onnx")):
        try:
            story = api.explain(str(path))
        except ConvcostError:
            continue
        assert all(true(text) is not None for _, _, text in found(story))
        for layer in story.models[0].layers:
            if layer.op == "LinearClassifier" or f"{layer.op} {layer.inputs} {layer.attributes}" in seen:
                continue
            seen.add(f"{layer.op} {layer.inputs} {layer.attributes}")
            told = Explanation(of="", topic="layer", sections=layer_sections(layer))
            values = {true(text) for _, _, text in found(msgspec.structs.replace(story, explanations=[told]))}
            assert not layer.cost.macs or layer.cost.macs in values, f"{path.name}: {layer.name}"
    assert len(seen) > 1000
