"""What the machine can do at most, measured in the same run: matrix products and copies.

The roofline of S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual performance model for
multicore architectures", Comm. ACM 52 (2009): attainable rate = min(peak rate, intensity · bandwidth).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec
import numpy as np

from convcost.engine.threads import limited
from convcost.timing.clock import Clock, monotonic

GEMM_SIZE = 1024
COPY_BYTES = 64 << 20
BEST_OF = 12


class Roof(msgspec.Struct, frozen=True):
    """Single precision products in GFLOP/s, and copying in GB/s (bytes read and bytes written together)."""

    gemm_gflops: float
    copy_gbytes_per_s: float

    @property
    def ridge(self) -> float:
        """FLOP per byte above which products, below which memory is the limit."""
        return self.gemm_gflops / self.copy_gbytes_per_s

    def attainable(self, intensity: float) -> float:
        """The rate in GFLOP/s that the roofline allows at `intensity` FLOP per byte."""
        return min(self.gemm_gflops, intensity * self.copy_gbytes_per_s)

    def bound(self, flops: int, nbytes: int) -> Literal["compute", "memory"]:
        """Which part of the roof is the lower one for this work."""
        return "compute" if flops >= self.ridge * nbytes else "memory"


def measure_roof(threads: int | None = None, clock: Clock = monotonic) -> Roof:
    """The best of a few products of 1024 × 1024 float32 matrices and of a few copies of 64 MiB."""
    a = np.full((GEMM_SIZE, GEMM_SIZE), 0.5, np.float32)
    out = np.empty_like(a)
    source = np.ones(COPY_BYTES, np.uint8)
    target = np.empty_like(source)
    with limited(threads):
        product = min(_timed(lambda: np.matmul(a, a, out=out), clock) for _ in range(BEST_OF))
        copy = min(_timed(lambda: np.copyto(target, source), clock) for _ in range(BEST_OF))
    return Roof(2 * GEMM_SIZE**3 / max(product, 1), 2 * COPY_BYTES / max(copy, 1))


def _timed(work: Callable[[], object], clock: Clock) -> int:
    start = clock()
    work()
    return clock() - start
