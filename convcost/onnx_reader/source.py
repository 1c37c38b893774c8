"""Opening a model file: regular files only, and a hint for what is not an ONNX model."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import stat
from pathlib import Path
from typing import Self

from convcost.errors import ModelError
from convcost.onnx_reader.limits import HASH_BYTES, MAX_FILE_BYTES, READ_WHOLE_BYTES

Data = bytes | mmap.mmap

MAGIC: tuple[tuple[int, bytes, str, str | None], ...] = (
    (0, b"\x1f\x8b", "it is compressed with gzip", "uncompress it first (gunzip)"),
    (0, b"PK\x03\x04", "it is a zip archive, perhaps a PyTorch checkpoint", "export the model with torch.onnx.export"),
    (0, b"\x28\xb5\x2f\xfd", "it is compressed with zstd", "uncompress it first (unzstd)"),
    (0, b"\xfd7zXZ", "it is compressed with xz", "uncompress it first (unxz)"),
    (0, b"BZh", "it is compressed with bzip2", "uncompress it first (bunzip2)"),
    (4, b"ORTM", "it is in onnxruntime's flatbuffer format (.ort)", "give the .onnx file that it was made from"),
    (4, b"TFL3", "it is a TensorFlow Lite model", "convert it first (tf2onnx)"),
    (0, b"\x89HDF", "it is an HDF5 file, perhaps a Keras model", "convert it first (tf2onnx)"),
    (0, b"\x80\x02", "it is a Python pickle, perhaps a PyTorch checkpoint", "export the model with torch.onnx.export"),
    (0, b"\xff\xfe", "it is UTF-16 text", None),
    (0, b"\xfe\xff", "it is UTF-16 text", None),
    (8, b'{"', "it is a safetensors file: weights without a graph", "export the model to ONNX"),
    (
        0,
        b"version https://git-lfs",
        "it is a Git LFS pointer: the model itself was not downloaded",
        "run git lfs pull",
    ),
)
"""(offset, bytes, what the file is, what to do)."""

WHITE = bytes(range(0x20, 0x7F)) + b"\t\r\n\x0c"


class Source:
    """An opened model: its bytes, where it is, its size. A context manager, which closes the map."""

    def __init__(self, data: Data, name: str, *, path: str | None, sha256: str | None) -> None:
        self.data = data
        self.name = name
        self.path = path
        self.sha256 = sha256
        self.size = len(data)

    @property
    def directory(self) -> str | None:
        """Where external data lies; None for a model in memory."""
        return os.path.dirname(self.path) or "." if self.path is not None else None  # noqa: PTH120 - text as given

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self.data, mmap.mmap):
            self.data.close()


def open_source(path: str | os.PathLike[str], *, hashed: bool = False) -> Source:
    """The file at `path`, opened. Raises `ModelError` for anything but a regular file with something in it."""
    place = os.fspath(path)
    name = Path(place).name or place
    fd = open_regular(place)
    try:
        size = os.fstat(fd).st_size
        if size == 0:
            raise ModelError("not an ONNX model: the file is empty", file=place, code="C202")
        if size > MAX_FILE_BYTES:
            raise ModelError(
                f"too large: {size:,} bytes is over protobuf's limit of 2 GiB for one file",
                file=place,
                code="C204",
                help="save the weights as external data",
            )
        data: Data
        if size <= READ_WHOLE_BYTES:
            data = _read(fd, size)
            if not data:
                raise ModelError("not an ONNX model: the file is empty", file=place, code="C202")
        else:
            data = mmap.mmap(fd, size, access=mmap.ACCESS_READ)
        digest = _sha256(fd, data) if hashed or size <= HASH_BYTES else None
    except OSError as wrong:
        raise ModelError(f"cannot be read: {wrong.strerror or 'I/O error'}", file=place, code="C201") from None
    finally:
        os.close(fd)
    recognise(bytes(data[:4096]), place)
    return Source(data, name, path=place, sha256=digest)


def open_regular(place: str) -> int:
    """A descriptor of the regular file at `place`; a FIFO or device is neither waited for nor read."""
    flags = os.O_RDONLY | _flag("O_NONBLOCK") | _flag("O_NOCTTY") | _flag("O_BINARY") | _flag("O_CLOEXEC")
    try:
        _refuse_odd(os.stat(place).st_mode, place)  # noqa: PTH116 - a string with any bytes in it, not a Path
        fd = os.open(place, flags)
    except ValueError:
        raise ModelError("cannot be opened: the path holds a NUL character", file=place, code="C201") from None
    except OSError as wrong:
        raise ModelError(f"cannot be opened: {_reason(wrong, place)}", file=place, code="C201") from None
    try:
        _refuse_odd(os.fstat(fd).st_mode, place)
    except ModelError:
        os.close(fd)
        raise
    return fd


def recognise(head: bytes, place: str | None) -> None:
    """Raise `ModelError` when `head`, the first bytes of a file, belongs to another format."""
    for offset, magic, what, hint in MAGIC:
        if head[offset : offset + len(magic)] == magic:
            raise ModelError(f"not an ONNX model: {what}", file=place, code="C202", help=hint)
    if head[:3] == b"\xef\xbb\xbf":
        head = head[3:]
    if head[:64].translate(None, WHITE):
        return
    start = head.lstrip()[:256].lower()
    what, hint = "it is text", None
    if b"ir_version" in head or b"irversion" in head.lower():
        what, hint = "it is an ONNX model as text, not binary", "save it as binary protobuf: onnx.save(model, 'x.onnx')"
    elif start.startswith((b"<!doctype html", b"<html")):
        what, hint = "it is an HTML page, perhaps of a failed download", "download the file itself"
    elif start.startswith((b"{", b"[")):
        what = "it is JSON"
    elif start.startswith(b"<"):
        what = "it is XML"
    raise ModelError(f"not an ONNX model: {what}", file=place, code="C202", help=hint)


def _read(fd: int, size: int) -> bytes:
    parts = []
    while size > 0:
        part = os.read(fd, size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _sha256(fd: int, data: Data) -> str:
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    digest = hashlib.sha256()
    os.lseek(fd, 0, os.SEEK_SET)
    while part := os.read(fd, 1 << 20):
        digest.update(part)
    return digest.hexdigest()


def _flag(name: str) -> int:
    return int(getattr(os, name, 0))


def _refuse_odd(mode: int, place: str) -> None:
    if stat.S_ISDIR(mode):
        raise ModelError("a directory, not a model file", file=place, code="C201")
    if not stat.S_ISREG(mode):
        what = "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise ModelError(f"not a regular file but {what}", file=place, code="C201")


def _reason(wrong: OSError, place: str) -> str:
    if wrong.errno == errno.ENOENT and os.path.islink(place):  # noqa: PTH114 - a string with any bytes in it
        return "a link that leads to no such file"
    if wrong.errno == errno.ELOOP:
        return "a symbolic link that leads in a loop"
    return (wrong.strerror or "I/O error").lower()
