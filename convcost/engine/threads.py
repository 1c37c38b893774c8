"""How many threads BLAS may use."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, ClassVar


@cache
def _controller() -> Any:
    import numpy as np  # noqa: F401, PLC0415 - its BLAS must be loaded to be found
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - only to run

    return ThreadpoolController()


def limited(threads: int | None) -> AbstractContextManager[Any]:
    """A context in which BLAS uses `threads` threads; None changes nothing."""
    return nullcontext() if threads is None else Limited(threads)


@cache
def _libraries() -> list[Any]:
    return [lib for lib in _controller().lib_controllers if lib.user_api == "blas"]


class Limited(AbstractContextManager[None]):
    """Sets the threads of BLAS and sets them back: what threadpoolctl does, without its bookkeeping of 15 µs.

    The setting is the whole process's. Of several contexts at once the last one decides, and the last that ends sets
    back what was before the first.
    """

    __slots__ = ("threads",)
    lock = threading.Lock()
    inside = 0
    before: ClassVar[list[tuple[Any, int]]] = []

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def __enter__(self) -> None:
        with Limited.lock:
            if not Limited.inside:
                Limited.before = [(lib, lib.get_num_threads()) for lib in _libraries()]
            Limited.inside += 1
            for lib in _libraries():
                if lib.get_num_threads() != self.threads:
                    lib.set_num_threads(self.threads)

    def __exit__(self, *_: object) -> None:
        with Limited.lock:
            Limited.inside -= 1
            if not Limited.inside:
                for lib, threads in Limited.before:
                    if lib.get_num_threads() != threads:
                        lib.set_num_threads(threads)


def blas_threads() -> int:
    """The number of threads BLAS uses now."""
    return max((lib["num_threads"] for lib in _controller().info() if lib["user_api"] == "blas"), default=1)


def blas_name() -> str:
    """The BLAS library behind NumPy and its version, `unknown` where it cannot be told."""
    for lib in _controller().info():
        if lib["user_api"] == "blas":
            return f"{lib['internal_api']} {lib['version']} ({lib.get('architecture', '?')})"
    return "unknown"
