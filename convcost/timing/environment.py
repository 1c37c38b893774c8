"""Where times were measured: versions, BLAS, processor, threads."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from convcost.engine.threads import blas_name
from convcost.record import Environment
from convcost.timing.roof import Roof

PACKAGES = ("convcost", "numpy", "onnx", "onnxruntime", "threadpoolctl")


def environment(threads: int, roof: Roof | None = None) -> Environment:
    """The record of this machine."""
    return Environment(
        python=platform.python_version(),
        numpy=np.__version__,
        blas=blas_name(),
        machine=f"{platform.system()} {platform.machine()}",
        processor=processor(),
        cores=os.cpu_count() or 1,
        threads=threads,
        gemm_gflops=None if roof is None else round(roof.gemm_gflops, 2),
        copy_gbytes_per_s=None if roof is None else round(roof.copy_gbytes_per_s, 2),
        versions=versions(),
    )


def processor() -> str:
    """The processor's name, as the system gives it."""
    names = (line.partition(":")[2].strip() for line in cpuinfo().splitlines() if line.startswith("model name"))
    return next(names, "") or platform.processor() or "unknown"


def cpuinfo() -> str:
    """Linux's description of the processors; empty on systems without it."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def versions() -> dict[str, str]:
    """Versions of the packages that have a part in the times."""
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out
