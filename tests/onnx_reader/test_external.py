"""External data: unsafe locations are refused when reading, and nothing outside the folder is ever opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost.errors import EngineError, ModelError
from convcost.ir import Payload
from convcost.onnx_reader import from_bytes, open_payload, read_file
from convcost.onnx_reader.external import safe_parts

VALUES = np.arange(108, dtype="<f4").reshape(4, 3, 3, 3)


def external(**entries: str) -> onnx.ModelProto:
    w = TensorProto(name="W", data_type=TensorProto.FLOAT, dims=[4, 3, 3, 3], data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        w.external_data.add(key=key, value=value)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "W"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_empty_tensor_value_info("y")],
        [w],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def write(folder: Path, **entries: str) -> Path:
    file = folder / "m.onnx"
    file.write_bytes(external(**entries).SerializeToString())
    return file


def payload_of(file: Path) -> Payload:
    payload = read_file(file).graph.tensors["W"].payload
    assert payload is not None
    return payload


@pytest.mark.parametrize("location", ["w.bin", "./w.bin", "sub/w.bin", "wêights \u202e.bin"])
def test_data_in_the_folder_is_mapped(tmp_path: Path, location: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / location).write_bytes(bytes(64) + VALUES.tobytes())
    payload = payload_of(write(tmp_path, location=location, offset="64", length="432"))
    assert np.array_equal(np.frombuffer(open_payload(payload), "<f4"), VALUES.ravel())


UNSAFE = [
    "",
    "a/../w.bin",
    "/etc/passwd",
    "//host/share",
    "../w.bin",
    "a/../../w",
    "C:\\w",
    "C:w",
    "\\\\host\\w",
    "w\0.bin",
    ".",
    "./",
    "..",
]


@pytest.mark.parametrize("location", UNSAFE)
def test_locations_outside_the_folder_are_refused(tmp_path: Path, location: str) -> None:
    with pytest.raises(ModelError) as wrong:
        read_file(write(tmp_path, location=location))
    assert wrong.value.code == "C213"
    assert "external data" in wrong.value.message


@pytest.mark.parametrize("number", ["-1", "0x10", "1e3", " 4 ", "+4", "4_0", "٤", "nan", "", "9" * 5000])
@pytest.mark.parametrize("key", ["offset", "length"])
def test_offsets_and_lengths_are_plain_decimals(tmp_path: Path, key: str, number: str) -> None:
    with pytest.raises(ModelError, match="decimal") as wrong:
        read_file(write(tmp_path, location="w.bin", **{key: number}))
    assert len(wrong.value.message) < 300


@pytest.mark.parametrize("length", ["0", "431", "433", str(2**50)])
def test_the_length_is_that_of_shape_and_type(tmp_path: Path, length: str) -> None:
    with pytest.raises(ModelError, match="need 432"):
        read_file(write(tmp_path, location="w.bin", length=length))


def link(folder: Path) -> None:
    (folder / "real.bin").write_bytes(VALUES.tobytes())
    (folder / "w.bin").symlink_to("real.bin")


def link_away(folder: Path) -> None:
    (folder / "w.bin").symlink_to("/etc/passwd")


ODD: dict[str, Callable[[Path], object]] = {
    "is missing": lambda _: None,
    "is a link": link,
    "is a link,": link_away,
    "is not a regular file": lambda folder: os.mkfifo(folder / "w.bin"),
    "not a regular": lambda folder: (folder / "w.bin").mkdir(),
    "is too short": lambda folder: (folder / "w.bin").write_bytes(bytes(431)),
}


@pytest.mark.parametrize(("said", "make"), ODD.items(), ids=ODD.keys())
def test_data_that_cannot_be_used_is_noted_and_never_opened(
    tmp_path: Path, said: str, make: Callable[[Path], object]
) -> None:
    file = write(tmp_path, location="w.bin")
    make(tmp_path)
    model = read_file(file)
    assert model.graph.tensors["y"].shape == (1, 4, 6, 6)
    (note,) = [n for n in model.graph.notes if n.code == "C238"]
    assert said in note.message
    with pytest.raises(EngineError):
        open_payload(payload_of(file))


def test_a_link_in_a_parent_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "w.bin").write_bytes(VALUES.tobytes())
    (tmp_path / "sub").symlink_to("real")
    file = write(tmp_path, location="sub/w.bin")
    assert any("behind a link" in n.message for n in read_file(file).graph.notes)
    with pytest.raises(EngineError, match="link"):
        open_payload(payload_of(file))


def test_a_swap_after_reading_is_not_followed(tmp_path: Path) -> None:
    data = tmp_path / "w.bin"
    data.write_bytes(VALUES.tobytes())
    payload = payload_of(write(tmp_path, location="w.bin"))
    data.unlink()
    data.symlink_to("/etc/passwd")
    with pytest.raises(EngineError, match="link"):
        open_payload(payload)


def test_other_keys_do_nothing(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(VALUES.tobytes())
    file = write(tmp_path, location="w.bin", __class__="x", path="/etc/passwd", basepath="/etc", checksum="0")
    assert open_payload(payload_of(file)).nbytes == 432


def test_a_model_in_memory_has_no_folder() -> None:
    payload = from_bytes(external(location="w.bin").SerializeToString()).graph.tensors["W"].payload
    assert payload is not None
    with pytest.raises(EngineError, match="memory"):
        open_payload(payload)


def test_large_data_of_a_model_in_memory_is_there(conv: onnx.ModelProto) -> None:
    values = np.arange(40_000, dtype="<f4")
    conv.graph.initializer.append(numpy_helper.from_array(values, "spare"))
    payload = from_bytes(conv.SerializeToString()).graph.tensors["spare"].payload
    assert payload is not None
    assert np.array_equal(np.frombuffer(open_payload(payload), "<f4"), values)


def test_a_payload_whose_file_became_something_else(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for payload in (Payload("raw", 8, path=str(tmp_path / "pipe")), Payload("raw", 8)):
        with pytest.raises(EngineError):
            open_payload(payload)
    assert open_payload(Payload("raw", 0, path="nowhere")).nbytes == 0


def test_external_data_of_a_constant_node_is_looked_up(tmp_path: Path) -> None:
    model = external(location="w.bin")
    constant = helper.make_node("Constant", [], ["W"], value=model.graph.initializer[0])
    del model.graph.initializer[:]
    model.graph.node.insert(0, constant)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    found = read_file(tmp_path / "m.onnx").graph
    assert found.tensors["y"].shape == (1, 4, 6, 6)
    assert [n.code for n in found.notes] == ["C238"]


def test_a_shape_in_external_data_is_read_where_that_is_safe(tmp_path: Path) -> None:
    sizes = TensorProto(name="s", data_type=TensorProto.INT64, dims=[2], data_location=TensorProto.EXTERNAL)
    sizes.external_data.add(key="location", value="s.bin")
    sizes.external_data.add(key="offset", value="8")
    model = external(location="w.bin")
    model.graph.node.append(helper.make_node("Reshape", ["y", "s"], ["z"]))
    model.graph.output[0].name = "z"
    model.graph.initializer.append(sizes)
    file = tmp_path / "m.onnx"
    file.write_bytes(model.SerializeToString())
    data = np.array([0, 9, 16], "<i8").tobytes()
    (tmp_path / "s.bin").write_bytes(data)
    assert read_file(file).graph.tensors["z"].shape == (9, 16)
    (tmp_path / "s.bin").write_bytes(data[:-1])
    assert read_file(file).graph.tensors["z"].shape is None
    (tmp_path / "real").write_bytes(data)
    (tmp_path / "s.bin").unlink()
    (tmp_path / "s.bin").symlink_to("real")
    assert read_file(file).graph.tensors["z"].shape is None


def test_parts_of_a_location() -> None:
    assert safe_parts("a//b/./c") == ("a", "b", "c")
