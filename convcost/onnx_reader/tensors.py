"""TensorProto and SparseTensorProto → ir.Tensor: shape, type, where the data lies, and small contents."""

from __future__ import annotations

import array
import math
import struct
import sys
from fractions import Fraction
from itertools import pairwise
from typing import Any

from convcost.errors import ModelError
from convcost.ir import MAX_FLOATS, MAX_VALUE, DType, Payload, Tensor, Value
from convcost.onnx_reader.external import external_payload, small_content
from convcost.onnx_reader.limits import MAX_RANK
from convcost.onnx_reader.names import quoted, text

FIELDS: dict[DType, tuple[str, str, int]] = {
    DType.FLOAT32: ("float_data", "f", 1),
    DType.COMPLEX64: ("float_data", "f", 2),
    DType.FLOAT64: ("double_data", "d", 1),
    DType.COMPLEX128: ("double_data", "d", 2),
    DType.INT64: ("int64_data", "q", 1),
    DType.UINT32: ("uint64_data", "I", 1),
    DType.UINT64: ("uint64_data", "Q", 1),
    DType.INT32: ("int32_data", "i", 1),
    DType.INT16: ("int32_data", "h", 1),
    DType.INT8: ("int32_data", "b", 1),
    DType.UINT16: ("int32_data", "H", 1),
    DType.FLOAT16: ("int32_data", "H", 1),
    DType.BFLOAT16: ("int32_data", "H", 1),
}
"""Type -> (the typed field that stores it, array code of one stored number, numbers an element).

All other types are stored as bytes in `int32_data`; those below a byte several to a byte."""

INTEGERS = {7: "q", 6: "i", 5: "h", 3: "b", 13: "Q", 12: "I", 4: "H", 2: "B", 9: "?"}
FLOATS = {1: "f", 11: "d", 10: "e"}
"""ONNX's number of a type -> the code of one element for `struct`. Numbers: hashing them is fast."""

SIX = 6
"""Bits of the types that are packed in `raw_data` but not in `int32_data`."""

TYPED = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")


class Place:
    """What the tensors of one file have in common: the file's path and folder, its bytes, the marker of cuts.

    `external` collects the payloads that lie in other files.
    """

    __slots__ = ("data", "directory", "external", "marker", "path")

    def __init__(self, path: str | None, directory: str | None, marker: str, data: Any) -> None:
        self.path = path
        self.directory = directory
        self.marker = marker
        self.data = data
        self.external: list[Payload] = []


def tensor_of(proto: Any, place: Place, name: str | None = None) -> Tensor:
    """A stored tensor. Raises `ModelError` where dims, type and data contradict each other."""
    if name is None:
        name = text(proto.name)
    try:
        return _tensor(proto, place, name)
    except ModelError as wrong:
        wrong.message = f"tensor {quoted(name)}: {wrong.message}"
        wrong.args = (wrong.message,)
        raise


def _tensor(proto: Any, place: Place, name: str) -> Tensor:
    dtype = DType.from_code(proto.data_type)
    if dtype is None:
        raise _wrong(f"its element type {proto.data_type} is not one that ONNX defines")
    shape = dims_of(proto.dims)
    elements = math.prod(shape)
    if proto.HasField("segment") and not 0 <= proto.segment.begin <= proto.segment.end:
        raise _wrong("its segment ends before it begins")
    payload = _payload(proto, place, dtype, elements)
    value = None
    if is_carried(dtype, elements):
        raw = small_content(payload) if payload.external else payload.data
        value = content(dtype, raw, elements) if raw is not None else None
    return Tensor(name, dtype, shape, value, constant=True, stored=True, payload=payload)


def dims_of(dims: Any) -> tuple[int, ...]:
    """The dimensions of a stored tensor."""
    shape = tuple(dims[:])
    if len(shape) > MAX_RANK:
        raise _wrong(f"its rank of {len(shape)} dimensions is over the limit of {MAX_RANK}")
    for d in shape:
        if d < 0:
            raise _wrong(f"its shape has a negative dimension, {d}")
    return shape


