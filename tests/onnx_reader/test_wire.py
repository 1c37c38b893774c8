"""The walk over the wire format: nothing is lost but large payloads, and each of those is found again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost.errors import ModelError
from convcost.onnx_reader import open_payload, read_raw
from convcost.onnx_reader.wire import read_varint, without_payloads, write_varint

MARK = "m" * 32


def tensor(name: str, n: int, *, raw: bool = True) -> onnx.TensorProto:
    values = np.arange(n, dtype=np.float32)
    if raw:
        return numpy_helper.from_array(values, name)
    return helper.make_tensor(name, TensorProto.FLOAT, [n], values)


def nested() -> onnx.ModelProto:
    """Large tensors in every place that can hold one."""
    constant = helper.make_node("Constant", [], ["c"], value=tensor("", 40_000))
    sparse = helper.make_sparse_tensor(tensor("v", 20_000), numpy_helper.from_array(np.arange(20_000), "i"), [50_000])
    many = helper.make_node("Odd", [], ["d"], domain="odd", tensors=[tensor("t0", 20_000), tensor("t1", 3)])
    branch = helper.make_graph(
        [constant, many], "b", [], [helper.make_empty_tensor_value_info("c")], [tensor("w", 17_000)]
    )
    graph = helper.make_graph(
        [
            helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch),
            helper.make_node("Constant", [], ["s"], sparse_value=sparse),
            helper.make_node("f", [], ["z"], domain="local"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.BOOL, [])],
        [helper.make_empty_tensor_value_info("y")],
        [tensor("a", 100_000), tensor("small", 10), tensor("typed", 30_000, raw=False)],
        sparse_initializer=[sparse],
    )
    function = helper.make_function("local", "f", [], ["c"], [constant], [helper.make_opsetid("", 17)])
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1), helper.make_opsetid("odd", 1)]
    return helper.make_model(graph, opset_imports=imports, functions=[function], ir_version=8)


def tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    def of_nodes(nodes: object) -> Iterator[onnx.TensorProto]:
        for node in nodes:  # type: ignore[attr-defined]
            for a in node.attribute:
                for s in [a.sparse_tensor, *a.sparse_tensors]:
                    yield from (s.values, s.indices)
                yield from [a.t, *a.tensors]
                for g in [a.g, *a.graphs]:
                    yield from of_graph(g)

    def of_graph(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
        yield from graph.initializer
        for s in graph.sparse_initializer:
            yield from (s.values, s.indices)
        yield from of_nodes(graph.node)

    yield from of_graph(model.graph)
    for f in model.functions:
        yield from of_nodes(f.node)


def test_every_large_payload_is_cut_and_can_be_put_back() -> None:
    model = nested()
    data = model.SerializeToString()
    short = without_payloads(data, MARK)
    assert len(short) < 5_000
    out = onnx.ModelProto.FromString(short)
    restored = 0
    for t in tensors(out):
        for entry in list(t.external_data):
            assert entry.key == MARK
            field, offset, length = entry.value.split(":")
            payload = data[int(offset) : int(offset) + int(length)]
            if field == "raw":
                t.raw_data = payload
            else:
                getattr(t, field).extend(np.frombuffer(payload, "<f4"))
            restored += 1
            del t.external_data[:]
    assert restored == 13
    assert out == model


def test_a_small_model_is_left_as_it_is(conv: onnx.ModelProto) -> None:
    data = conv.SerializeToString()
    assert without_payloads(data, MARK) == data


def test_the_payload_is_found_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(nested().SerializeToString())
    graph = read_raw(file).graph
    for name, n in (("a", 100_000), ("small", 10), ("typed", 30_000)):
        payload = graph.tensors[name].payload
        assert payload is not None
        assert (payload.data is None) == (n > 16_384)
        assert np.array_equal(np.frombuffer(open_payload(payload), "<f4"), np.arange(n, dtype=np.float32))


def length_delimited(field: int, content: bytes) -> bytes:
    return write_varint(field << 3 | 2) + write_varint(len(content)) + content


BIG = bytes(70_000)
BROKEN = {
    "group": b"\x0b" + BIG,
    "wire type 7": b"\x0f" + BIG,
    "length beyond the end": b"\x3a\xff\xff\xff\xff\x0f" + BIG,
    "length of 2^63": b"\x3a" + b"\xff" * 9 + b"\x01" + BIG,
    "varint of 11 bytes": b"\x3a" + b"\xff" * 11 + BIG,
    "field past its message": length_delimited(7, length_delimited(10, BIG) + b"\x0d\x00"),
    "cut in a varint": length_delimited(3, BIG) + b"\x08\xff",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_broken_wire_format_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="not an ONNX model"):
        without_payloads(data, MARK)


def test_nesting_has_a_limit() -> None:
    data = length_delimited(9, BIG)
    for i in range(120):
        data = length_delimited((6, 5, 1)[i % 3], data)
    with pytest.raises(ModelError, match="nested too deep"):
        without_payloads(length_delimited(7, data), MARK)


def test_structure_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcost.onnx_reader.wire.MAX_STRUCTURE_BYTES", 80_000)
    with pytest.raises(ModelError, match="too large"):
        without_payloads(length_delimited(3, BIG) * 2, MARK)


def test_repeated_and_unknown_fields_are_kept() -> None:
    data = b"\x08\x01" * 40_000 + length_delimited(1000, BIG) + b"\x08\x09"
    assert without_payloads(data, MARK) == data
    assert onnx.ModelProto.FromString(data).ir_version == 9


def test_varints_are_protobufs() -> None:
    draw = random.Random(1)
    for _ in range(500):
        n = draw.getrandbits(draw.randrange(1, 64))
        wire = onnx.ModelProto(model_version=n).SerializeToString()
        assert write_varint(n) == wire[1:]
        assert read_varint(wire, 1) == (n, len(wire))
