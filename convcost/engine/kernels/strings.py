"""Operators on strings."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.kernels import Kernel
from convcost.engine.values import Value


def concat(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """Strings joined element by element."""
    a, b = np.broadcast_arrays(*inputs)
    out = np.empty(a.shape, object)
    out.ravel()[:] = [f"{x}{y}" for x, y in zip(a.flat, b.flat, strict=True)]
    return [out]


KERNELS: dict[tuple[str, str, str], Kernel] = {("", "StringConcat", "loop"): concat}
