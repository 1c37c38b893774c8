"""Stored tensors: every type in every encoding, against onnx.numpy_helper."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost.errors import ModelError
from convcost.ir import DType
from convcost.onnx_reader.tensors import Place, sparse_of, tensor_of

PLACE = Place(None, None, "m" * 32, b"")
NUMERIC = [code for _, code in TensorProto.DataType.items() if code not in (TensorProto.UNDEFINED, TensorProto.STRING)]
VALUES = (0, 1, 1, 0, 1)


@pytest.mark.parametrize("code", NUMERIC, ids=[TensorProto.DataType.Name(c) for c in NUMERIC])
def test_typed_fields_and_raw_data_give_the_same_bytes(code: int) -> None:
    typed = helper.make_tensor("t", code, [len(VALUES)], VALUES)
    array = numpy_helper.to_array(typed)
    raw = numpy_helper.from_array(array, "t")
    assert raw.raw_data
    a, b = tensor_of(typed, PLACE), tensor_of(raw, PLACE)
    assert a.payload == b.payload
    assert a.payload is not None
    assert a.payload.data == raw.raw_data
    assert a.dtype is DType.from_code(code)
    assert a.dims == array.shape
    assert (a.constant, a.stored) == (True, True)
    if a.value is not None:
        assert a.value == tuple(int(v) for v in array)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int8, np.uint64, np.uint8, np.bool_, np.float16, np.float64])
def test_contents_are_exact(dtype: type[np.generic]) -> None:
    array = np.array([[0, 1, 100], [3, 4, 50]], dtype=dtype) if dtype is not np.float64 else np.array([0.1, -2.5e300])
    value = tensor_of(numpy_helper.from_array(array), PLACE).value
    assert value == tuple(Fraction(v) for v in array.ravel().tolist())


def test_contents_that_are_not_carried() -> None:
    for array in (
        np.array([1.0, np.inf], np.float32),
        np.array([np.nan], np.float64),
        np.zeros(65, np.float32),
        np.zeros(4097, np.int64),
        np.array([1 + 1j], np.complex64),
    ):
        t = tensor_of(numpy_helper.from_array(array), PLACE)
        assert t.value is None
        assert t.dims == array.shape
    assert len(tensor_of(numpy_helper.from_array(np.zeros(4096, np.int64)), PLACE).content) == 4096


def test_strings_are_kept_as_they_are_stored() -> None:
    proto = helper.make_tensor("s", TensorProto.STRING, [2], [b"a\xff", b""])  # type: ignore[list-item]
    payload = tensor_of(proto, PLACE).payload
    assert payload is not None
    assert payload.encoding == "string_data"
    assert payload.data is not None
    assert list(TensorProto.FromString(payload.data).string_data) == [b"a\xff", b""]


def changed(**fields: object) -> onnx.TensorProto:
    proto = numpy_helper.from_array(np.zeros((2, 3), np.float32), "t")
    for name, value in fields.items():
        if isinstance(value, list):
            del getattr(proto, name)[:]
            getattr(proto, name).extend(value)
        elif value is None:
            proto.ClearField(name)
        else:
            setattr(proto, name, value)
    return proto


WRONG = {
    "short raw data": changed(raw_data=bytes(23)),
    "long raw data": changed(raw_data=bytes(25)),
    "no data": changed(raw_data=None),
    "empty raw data": changed(raw_data=b""),
    "typed data beside raw data": changed(float_data=[1.0]),
    "too much typed data": changed(raw_data=None, float_data=[1.0] * 7),
    "data in another type's field": changed(raw_data=None, int32_data=[1] * 6),
    "no type": changed(data_type=0),
    "unknown type": changed(data_type=9999),
    "negative dimension": changed(dims=[-2, -3]),
    "a huge shape": changed(dims=[2**62, 2**62]),
    "too many dimensions": changed(dims=[1] * 65, raw_data=bytes(4)),
    "raw strings": changed(data_type=8),
    "number out of range": changed(raw_data=None, data_type=3, int32_data=[1, 2, 3, 4, 5, 128]),
    "both external and raw": changed(data_location=1),
}


@pytest.mark.parametrize("proto", WRONG.values(), ids=WRONG.keys())
def test_contradictions_are_refused(proto: onnx.TensorProto) -> None:
    with pytest.raises(ModelError, match="'t'"):
        tensor_of(proto, PLACE)


def test_a_segment_must_end_after_it_begins() -> None:
    proto = changed()
    proto.segment.begin, proto.segment.end = 0, 6
    assert tensor_of(proto, PLACE).dims == (2, 3)
    proto.segment.begin = 7
    with pytest.raises(ModelError, match="segment"):
        tensor_of(proto, PLACE)


def test_an_empty_tensor_needs_no_data() -> None:
    assert tensor_of(changed(dims=[2, 0], raw_data=None), PLACE).value == ()


def sparse(indices: list[int] | list[list[int]], dims: list[int], nonzeros: int = 3) -> onnx.SparseTensorProto:
    return helper.make_sparse_tensor(
        numpy_helper.from_array(np.ones(nonzeros, np.float32), "w"),
        numpy_helper.from_array(np.array(indices, np.int64), "i"),
        dims,
    )


def test_a_sparse_tensor_stands_for_its_dense_one() -> None:
    for proto in (sparse([0, 5, 15], [4, 4]), sparse([[0, 0], [1, 1], [3, 3]], [4, 4])):
        t = sparse_of(proto, PLACE)
        assert (t.name, t.dims, t.nonzeros, t.dtype) == ("w", (4, 4), 3, DType.FLOAT32)


def test_the_values_of_a_sparse_tensor_are_a_list() -> None:
    proto = sparse([0, 1, 2, 3], [4, 4], nonzeros=4)
    proto.values.dims[:] = [2, 2]
    with pytest.raises(ModelError, match="2 dimensions instead of one"):
        sparse_of(proto, PLACE)


@pytest.mark.parametrize(
    ("indices", "dims"),
    [
        ([0, 5, 16], [4, 4]),
        ([-1, 5, 6], [4, 4]),
        ([0, 5], [4, 4]),
        ([5, 5, 6], [4, 4]),
        ([6, 5, 7], [4, 4]),
        ([[0, 0], [1, 4], [3, 3]], [4, 4]),
        ([[0, 0], [0, 0], [3, 3]], [4, 4]),
        ([0, 1, 2], [-4, -4]),
        ([0, 1, 2], [2, 1]),
        ([0, 1, 2], []),
    ],
)
def test_sparse_tensors_that_contradict_themselves(indices: list[int], dims: list[int]) -> None:
    with pytest.raises(ModelError, match="sparse tensor"):
        sparse_of(sparse(indices, dims), PLACE)


def test_a_cut_payload_is_checked_by_its_length(tmp_path: Path) -> None:
    def cut(where: str, **fields: object) -> onnx.TensorProto:
        proto = changed(raw_data=None, **fields)
        proto.external_data.add(key=PLACE.marker, value=where)
        return proto

    place = Place(str(tmp_path), ".", PLACE.marker, b"")
    payload = tensor_of(cut("raw:100:24"), place).payload
    assert payload is not None
    assert (payload.offset, payload.length, payload.external) == (100, 24, False)
    assert tensor_of(cut("int64_data:9:60", data_type=7), place).dims == (2, 3)
    for where, code in (("raw:0:23", 1), ("float_data:0:28", 1), ("int32_data:0:6", 1), ("int64_data:0:61", 7)):
        with pytest.raises(ModelError):
            tensor_of(cut(where, data_type=code), place)
    with pytest.raises(ModelError, match="twice"):
        tensor_of(cut("raw:100:24", float_data=[1.0]), place)
