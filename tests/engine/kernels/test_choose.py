"""The choice of an algorithm: what is tried, what is remembered, what the rule without trials says."""

from __future__ import annotations

import numpy as np
import pytest

from convcost import notation
from convcost.engine import Session
from convcost.engine.kernels.conv import ALGORITHMS, candidates, choose, geometry, heuristic
from convcost.engine.kernels.convolution.choose import forced, likely
from convcost.ops.conv import ConvAttrs, ConvTransposeAttrs

SAME = ConvAttrs(pads=(1, 1, 1, 1))


def test_trials_are_sorted_and_remembered() -> None:
    g = geometry((1, 16, 12, 12), (16, 16, 3, 3), SAME)
    choice = choose(g)
    seconds = [t.seconds for t in choice.trials]
    assert seconds == sorted(seconds, key=lambda s: s or 0)
    assert choose(g) is choice
    assert choice.best is choice.trials[0]
    assert choice.transpose_x > 0
    last = choice.for_layout("nhwc", "nhwc")
    assert last is not None
    assert last.layouts == ("nhwc", "nhwc")


def test_exact_choices_only_reorder_sums() -> None:
    g = geometry((1, 64, 28, 28), (64, 64, 3, 3), SAME)
    assert any(not a.exact for a in candidates(g))
    assert all(t.algorithm.exact for t in choose(g, exact=True).trials)


def test_layouts_restrict_the_trials() -> None:
    g = geometry((1, 8, 9, 9), (8, 8, 3, 3), SAME)
    assert {t.layouts for t in choose(g, layouts=(("nchw", "nhwc"),)).trials} == {("nchw", "nhwc")}


@pytest.mark.parametrize(
    ("x", "w", "attrs", "name"),
    [
        ((1, 64, 56, 56), (256, 64, 1, 1), ConvAttrs(), "pointwise"),
        ((1, 96, 56, 56), (96, 1, 3, 3), ConvAttrs(group=96, pads=(1, 1, 1, 1)), "depthwise"),
        ((1, 256, 56, 56), (256, 256, 3, 3), SAME, "winograd-f4"),
        ((1, 3, 224, 224), (64, 3, 7, 7), ConvAttrs(strides=(2, 2), pads=(3, 3, 3, 3)), "im2col"),
        ((1, 16, 14, 14), (16, 16, 4, 4), ConvTransposeAttrs(strides=(2, 2)), "phases"),
    ],
)
def test_the_rule_without_trials(x: tuple[int, ...], w: tuple[int, ...], attrs: ConvAttrs, name: str) -> None:
    trial = heuristic(geometry(x, w, attrs))
    assert trial is not None
    assert trial.algorithm.name == name


@pytest.mark.parametrize("layouts", [("nchw", "nchw"), ("nhwc", "nhwc"), ("nchw", "nhwc"), ("nhwc", "nchw")])
def test_every_convolution_has_a_way_between_any_two_layouts(layouts: tuple[str, str]) -> None:
    g = geometry((1, 4, 9, 9, 9), (6, 2, 3, 2, 1), ConvAttrs(group=2, dilations=(1, 2, 1), strides=(2, 1, 1)))
    assert heuristic(g, x_layout=layouts[0], y_layout=layouts[1]) is not None


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_every_transposed_convolution_has_a_way(layout: str) -> None:
    g = geometry((1, 4, 9, 9), (4, 3, 3, 2), ConvTransposeAttrs(group=2, dilations=(1, 2), strides=(2, 3)))
    assert heuristic(g, x_layout=layout, y_layout=layout) is not None


def test_hopeless_candidates_are_left_out() -> None:
    g = geometry((1, 8, 64, 64), (8, 8, 31, 31), ConvAttrs(pads=(15, 15, 15, 15)))
    assert {a.name for a in likely(g, candidates(g, layouts=(("nchw", "nchw"),)))} == {"fft"}


@pytest.mark.parametrize("name", ["winograd-f2", "winograd-f4", "fft", "im2col"])
@pytest.mark.parametrize("tune", [True, False])
def test_an_algorithm_can_be_forced(name: str, tune: bool) -> None:
    """Also one that would never be the fastest; the result is the same."""
    graph = notation.parse("14x13x6 -(3x3x6x8 same bias)->")
    x = np.random.default_rng(0).standard_normal((1, 6, 14, 13)).astype(np.float32)
    (expected,) = Session(graph, exact=True).run(None, {graph.inputs[0].name: x})
    with forced(name):
        session = Session(graph, tune=tune)
        found = session.profile({graph.inputs[0].name: x}, runs=1, warmup=0)
        (out,) = session.run(None, {graph.inputs[0].name: x})
    assert found.nodes[0].algorithm.startswith(name)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)


def test_names_that_comparisons_force_are_the_engines() -> None:
    from convcost.api.forms import ENGINE  # noqa: PLC0415 - beside its use

    assert set(ENGINE.values()) <= {a.name for a in ALGORITHMS}


def test_what_is_forced_ends_with_its_context() -> None:
    g = geometry((1, 16, 12, 12), (16, 16, 3, 3), SAME)
    with forced("fft"):
        assert {a.name for a in candidates(g)} == {"fft"}
        assert {t.algorithm.name for t in choose(g).trials} == {"fft"}
    assert {a.name for a in candidates(g)} > {"im2col"}
    assert "fft" not in {t.algorithm.name for t in choose(g).trials}
