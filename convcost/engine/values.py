"""Element types and memory of the values that flow through a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convcost.errors import EngineError
from convcost.ir import DType

Array = npt.NDArray[Any]
"""A NumPy array of any element type. Strings are object arrays of `str`."""

Value = Any
"""What a name stands for while running: an array, a list (sequence), a dict (map), or None (an empty optional)."""

_PLAIN: dict[DType, Any] = {
    DType.FLOAT32: np.float32,
    DType.FLOAT64: np.float64,
    DType.FLOAT16: np.float16,
    DType.INT8: np.int8,
    DType.INT16: np.int16,
    DType.INT32: np.int32,
    DType.INT64: np.int64,
    DType.UINT8: np.uint8,
    DType.UINT16: np.uint16,
    DType.UINT32: np.uint32,
    DType.UINT64: np.uint64,
    DType.BOOL: np.bool_,
    DType.COMPLEX64: np.complex64,
    DType.COMPLEX128: np.complex128,
    DType.STRING: object,
}

_SHORT = {
    DType.BFLOAT16: "bfloat16",
    DType.FLOAT8E4M3FN: "float8_e4m3fn",
    DType.FLOAT8E4M3FNUZ: "float8_e4m3fnuz",
    DType.FLOAT8E5M2: "float8_e5m2",
    DType.FLOAT8E5M2FNUZ: "float8_e5m2fnuz",
    DType.UINT4: "uint4",
    DType.INT4: "int4",
    DType.UINT2: "uint2",
    DType.INT2: "int2",
    DType.FLOAT4E2M1: "float4_e2m1fn",
    DType.FLOAT8E8M0: "float8_e8m0fnu",
    DType.FLOAT6E2M3: "float6_e2m3fn",
    DType.FLOAT6E3M2: "float6_e3m2fn",
}


def numpy_dtype(dtype: DType) -> np.dtype[Any]:
    """The NumPy type that holds elements of `dtype`; types that NumPy lacks come from ml_dtypes."""
    if dtype in _PLAIN:
        plain: np.dtype[Any] = np.dtype(_PLAIN[dtype])
        return plain
    import ml_dtypes  # noqa: PLC0415 - only for models that store short floats or integers

    found = getattr(ml_dtypes, _SHORT[dtype], None)
    if found is None:
        raise EngineError(f"element type {dtype.label} is not supported by the installed ml_dtypes", code="C410")
    short: np.dtype[Any] = np.dtype(found)
    return short


def dtype_of(array: Array) -> DType:
    """The element type of an array."""
    if array.dtype.kind in "OUS":
        return DType.STRING
    for ours, theirs in _PLAIN.items():
        if array.dtype == theirs:
            return ours
    for ours, name in _SHORT.items():
        if array.dtype.name == name:
            return ours
    raise EngineError(f"NumPy type {array.dtype} is not an element type of ONNX", code="C410")


def nbytes(value: Value) -> int:
    """Bytes that a value takes. Strings are counted by their characters; a dict or list by what it holds."""
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return value.nbytes + sum(len(s) for s in value.flat if isinstance(s, str | bytes))
        return int(value.nbytes)
    if isinstance(value, dict):
        return sum(nbytes(v) for v in value.values())
    if isinstance(value, list | tuple):
        return sum(nbytes(v) for v in value)
    return 16