def _payload(proto: Any, place: Place, dtype: DType, elements: int) -> Payload:
    """Where the data is. Its length is checked against dims × type."""
    nbytes = dtype.nbytes(elements)
    assert isinstance(nbytes, int)
    if proto.data_location == 1 or proto.external_data:
        payload = _elsewhere(proto, place, dtype, elements)
        if payload is not None:
            return payload
    if proto.HasField("raw_data"):
        raw = proto.raw_data
        if raw or not elements:
            if _fields(proto):
                raise _wrong("its data is stored twice, as raw_data and as a typed field")
            if dtype is DType.STRING:
                raise _wrong("strings cannot be stored as raw_data")
            _expect(len(raw), nbytes, dtype, "bytes of data")
            return Payload("raw", nbytes, data=raw)
    return _from_field(proto, dtype, elements)


def _elsewhere(proto: Any, place: Place, dtype: DType, elements: int) -> Payload | None:
    """A payload in an external file, or cut out before parsing; None where `external_data` says neither."""
    entries = [(text(e.key), text(e.value)) for e in proto.external_data]
    cuts = [v for k, v in entries if k == place.marker]
    if proto.data_location == 1:
        if cuts or proto.HasField("raw_data") or _fields(proto):
            raise _wrong("its data is both external and in the file")
        nbytes = dtype.nbytes(elements)
        assert isinstance(nbytes, int)
        payload = external_payload(entries, None if dtype is DType.STRING else nbytes, place.directory)
        place.external.append(payload)
        return payload
    if not cuts:
        return None
    if len(cuts) > 1 or proto.raw_data or _fields(proto):
        raise _wrong("its data is stored twice")
    return _cut(cuts[0], place, dtype, elements)


def _cut(where: str, place: Place, dtype: DType, elements: int) -> Payload:
    """A payload that was cut out before parsing: `field:offset:length`."""
    encoding, offset, length = where.split(":")
    begin, n = int(offset), int(length)
    field, code, count = _field_of(dtype)
    if encoding == "raw":
        if dtype is DType.STRING:
            raise _wrong("strings cannot be stored as raw_data")
        nbytes = dtype.nbytes(elements)
        assert isinstance(nbytes, int)
        _expect(n, nbytes, dtype, "bytes of data")
    elif encoding != field:
        raise _wrong(f"its data is in {encoding}, where {dtype.label} is not stored")
    elif code in ("f", "d"):
        _expect(n, elements * count * struct.calcsize(code), dtype, "bytes of data")
    else:
        stored = _stored(dtype, elements)
        if not stored <= n <= 10 * stored:
            raise _wrong(f"its data has {n:,} bytes, which cannot be {stored:,} numbers")
    if place.path is None:
        return Payload(encoding, n, data=bytes(place.data[begin : begin + n]))
    return Payload(encoding, n, path=place.path, offset=begin)


def _from_field(proto: Any, dtype: DType, elements: int) -> Payload:
    """Data in a typed field, as packed little-endian bytes."""
    if dtype is DType.STRING:
        _expect(len(proto.string_data), elements, dtype, "strings")
        return Payload("string_data", elements, data=type(proto)(string_data=proto.string_data).SerializeToString())
    field, code, count = _field_of(dtype)
    numbers = getattr(proto, field)
    wrong_fields = [f for f in _fields(proto) if f != field]
    if wrong_fields:
        raise _wrong(f"its data is in {wrong_fields[0]}, where {dtype.label} is not stored")
    _expect(len(numbers), _stored(dtype, elements) * count, dtype, "elements of data")
    try:
        packed = array.array(code, numbers)
    except OverflowError:
        raise _wrong(f"its {field} holds a number out of the range of {dtype.label}") from None
    if sys.byteorder == "big":
        packed.byteswap()
    data = packed.tobytes() if dtype.bits != SIX else packed_six(packed)
    return Payload("raw", len(data), data=data)


