"""Every algorithm agrees with the definition of convolution, in every layout, tile and thread count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.engine.kernels.conv import (
    ALGORITHMS,
    Geometry,
    Layer,
    Trial,
    Workspace,
    candidates,
    conv,
    geometry,
    relu,
)
from convcost.errors import ShapeError
from convcost.ops.conv import ConvAttrs, ConvTransposeAttrs

Definition = Callable[[Any, Any, Any, Geometry], Any]


@pytest.fixture(scope="module")
def two_threads() -> Workspace:
    return Workspace(2)


def attributes(p: Any, *, transposed: bool) -> ConvAttrs:
    given_ = {"strides": p.strides, "dilations": p.dilations, "pads": p.pads, "group": p.group}
    return ConvTransposeAttrs(**given_, output_padding=p.output_padding) if transposed else ConvAttrs(**given_)


def arrays(g: Geometry, w: tuple[int, ...]) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(1)
    return rng.standard_normal(g.x_shape("nchw")), rng.standard_normal((*w[:2], *g.kernel)), rng.standard_normal(g.m)


def computed(trial: Trial, g: Geometry, x: Any, w: Any, b: Any, ws: Workspace, addend: Any, activation: Any) -> Any:
    a = trial.algorithm
    source = x if a.x_layout == "nchw" else np.ascontiguousarray(np.moveaxis(x, 1, -1))
    if addend is not None and a.y_layout == "nhwc":
        addend = np.ascontiguousarray(np.moveaxis(addend, 1, -1))
    y = np.full(g.y_shape(a.y_layout), np.nan)
    layer = Layer(trial, g, w, b, activation)
    layer(source, y, ws, addend)
    return y if a.y_layout == "nchw" else np.moveaxis(y, -1, 1)


@pytest.mark.parametrize("transposed", [False, True])
def test_every_algorithm_is_the_definition(
    *, transposed: bool, problems: Any, convolution: Definition, two_threads: Workspace
) -> None:
    @settings(max_examples=80, deadline=None)
    @given(p=problems(transposed=transposed), end=st.sampled_from([None, relu]), add=st.booleans(), two=st.booleans())
    def check(*, p: Any, end: Any, add: bool, two: bool) -> None:
        try:
            g = geometry(p.x, p.w, attributes(p, transposed=transposed))
        except ShapeError:
            return
        x, w, b = arrays(g, p.w)
        addend = np.random.default_rng(2).standard_normal(g.y_shape("nchw")) if add else None
        expected = convolution(x, w, b, g) + (0 if addend is None else addend)
        expected = np.maximum(expected, 0) if end else expected
        ws = two_threads if two else Workspace()
        for a in candidates(g):
            got = computed(Trial(a, p.tile), g, x, w, b, ws, addend, end)
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9, err_msg=f"{a.name} {a.layout}")

    check()


CASES: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "blocks of rows and columns": ((1, 40, 20, 20), (200, 40, 3, 3), {"pads": (1, 1, 1, 1)}),
    "blocks with rests": ((2, 144, 13, 17), (150, 144, 1, 1), {}),
    "split inner dimension": ((1, 1024, 5, 10), (136, 1024, 1, 1), {}),
    "split for few rows": ((1, 512, 7, 7), (96, 512, 1, 1), {}),
    "large kernel": ((1, 2, 40, 40), (3, 2, 21, 21), {"pads": (10, 10, 10, 10)}),
    "first layer": ((1, 3, 33, 33), (16, 3, 7, 7), {"pads": (3, 3, 3, 3), "strides": (2, 2)}),
    "long stride": ((1, 3, 47, 47), (16, 3, 11, 11), {"strides": (4, 4)}),
    "depthwise": ((1, 96, 15, 15), (96, 1, 3, 3), {"pads": (1, 1, 1, 1), "group": 96}),
    "strided depthwise": ((1, 24, 15, 15), (24, 1, 5, 5), {"pads": (2, 2, 2, 2), "group": 24, "strides": (2, 2)}),
    "grouped": ((1, 32, 9, 9), (48, 8, 3, 3), {"pads": (1, 1, 1, 1), "group": 4}),
    "same, uneven": ((1, 4, 10, 11), (5, 4, 4, 4), {"auto_pad": "SAME_UPPER", "strides": (3, 2)}),
    "audio": ((1, 3, 400), (8, 3, 25), {"pads": (12, 12), "strides": (4,)}),
    "negative padding": ((1, 3, 12, 12), (4, 3, 3, 3), {"pads": (-1, -2, 0, -1)}),
}


def by_products(x: Any, w: Any, b: Any, g: Geometry) -> Any:
    """The definition, one product over channels a tap, for layers that loops would take too long for."""
    padded = np.zeros((g.batch, g.c, *(i + 60 for i in g.spatial)))
    padded[:, :, 30 : 30 + g.spatial[0], 30 : 30 + g.spatial[1]] = x
    y = np.zeros((g.batch, g.m, *g.out)) + b.reshape(-1, 1, 1)
    for q in range(g.group):
        c, m = slice(q * g.cg, (q + 1) * g.cg), slice(q * g.mg, (q + 1) * g.mg)
        for tap in np.ndindex(*g.kernel):
            at = [
                slice(30 - p + t * d, 30 - p + t * d + (o - 1) * s + 1, s)
                for p, t, d, o, s in zip(g.before, tap, g.dilations, g.out, g.strides, strict=True)
            ]
            y[:, m] += np.einsum("mc,nchw->nmhw", w[(m, slice(None), *tap)], padded[:, c, at[0], at[1]])
    return y


@pytest.mark.parametrize("case", CASES)
def test_sizes_that_take_other_paths(case: str, two_threads: Workspace) -> None:
    x_shape, w_shape, attrs = CASES[case]
    g = geometry(x_shape, w_shape, ConvAttrs(**attrs))
    x, w, b = arrays(g, w_shape)
    expected = by_products(x, w, b, g)
    for a in candidates(g):
        for tile in a.tiles:
            got = computed(Trial(a, tile), g, x, w, b, two_threads, None, None)
            np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-8, err_msg=f"{a.name} {a.layout} {tile}")


@pytest.mark.parametrize(("name", "bound"), [("winograd-f2", 5e-6), ("winograd-f4", 1e-5), ("im2col", 2e-6)])
def test_error_in_single_precision(name: str, bound: float) -> None:
    g = geometry((1, 256, 28, 28), (64, 256, 3, 3), ConvAttrs(pads=(1, 1, 1, 1)))
    x, w, b = arrays(g, (64, 256))
    expected = by_products(x, w, b, g)
    a = next(a for a in ALGORITHMS if a.name == name and a.layout == "nhwc")
    y = np.empty(g.y_shape("nhwc"), np.float32)
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1), np.float32)
    Layer(Trial(a, a.tiles[0]), g, w.astype(np.float32), b.astype(np.float32))(last, y, Workspace())
    error = np.abs(np.moveaxis(y, -1, 1) - expected).max() / np.abs(expected).max()
    assert error < bound


def test_half_precision_is_rounded_once() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((1, 8, 6, 6)).astype(np.float16), rng.standard_normal((4, 8, 3, 3)).astype(np.float16)
    exact = conv(x.astype(np.float64), w.astype(np.float64), None, ConvAttrs())
    got = conv(x, w, None, ConvAttrs())
    assert got.dtype == np.float16
    np.testing.assert_array_less(np.abs(got - exact), np.spacing(np.abs(exact).astype(np.float16)) * 0.51 + 1e-5)


def test_a_layer_follows_its_arrays() -> None:
    g = geometry((1, 2, 5, 5), (3, 2, 3, 3), ConvAttrs())
    x, w, _ = arrays(g, (3, 2))
    layer = Layer(Trial(next(a for a in candidates(g) if a.layout == "nchw"), 1 << 20), g, w)
    ws, y = Workspace(), np.empty(g.y_shape("nchw"))
    layer(x, y, ws)
    first = y.copy()
    x *= 2
    layer(x, y, ws)
    np.testing.assert_allclose(y, 2 * first)
    other = x * 3
    layer(other, y, ws)
    np.testing.assert_allclose(y, 6 * first)


def test_scratch_is_what_a_run_takes(problems: Any) -> None:
    @settings(max_examples=40, deadline=None)
    @given(p=problems(transposed=False))
    def check(p: Any) -> None:
        g = geometry(p.x, p.w, attributes(p, transposed=False))
        x, w, b = arrays(g, p.w)
        for a in candidates(g):
            ws = Workspace()
            size = a.scratch(g, p.tile, x.dtype, 1)
            ws.reserve(size)
            before = ws.held
            computed(Trial(a, p.tile), g, x, w, b, ws, None, None)
            assert ws.held == before, f"{a.name} {a.layout}: more than {size} bytes"

    check()


@pytest.mark.parametrize(
    ("x", "w", "attrs"),
    [
        ((1, 3, 4, 4), (2, 4, 3, 3), ConvAttrs()),
        ((1, 4, 4, 4), (3, 2, 3, 3), ConvAttrs(group=2)),
        ((1, 3, 4, 4), (2, 3, 5, 5), ConvAttrs()),
        ((1, 3), (2, 3), ConvAttrs()),
        ((1, 3, 4, 4), (4, 2, 3, 3), ConvTransposeAttrs()),
    ],
)
def test_shapes_that_do_not_fit(x: tuple[int, ...], w: tuple[int, ...], attrs: ConvAttrs) -> None:
    with pytest.raises(ShapeError):
        geometry(x, w, attrs)


@pytest.mark.parametrize(("stride", "kernel"), [((1, 1), (3, 3)), ((2, 2), (3, 3)), ((1, 2), (1, 4)), ((2, 1), (5, 3))])
@pytest.mark.parametrize("groups", [0, 2, 3])
def test_depthwise_layers_raise_their_input_and_deal_out_their_outputs(
    stride: tuple[int, int], kernel: tuple[int, int], groups: int, convolution: Definition, two_threads: Workspace
) -> None:
    rng = np.random.default_rng(3)
    c, pads = 6, (1, 0, 1, 2)
    x, w, b, floor = (rng.standard_normal(s) for s in ((2, c, 9, 8), (c, 1, *kernel), (c,), (c,)))
    g = geometry(x.shape, w.shape, ConvAttrs(strides=stride, pads=pads, group=c))
    bordered = np.broadcast_to(floor[:, None, None], (2, c, 10 + pads[0], 8 + pads[1] + pads[3])).copy()
    bordered[:, :, 1:10, :8] = np.maximum(x, floor[:, None, None])
    order = np.arange(c).reshape(groups or 1, -1).T.reshape(-1)  # the input channel of each output channel
    inside = geometry(bordered.shape, w.shape, ConvAttrs(strides=stride, group=c))
    truth = convolution(bordered[:, order], w, b, inside)
    dealt = replace(g, shuffled=groups, floored=True)
    found = candidates(dealt)
    assert {a.y_layout for a in found} == ({"nchw"} if groups else {"nchw", "nhwc"})
    for a in found:
        for ws in (Workspace(), two_threads):
            source = x if a.x_layout == "nchw" else np.ascontiguousarray(np.moveaxis(x, 1, -1))
            y = np.full(dealt.y_shape(a.y_layout), np.nan)
            Layer(Trial(a, 300), dealt, w, b, floor=floor)(source, y, ws)
            np.testing.assert_allclose(y if a.y_layout == "nchw" else np.moveaxis(y, -1, 1), truth, atol=1e-12)
