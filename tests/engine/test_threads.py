"""How many threads BLAS uses inside and outside of contexts."""

from __future__ import annotations

import numpy as np  # noqa: F401 - its BLAS must be loaded
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from convcost.engine.threads import blas_threads, limited


def seen() -> set[int]:
    """What threadpoolctl reads from the libraries."""
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}


@pytest.mark.parametrize("order", ["first", "last"])
def test_contexts_may_overlap(order: str) -> None:
    """Two sessions on two threads: whichever ends first, the other keeps its setting, and all is set back at the end."""
    with threadpool_limits(3, "blas"):
        a, b = limited(1), limited(2)
        a.__enter__()
        assert seen() == {1}
        b.__enter__()
        assert seen() == {2}
        (a if order == "first" else b).__exit__(None, None, None)
        assert seen() == {2}
        (b if order == "first" else a).__exit__(None, None, None)
        assert seen() == {3}
        assert blas_threads() == 3


def test_none_changes_nothing() -> None:
    with threadpool_limits(2, "blas"), limited(None):
        assert seen() == {2}
