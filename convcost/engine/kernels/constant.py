"""Constants that are made: ConstantOfShape."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.kernels import Kernel
from convcost.engine.values import Value, numpy_dtype
from convcost.ir import DType


def constant_of_shape(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """A tensor of the given shape, full of one value."""
    shape = tuple(int(d) for d in inputs[0])
    if attrs.value is None:
        return [np.zeros(shape, np.float32)]
    from convcost.engine.weights import decode, from_value  # noqa: PLC0415 - they load kernels

    t = attrs.value
    one = decode(t.payload, t.dtype, (1,)) if t.payload is not None else from_value(t).reshape(1)
    return [np.full(shape, one[0], numpy_dtype(t.dtype or DType.FLOAT32))]


KERNELS: dict[tuple[str, str, str], Kernel] = {("", "ConstantOfShape", "copy"): constant_of_shape}
