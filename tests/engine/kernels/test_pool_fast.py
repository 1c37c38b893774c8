"""Pooling and normalisation agree with their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convcost.engine.kernels.convolution.workspace import Workspace
from convcost.engine.kernels.pool_fast import average_pool, global_average, global_max, lrn, max_pool, pool_geometry
from convcost.ops.windows import Window

WINDOWS = {
    "plain": ((9, 10), (4, 5), (3, 3), (2, 2), (1, 1), (0, 0), (0, 1)),
    "padded": ((9, 10), (5, 5), (3, 3), (2, 2), (1, 1), (1, 1), (1, 1)),
    "uneven": ((7, 6), (7, 6), (2, 3), (1, 1), (2, 1), (2, 0), (0, 2)),
    "last window over the edge": ((6, 6), (3, 3), (3, 3), (2, 2), (1, 1), (0, 0), (0, 0)),
    "one dimension": ((11,), (5,), (4,), (2,), (1,), (1,), (0,)),
    "three dimensions": ((5, 6, 4), (4, 3, 4), (2, 3, 1), (1, 2, 1), (1, 1, 1), (0, 1, 0), (0, 1, 0)),
    "large": ((120, 110), (60, 55), (3, 3), (2, 2), (1, 1), (1, 1), (1, 1)),
}


def windows_of(x: Any, case: tuple[Any, ...]) -> Any:
    """For each output: its index, the elements of its window inside x, and how many lie in x or its padding."""
    spatial, out, kernel, strides, dilations, before, after = case
    for place in np.ndindex(*out):
        inside, declared = [], 0
        for tap in np.ndindex(*kernel):
            at = [p * s + t * d - b for p, s, t, d, b in zip(place, strides, tap, dilations, before, strict=True)]
            declared += all(-b <= a < i + e for a, b, i, e in zip(at, before, spatial, after, strict=True))
            if all(0 <= a < i for a, i in zip(at, spatial, strict=True)):
                inside.append(x[(slice(None), slice(None), *at)])
        yield place, np.array(inside), declared


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("name", WINDOWS)
def test_pools_are_their_definitions(name: str, layout: str) -> None:
    case = WINDOWS[name]
    spatial, out, kernel, strides, dilations, before, after = case
    window = Window(kernel=kernel, strides=strides, dilations=dilations, before=before, after=after)
    g = pool_geometry(2, 5, spatial, out, window)
    x = np.random.default_rng(0).standard_normal((2, 5, *spatial))
    source = x if layout == "nchw" else np.ascontiguousarray(np.moveaxis(x, 1, -1))
    ws, y = Workspace(), np.empty(g.y_shape(layout))

    def result() -> Any:
        return (y if layout == "nchw" else np.moveaxis(y, -1, 1)).reshape(2, 5, *out)

    source = source.reshape(g.x_shape(layout))
    ws.execute(max_pool(source, g, y, ws, layout=layout))
    highest = result().copy()
    ws.execute(average_pool(source, g, y, ws, layout=layout, count_include_pad=False))
    mean = result().copy()
    ws.execute(average_pool(source, g, y, ws, layout=layout, count_include_pad=True))
    padded_mean = result()
    for place, inside, declared in windows_of(x, case):
        at = (slice(None), slice(None), *place)
        np.testing.assert_array_equal(highest[at], inside.max(0))
        np.testing.assert_allclose(mean[at], inside.mean(0), atol=1e-12)
        np.testing.assert_allclose(padded_mean[at], inside.sum(0) / declared, atol=1e-12)


def test_integers_have_a_lowest_value() -> None:
    window = Window(kernel=(2, 2), strides=(2, 2), dilations=(1, 1), before=(1, 1), after=(1, 1))
    g = pool_geometry(1, 1, (2, 2), (2, 2), window)
    x, y = np.array([[[[-3, -9], [-128, 4]]]], np.int8), np.empty((1, 1, 2, 2), np.int8)
    ws = Workspace()
    ws.execute(max_pool(x, g, y, ws, layout="nchw"))
    np.testing.assert_array_equal(y, x)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize(("size", "beta"), [(5, 0.75), (4, 0.75), (3, 0.5), (1, 0.75), (9, 0.75)])
def test_lrn(layout: str, size: int, beta: float) -> None:
    x = np.random.default_rng(0).standard_normal((2, 7, 6, 5))
    total = np.zeros_like(x)
    for c in range(7):
        low, high = max(0, c - (size - 1) // 2), min(7, c + size // 2 + 1)
        total[:, c] = (x[:, low:high] ** 2).sum(1)
    expected = x / (1.5 + 0.1 / size * total) ** beta
    source = x if layout == "nchw" else np.ascontiguousarray(np.moveaxis(x, 1, -1))
    ws, y = Workspace(), np.empty_like(source)
    ws.execute(lrn(source, y, ws, size=size, alpha=0.1, beta=beta, bias=1.5, layout=layout))
    np.testing.assert_allclose(y if layout == "nchw" else np.moveaxis(y, -1, 1), expected, rtol=1e-12)


def test_global_pools() -> None:
    x = np.random.default_rng(0).standard_normal((2, 7, 6, 5))
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    for layout, source in (("nchw", x), ("nhwc", last)):
        np.testing.assert_allclose(global_average(source, layout=layout), x.mean((2, 3)), rtol=1e-12)
        np.testing.assert_array_equal(global_max(source, layout=layout), x.max((2, 3)))
