"""Element types, with the numbers that ONNX gives them and their stored size."""

from __future__ import annotations

import enum

from convcost.ir.dim import Dim, ceildiv


class DType(enum.Enum):
    """Element type: (code in ONNX's TensorProto.DataType, stored bits). Strings have no fixed size: 0 bits."""

    FLOAT32 = (1, 32)
    UINT8 = (2, 8)
    INT8 = (3, 8)
    UINT16 = (4, 16)
    INT16 = (5, 16)
    INT32 = (6, 32)
    INT64 = (7, 64)
    STRING = (8, 0)
    BOOL = (9, 8)
    FLOAT16 = (10, 16)
    FLOAT64 = (11, 64)
    UINT32 = (12, 32)
    UINT64 = (13, 64)
    COMPLEX64 = (14, 64)
    COMPLEX128 = (15, 128)
    BFLOAT16 = (16, 16)
    FLOAT8E4M3FN = (17, 8)
    FLOAT8E4M3FNUZ = (18, 8)
    FLOAT8E5M2 = (19, 8)
    FLOAT8E5M2FNUZ = (20, 8)
    UINT4 = (21, 4)
    INT4 = (22, 4)
    FLOAT4E2M1 = (23, 4)
    FLOAT8E8M0 = (24, 8)
    UINT2 = (25, 2)
    INT2 = (26, 2)
    FLOAT6E2M3 = (27, 6)
    FLOAT6E3M2 = (28, 6)

    def __init__(self, code: int, bits: int) -> None:
        self.code = code
        self.bits = bits
        self.label = self.name.lower()
        self.is_float = "FLOAT" in self.name
        self.is_integer = "INT" in self.name

    __hash__ = object.__hash__  # one object a type; the inherited one hashes the name, slowly

    @classmethod
    def from_code(cls, code: int) -> DType | None:
        """The type with ONNX's number `code`; None for undefined and unknown numbers."""
        return _BY_CODE.get(code)

    @classmethod
    def from_label(cls, label: str) -> DType | None:
        """The type called `label`, as in `float32`."""
        return _BY_LABEL.get(label)

    def nbytes(self, elements: Dim) -> Dim:
        """Stored bytes of `elements` elements; types below a byte are packed."""
        return elements * (self.bits // 8) if self.bits % 8 == 0 else ceildiv(elements * self.bits, 8)


_BY_CODE = {t.code: t for t in DType}
_BY_LABEL = {t.label: t for t in DType}
