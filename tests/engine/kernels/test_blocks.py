"""What tiles and products are cut into: nothing is lost, nothing is done twice, and shares get it all."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.engine.kernels.convolution import gemm
from convcost.engine.kernels.convolution.transforms import filter_matrix, input_matrix, output_matrix
from convcost.engine.kernels.convolution.workspace import Workspace, aligned, boxes, execute, lengths, span

grids = st.lists(st.integers(1, 7), min_size=1, max_size=4).map(tuple)


@given(extents=grids, limit=st.integers(1, 200), least=st.integers(1, 4))
def test_boxes_follow_one_another_and_cover_the_grid(extents: tuple[int, ...], limit: int, least: int) -> None:
    found = boxes(extents, limit, least)
    ends = [span(box, extents) for box in found]
    assert ends[0][0] == 0
    assert ends[-1][1] == prod(extents)
    assert all(a[1] == b[0] for a, b in pairwise(ends))
    assert all(prod(lengths(box)) <= limit for box in found)


@settings(deadline=None, max_examples=60)
@given(
    p=st.sampled_from([1, 11, 12, 13, 49, 100, 197]),
    k=st.sampled_from([1, 16, 36, 129, 321, 640, 700, 1024]),
    n=st.sampled_from([1, 15, 64, 65, 130, 513]),
    batch=st.integers(1, 2),
)
def test_products_in_blocks(p: int, k: int, n: int, batch: int) -> None:
    rng = np.random.default_rng(0)
    a, w = rng.standard_normal((batch, p, k)), rng.standard_normal((batch, k, n))
    out = np.full((batch, p, n), np.nan)
    execute([gemm.product(a, w, out)])
    np.testing.assert_allclose(out, a @ w, rtol=1e-10, atol=1e-10)
    execute([gemm.split_product(a[0], w[0], out[0], np.full((p, n), np.nan))])
    np.testing.assert_allclose(out, a @ w, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("alpha", "r"), [(4, 2), (4, 3), (6, 2), (6, 3), (6, 4), (6, 5)])
def test_winograd_matrices_correlate(alpha: int, r: int) -> None:
    rng = np.random.default_rng(0)
    d, g = rng.standard_normal(alpha), rng.standard_normal(r)
    y = output_matrix(alpha, alpha - r + 1) @ ((filter_matrix(alpha, r) @ g) * (input_matrix(alpha) @ d))
    np.testing.assert_allclose(y, np.correlate(d, g, "valid"), rtol=1e-12, atol=1e-12)


def test_arrays_begin_where_vector_loads_are_fast() -> None:
    ws = Workspace()
    for array in (aligned((3, 5), np.float32), *ws.take(0, np.float32, (7,), (5, 3), (2,))):
        assert array.ctypes.data % 64 == 0
    reserved = Workspace()
    reserved.reserve(1000)
    assert reserved.held == 1000


def test_threads_share_the_items() -> None:
    ws = Workspace(3)
    seen: list[int] = []
    programs = ws.share(range(8), lambda part, slot: [(seen.append, (slot * 100 + i,)) for i in part])
    assert len(programs) == 3
    execute(programs)
    assert seen == [0, 1, 102, 103, 104, 205, 206, 207]
