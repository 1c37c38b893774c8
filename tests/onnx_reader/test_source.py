"""Opening: regular files only, other formats recognised."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import zipfile
from pathlib import Path

import onnx
import pytest

from convcost.errors import ModelError
from convcost.onnx_reader import read_file
from convcost.onnx_reader.source import open_source


def refused(path: Path | str) -> str:
    with pytest.raises(ModelError) as wrong:
        read_file(path)
    assert wrong.value.file == os.fspath(path)
    return wrong.value.message


FORMATS = [
    (b"", "empty"),
    (b"\n", "text"),
    (b"ir_version: 8\ngraph { }", "as text"),
    (b'<\n ir_version: 8, opset_import: ["" : 17]\n>', "as text"),
    (b"<!DOCTYPE html><html></html>", "HTML"),
    (b"<?xml version='1.0'?><a/>", "XML"),
    (b'{"irVersion": "8"}', "as text"),
    (b'{"a": 1}', "JSON"),
    (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "corrupt"),
    (b"\x80\x04\x95", "corrupt"),
    (b"\x80\x02ccollections\n", "pickle"),
    (gzip.compress(b"\x08\x08"), "gzip"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "LFS"),
    ("ir_version: 8".encode("utf-16"), "UTF-16"),
    (b"\x1c\0\0\0ORTM\0\0", "onnxruntime"),
    (b"\x1c\0\0\0TFL3\0\0", "TensorFlow Lite"),
    (b'\x10\0\0\0\0\0\0\0{"w":{"dtype":', "safetensors"),
    (b"\0" * 4096, "corrupt"),
    (b"\xff" * 4096, "corrupt"),
]


@pytest.mark.parametrize(("content", "said"), FORMATS, ids=[said + str(i) for i, (_, said) in enumerate(FORMATS)])
def test_other_formats_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(content)
    message = refused(file)
    assert "not an ONNX model" in message
    assert said in message


def test_a_checkpoint_is_not_unpickled(tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    with zipfile.ZipFile(file, "w") as z:
        z.writestr("m/data.pkl", b"cos\nsystem\n(S'false'\ntR.")
    assert "PyTorch" in refused(file)


def test_special_files_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        assert "socket" in refused(tmp_path / "sock")
    assert "directory" in refused(tmp_path)
    assert "pipe" in refused(tmp_path / "pipe")
    assert "loop" in refused(tmp_path / "loop")
    assert "no such file" in refused(tmp_path / "broken")
    assert "device" in refused(tmp_path / "zero")
    assert "no such file" in refused(tmp_path / "absent.onnx")
    assert "NUL" in refused(str(tmp_path) + "\0.onnx")


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(b"\x08\x08")

    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert "permission denied" in refused(file)


def test_a_link_to_a_model_and_odd_names_are_fine(tmp_path: Path, conv: onnx.ModelProto) -> None:
    odd = os.fsdecode(b"a\xff [red]\n.onnx")
    (tmp_path / odd).write_bytes(conv.SerializeToString())
    (tmp_path / "link.onnx").symlink_to(odd)
    for name in (odd, "link.onnx"):
        assert read_file(tmp_path / name).graph.tensors["y"].shape == (1, 4, 6, 6)


def test_the_hash_is_that_of_the_file_and_left_out_for_large_ones(
    tmp_path: Path, conv: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = conv.SerializeToString()
    file = tmp_path / "m.onnx"
    file.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    assert read_file(file).sha256 == digest
    monkeypatch.setattr("convcost.onnx_reader.source.HASH_BYTES", 100)
    monkeypatch.setattr("convcost.onnx_reader.source.READ_WHOLE_BYTES", 100)
    assert read_file(file).sha256 is None
    with open_source(file, hashed=True) as source:
        assert source.sha256 == digest
        assert source.size == len(content)


def test_a_file_over_the_limit_is_refused(
    tmp_path: Path, conv: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(conv.SerializeToString())
    monkeypatch.setattr("convcost.onnx_reader.source.MAX_FILE_BYTES", 100)
    assert "too large" in refused(file)
