"""How many threads BLAS may use."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any


@cache
def _controller() -> Any:
    import numpy as np  # noqa: F401, PLC0415 - its BLAS must be loaded to be found
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - only to run

    return ThreadpoolController()


def limited(threads: int | None) -> AbstractContextManager[Any]:
    """A context in which BLAS uses `threads` threads; None changes nothing."""
    if threads is None:
        return nullcontext()
    limit: AbstractContextManager[Any] = _controller().limit(limits=threads, user_api="blas")
    return limit


def blas_threads() -> int:
    """The number of threads BLAS uses now."""
    return max((lib["num_threads"] for lib in _controller().info() if lib["user_api"] == "blas"), default=1)


def blas_name() -> str:
    """The BLAS library behind NumPy and its version, `unknown` where it cannot be told."""
    for lib in _controller().info():
        if lib["user_api"] == "blas":
            return f"{lib['internal_api']} {lib['version']} ({lib.get('architecture', '?')})"
    return "unknown"
