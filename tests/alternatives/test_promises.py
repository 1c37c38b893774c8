"""What every idea promises, on random layers: shape, field, parameters, counts that can be read back, reasons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcost import alternatives, notation
from convcost.alternatives import IDEAS, ConvLayer, Form, Idea, Skip
from convcost.errors import NotationError

CHANNELS = st.sampled_from((1, 2, 3, 4, 6, 12, 16, 24, 48))


@st.composite
def layers(draw: st.DrawFn) -> str:
    """A convolution of one to three dimensions with any window that fits."""
    rank = draw(st.integers(1, 3))
    c, m = draw(CHANNELS), draw(CHANNELS)
    group = draw(st.sampled_from([g for g in range(1, 49) if c % g == 0 and m % g == 0]))
    kernel = [draw(st.integers(1, 9)) for _ in range(rank)] if draw(st.booleans()) else [draw(st.integers(1, 7))] * rank
    strides = [draw(st.sampled_from((1, 1, 2, 3))) for _ in range(rank)]
    dilations = [draw(st.sampled_from((1, 1, 2))) for _ in range(rank)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    padding = draw(st.sampled_from(("valid", "same", "full", "numbers")))
    pads = [draw(st.integers(0, k - 1)) for k in reach + reach]
    size = [draw(st.integers(k, k + 9)) for k in reach]
    words = [
        "x".join(map(str, (*kernel, c // group, m))),
        f"g{group}" if group > 1 else "",
        "s=" + "x".join(map(str, strides)),
        "d=" + "x".join(map(str, dilations)),
        padding if padding != "numbers" else "p=" + "/".join(map(str, pads)),
        "bias" if draw(st.booleans()) else "",
    ]
    return f"{'x'.join(map(str, (*size, c)))} -({' '.join(w for w in words if w)})->"


@st.composite
def transposed(draw: st.DrawFn) -> str:
    """A transposed convolution that enlarges."""
    rank = draw(st.integers(1, 3))
    c, m = draw(CHANNELS), draw(CHANNELS)
    k, s, p = draw(st.integers(1, 6)), draw(st.integers(2, 4)), draw(st.integers(0, 2))
    op = draw(st.integers(0, s - 1))
    size = draw(st.integers(3, 8))
    kernel = "x".join([str(k)] * rank)
    return f"{'x'.join([str(size)] * rank)}x{c} -({kernel}x{c}x{m} T s{s} p{p} op{op})->"


def read(text: str) -> ConvLayer:
    try:
        return alternatives.layer_of(notation.parse(text))
    except NotationError:
        assume(False)
        raise


def proposed(idea: Idea, layer: ConvLayer) -> tuple[tuple[Form, ...], str]:
    """The forms of an idea, or the reason why there are none."""
    try:
        return alternatives.proposals(idea, layer), ""
    except Skip as why:
        return (), str(why)


def keeps(count: Callable[[str], Any], idea: Idea, text: str) -> None:
    """All forms of an idea keep what it says, or it says why it has none."""
    layer = read(text)
    forms, reason = proposed(idea, layer)
    assert bool(forms) is not bool(reason)
    before = count(text)
    for form in forms:
        if form.notation is None:
            assert "function" in idea.keeps
            assert form.algorithm is not None
            continue
        after = count(form.notation)
        assert ("output shape" not in idea.keeps) or after.shape == before.shape, form
        assert ("receptive field" not in idea.keeps) or after.field == before.field, form
        assert ("parameters" not in idea.keeps) or after.params == before.params, form


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_an_idea_keeps_what_it_says(count: Callable[[str], Any], idea: Idea, data: st.DataObject) -> None:
    keeps(count, idea, data.draw(transposed() if idea.transposed else layers()))


@settings(deadline=None, max_examples=60)
@given(layers())
def test_a_layer_written_is_the_layer(count: Callable[[str], Any], text: str) -> None:
    layer = read(text)
    again = alternatives.written(layer)
    assert alternatives.layer_of(notation.parse(again)) == layer
    assert count(again) == count(text)


@settings(deadline=None, max_examples=30)
@given(transposed())
def test_a_transposed_layer_written_is_the_layer(text: str) -> None:
    layer = read(text)
    assert alternatives.layer_of(notation.parse(alternatives.written(layer))) == layer


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)
def test_the_example_of_an_idea_has_a_form(layer: Callable[[str], ConvLayer], idea: Idea) -> None:
    assert alternatives.proposals(idea, layer(idea.example))


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)
def test_an_idea_says_everything(idea: Idea) -> None:
    said = (idea.name, idea.summary, idea.when, idea.becomes, idea.cost, idea.loses, idea.source)
    assert all(text and text == text.strip() for text in said)
    assert "arXiv" in idea.source or "Distill" in idea.source


def test_names_of_ideas_differ() -> None:
    assert len({idea.name for idea in IDEAS}) == len(IDEAS)
