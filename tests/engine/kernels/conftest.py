"""The definitions of convolution and pooling, as loops in float64, and random layers to try them on."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

from convcost.engine.kernels.conv import Geometry


class Problem(NamedTuple):
    """A convolution's shapes and attributes as ONNX has them, and the tile size to compute it with."""

    x: tuple[int, ...]
    w: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    group: int
    output_padding: tuple[int, ...]
    tile: int


@st.composite
def problem(draw: Any, *, transposed: bool) -> Problem:
    """Any rank from 1 to 3, with strides, dilations, asymmetric padding, groups and multipliers."""
    rank = draw(st.sampled_from([1, 2, 2, 2, 3]))

    def axes(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    group = draw(st.sampled_from([1, 1, 2, 4]))
    cg, mg = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 3), (3, 4)]))
    kernel = axes(1, 5 if rank < 3 else 3)
    strides, dilations = (
        draw(st.sampled_from([(1,) * rank, axes(1, 3)])),
        draw(st.sampled_from([(1,) * rank, axes(1, 2)])),
    )
    before, after = axes(0, 2), axes(0, 2)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    if transposed:
        before = tuple(min(p, (e - 1) // 2) for p, e in zip(before, reach, strict=True))
        after = tuple(min(p, (e - 1) // 2) for p, e in zip(after, reach, strict=True))
        least = [1] * rank
    else:
        least = [max(1, e - p - q) for e, p, q in zip(reach, before, after, strict=True)]
    spatial = tuple(draw(st.integers(low, low + (9 if rank < 3 else 4))) for low in least)
    extra = tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(strides, dilations, strict=True))
    c, m = group * cg, group * mg
    return Problem(
        x=(draw(st.integers(1, 2)), c, *spatial),
        w=(c, mg, *kernel) if transposed else (m, cg, *kernel),
        strides=strides,
        dilations=dilations,
        pads=before + after,
        group=group,
        output_padding=extra if transposed else (0,) * rank,
        tile=draw(st.sampled_from([1, 4000, 1 << 22])),
    )


def naive(x: Any, w: Any, b: Any, g: Geometry) -> Any:
    """y: (N, M, *O) by the definition, for x: (N, C, *I) and w: (M, C/g, *K), or (C, M/g, *K) transposed."""
    y = np.zeros((g.batch, g.m, *g.out)) + b.reshape(-1, *(1,) * g.rank)
    for n, q in product(range(g.batch), range(g.group)):
        c, m = slice(q * g.cg, (q + 1) * g.cg), slice(q * g.mg, (q + 1) * g.mg)
        many, few = (g.spatial, g.out) if g.transposed else (g.out, g.spatial)
        for place, tap in product(np.ndindex(*many), np.ndindex(*g.kernel)):
            other = tuple(
                p * s + t * d - pad
                for p, s, t, d, pad in zip(place, g.strides, tap, g.dilations, g.before, strict=True)
            )
            if not all(0 <= o < size for o, size in zip(other, few, strict=True)):
                continue
            if g.transposed:
                y[(n, m, *other)] += x[(n, c, *place)] @ w[(c, slice(None), *tap)]
            else:
                y[(n, m, *place)] += w[(m, slice(None), *tap)] @ x[(n, c, *other)]
    return y


@pytest.fixture(scope="session")
def convolution() -> Callable[[Any, Any, Any, Geometry], Any]:
    """The definition of convolution."""
    return naive


@pytest.fixture(scope="session")
def problems() -> Callable[..., st.SearchStrategy[Problem]]:
    """A strategy for layers."""
    return problem
