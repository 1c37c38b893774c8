"""Every idea's forms of its example really run, and give the shape that they are said to have."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from convcost import alternatives, notation
from convcost.alternatives import IDEAS, ConvLayer, Idea
from convcost.engine import Session
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