def packed_six(numbers: array.array[int]) -> bytes:
    """Four numbers of six bits to three bytes, the first lowest, as `raw_data` stores them."""
    out = bytearray()
    for i in range(0, len(numbers), 4):
        word = sum((x & 0x3F) << 6 * j for j, x in enumerate(numbers[i : i + 4]))
        out += word.to_bytes(3, "little")
    return bytes(out[: -(-6 * len(numbers) // 8)])


def _field_of(dtype: DType) -> tuple[str, str, int]:
    return FIELDS.get(dtype, ("int32_data", "b" if dtype is DType.INT8 else "B", 1))


def _stored(dtype: DType, elements: int) -> int:
    """How many numbers of the typed field hold `elements` elements: one each, save for packed types of 4 and 2 bits."""
    if dtype.bits >= 8 or dtype.bits == SIX:
        return elements
    nbytes = dtype.nbytes(elements)
    assert isinstance(nbytes, int)
    return nbytes


def _fields(proto: Any) -> list[str]:
    """The typed fields that hold something."""
    return [f for f in TYPED if getattr(proto, f)]


def _expect(found: int, wanted: int, dtype: DType, what: str) -> None:
    if found != wanted:
        raise _wrong(f"its shape and type ({dtype.label}) need {wanted:,} {what}, the file has {found:,}")


def is_carried(dtype: DType, elements: int) -> bool:
    """Whether contents of this type and size are carried along, for shapes to be computed from."""
    return elements <= MAX_VALUE and (dtype.code in INTEGERS or (elements <= MAX_FLOATS and dtype.code in FLOATS))


def content(dtype: DType, raw: bytes, elements: int) -> Value | None:
    """The elements as exact numbers; None for infinities."""
    code = INTEGERS.get(dtype.code)
    if code is not None:
        numbers = struct.unpack(f"<{elements}{code}", raw)
        return tuple(map(int, numbers)) if dtype is DType.BOOL else numbers
    numbers = struct.unpack(f"<{elements}{FLOATS[dtype.code]}", raw)
    return tuple(map(Fraction, numbers)) if all(map(math.isfinite, numbers)) else None


def sparse_of(proto: Any, place: Place) -> Tensor:
    """A sparse tensor, described as the dense one that it stands for; `nonzeros` is what is stored."""
    name = text(proto.values.name)
    values = tensor_of(proto.values, place, name)
    indices = tensor_of(proto.indices, place)
    try:
        shape = dims_of(proto.dims)
        if not shape:
            raise _wrong("a sparse tensor without dimensions")
        nonzeros = _check_indices(values, indices, shape)
    except ModelError as wrong:
        raise ModelError(f"sparse tensor {quoted(name)}: {wrong.message}", code="C212") from None
    return Tensor(name, values.dtype, shape, constant=True, stored=True, nonzeros=nonzeros, sparse=(values, indices))


def _check_indices(values: Tensor, indices: Tensor, shape: tuple[int, ...]) -> int:
    """The number of stored elements; small index tables are checked to be sorted, unique and inside."""
    if values.rank != 1:
        raise _wrong(f"its values have {values.rank} dimensions instead of one")
    (nonzeros,) = values.dims
    assert isinstance(nonzeros, int)
    if indices.dtype is not DType.INT64 or indices.dims not in ((nonzeros,), (nonzeros, len(shape))):
        raise _wrong(f"its index table does not fit {nonzeros:,} values and {len(shape)} dimensions")
    if nonzeros > math.prod(shape):
        raise _wrong(f"it has {nonzeros:,} values but only {math.prod(shape):,} places")
    if indices.value is not None:
        flat = [int(v) for v in indices.value if isinstance(v, int)]
        if indices.rank == 2:
            rank = len(shape)
            rows = [flat[i : i + rank] for i in range(0, len(flat), rank)]
            if any(not 0 <= v < d for row in rows for v, d in zip(row, shape, strict=True)):
                raise _wrong("an index is outside of its shape")
            order = [tuple(row) for row in rows]
        else:
            if any(not 0 <= v < math.prod(shape) for v in flat):
                raise _wrong("an index is outside of its shape")
            order = [(v,) for v in flat]
        if any(a >= b for a, b in pairwise(order)):
            raise _wrong("its indices are not in ascending order or not unique")
    return nonzeros


def _wrong(message: str) -> ModelError:
    return ModelError(message, code="C212")
