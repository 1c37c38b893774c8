"""Every idea's forms of its example really run, and give the shape that they are said to have."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from convcost import alternatives, notation
from convcost.alternatives import IDEAS, ConvLayer, Idea, Skip
from convcost.engine import Session
from convcost.errors import NotationError
from convcost.ir import Graph, known


def small(text: str) -> str:
    """The example on at most 17×17 elements."""
    return re.sub(r"^\d+x\d+x", "17x17x", text) if text.count("x", 0, text.index(" ")) == 2 else text


def run(graph: Graph) -> tuple[int, ...]:
    """The shape of the engine's output."""
    x = graph.inputs[0]
    shape = [known(d, "a size") for d in x.dims]
    (out,) = Session(graph).run(None, {x.name: np.ones(shape, np.float32)})
    return tuple(out.shape)


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.name)
def test_forms_run(layer: Callable[[str], ConvLayer], idea: Idea) -> None:
    text = small(idea.example)
    expected = run(notation.parse(text))
    for form in alternatives.proposals(idea, layer(text)):
        if form.notation is not None:
            got = run(notation.parse(form.notation))
            assert (got == expected) is ("output shape" in idea.keeps), form.name


def test_up_repeats_elements() -> None:
    graph = notation.parse("2x2x1 -(up 2x3)-> 4x6x1")
    x = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    (out,) = Session(graph).run(None, {graph.inputs[0].name: x})
    assert np.array_equal(out, x.repeat(2, axis=2).repeat(3, axis=3))


@st.composite
def layers(draw: st.DrawFn) -> str:
    """Any convolution of one to three axes: grouped, strided, dilated, padded, transposed."""
    rank = draw(st.integers(1, 3))
    group = draw(st.sampled_from([1, 1, 1, 2, 3, 4]))
    c, m = (group * draw(st.sampled_from([1, 2, 4, 8])) for _ in range(2))
    transposed = draw(st.integers(0, 3)) == 0
    same = draw(st.booleans())
    k = draw(st.integers(1, 7))
    kernel = "x".join(str(k if same else draw(st.integers(1, 5))) for _ in range(rank))
    spatial = "x".join(str(draw(st.integers(7, 9 if rank == 3 else 14))) for _ in range(rank))
    words = [f"{kernel}x{c // group}x{m}", f"g{group}" if group > 1 else ""]
    words += ["T" if transposed else "", f"s{draw(st.integers(1, 3))}", f"d{draw(st.sampled_from([1, 1, 2]))}"]
    pads = ["", "p1", "p=" + "/".join(str(draw(st.integers(0, 2))) for _ in range(2 * rank))]
    words.append(draw(st.sampled_from(pads if transposed else [*pads, "same", "full", "same_lower"])))
    words.append(draw(st.sampled_from(["", "bias"])))
    return f"{spatial}x{c} -({' '.join(w for w in words if w)})->"


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(text=layers())
def test_forms_of_any_layer_have_the_shape_they_claim(text: str) -> None:
    """All ideas for one layer, run on the engine: an output of the same shape where that is said, finite everywhere."""
    try:
        graph = notation.parse(text)
    except NotationError:
        assume(condition=False)
        raise
    layer = alternatives.layer_of(graph)
    expected = run(graph)
    for idea in IDEAS:
        try:
            forms = alternatives.proposals(idea, layer)
        except Skip:
            continue
        for form in forms:
            if form.notation is not None and "output shape" in idea.keeps:
                assert run(notation.parse(form.notation)) == expected, (form.name, form.notation)
