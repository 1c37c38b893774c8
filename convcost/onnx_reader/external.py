"""External data: what the file says about it is judged when reading; it is opened, safely, to run the model.

Only small contents that shapes may be computed from are read to count.

A location is a relative path below the model's folder. Opening goes component by component, relative to a directory
descriptor and without following links, so that no spelling and no link leads elsewhere.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
from collections.abc import Iterable

from convcost.errors import EngineError, ModelError
from convcost.ir import Payload
from convcost.onnx_reader.names import quoted
from convcost.onnx_reader.source import open_regular

MAX_DIGITS = 19
"""Digits of an offset or length: 2^63 has as many."""


def external_payload(entries: Iterable[tuple[str, str]], nbytes: int | None, directory: str | None) -> Payload:
    """The payload that a tensor's `external_data` entries describe. Raises `ModelError` where they are not sound.

    `nbytes` is what dims and type ask for (None for strings, which cannot be external).
    """
    given = dict(entries)
    location = given.get("location", "")
    parts = safe_parts(location)
    if nbytes is None:
        raise _wrong("strings cannot be external data")
    offset = _decimal(given.get("offset", "0"), "offset")
    length = _decimal(given["length"], "length") if "length" in given else nbytes
    if length != nbytes:
        raise _wrong(f"external data has a length of {length:,} bytes, its shape and type need {nbytes:,}")
    return Payload("raw", nbytes, path="/".join(parts), offset=offset, external=True, directory=directory)


def safe_parts(location: str) -> tuple[str, ...]:
    """The components of a location inside the model's folder, or `ModelError`."""
    said = f"external data location {quoted(location)}"
    if not location:
        raise _wrong("external data without a location")
    if "\0" in location or "\ufffd" in location:
        raise _wrong(f"{said} holds characters that no file name has")
    if location.startswith("/") or "\\" in location or ":" in location.partition("/")[0][:2]:
        raise _wrong(f"{said} is not a relative path inside the model's folder")
    parts = [p for p in location.split("/") if p not in ("", ".")]
    if ".." in parts:
        raise _wrong(f"{said} leads outside the model's folder")
    if not parts:
        raise _wrong(f"{said} is not a file")
    return tuple(parts)


def problem(payload: Payload) -> str | None:
    """Why the external file cannot be used as it lies there, in words; None where all is well. Opens nothing."""
    place = payload.directory or "."
    parts = (payload.path or "").split("/")
    for i, part in enumerate(parts):
        place = os.path.join(place, part)  # noqa: PTH118 - strings with any bytes in them
        try:
            found = os.lstat(place)
        except (OSError, ValueError) as wrong:
            return "is missing" if getattr(wrong, "errno", 0) == errno.ENOENT else "cannot be looked up"
        if stat.S_ISLNK(found.st_mode):
            return "is a link, which is not followed" if i + 1 == len(parts) else "lies behind a link"
        if i + 1 < len(parts):
            continue
        if not stat.S_ISREG(found.st_mode):
            return "is not a regular file"
        if payload.offset + payload.length > found.st_size:
            return f"is too short: {payload.offset + payload.length:,} bytes are needed, it has {found.st_size:,}"
    return None


def small_content(payload: Payload) -> bytes | None:
    """The bytes of a small external constant; None where they cannot be had."""
    try:
        fd = open_external(payload)
    except EngineError:
        return None
    try:
        found = os.pread(fd, payload.length, payload.offset)
    except (OSError, OverflowError):
        return None
    finally:
        os.close(fd)
    return found if len(found) == payload.length else None


def open_payload(payload: Payload) -> memoryview:
    """The bytes of a stored constant, memory-mapped where they lie in a file. Raises `EngineError`."""
    if payload.data is not None:
        return memoryview(payload.data)
    if payload.path is None:
        raise EngineError("the data of a constant is not there", code="C410")
    if payload.length == 0:
        return memoryview(b"")
    fd = open_external(payload) if payload.external else _open_model(payload.path)
    try:
        size = os.fstat(fd).st_size
        if payload.offset + payload.length > size:
            what = "external data" if payload.external else "the file"
            raise EngineError(
                f"{what} {quoted(payload.path)} is too short: {payload.offset + payload.length:,} bytes are needed, "
                f"it has {size:,}",
                code="C410",
            )
        start = payload.offset - payload.offset % mmap.ALLOCATIONGRANULARITY
        mapped = mmap.mmap(fd, payload.offset + payload.length - start, access=mmap.ACCESS_READ, offset=start)
    except OSError as wrong:
        raise EngineError(f"{quoted(payload.path)}: {wrong.strerror or 'I/O error'}", code="C410") from None
    finally:
        os.close(fd)
    return memoryview(mapped)[payload.offset - start :]


def open_external(payload: Payload) -> int:
    """A descriptor of the external file: below the model's folder, no links, a regular file. Raises `EngineError`."""
    parts = safe_parts(payload.path or "")
    if payload.directory is None:
        raise EngineError("a model in memory has no folder where its external data could be", code="C410")
    nofollow = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        at = os.open(payload.directory, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        for i, part in enumerate(parts):
            last = i + 1 == len(parts)
            try:
                inner = os.open(
                    part, os.O_RDONLY | nofollow | (0 if last else getattr(os, "O_DIRECTORY", 0)), dir_fd=at
                )
            finally:
                os.close(at)
            at = inner
    except (OSError, ValueError) as wrong:
        why = getattr(wrong, "strerror", None) or "the path cannot be used"
        if getattr(wrong, "errno", 0) in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):
            why = "links are not followed"
        raise EngineError(f"external data {quoted(payload.path or '')}: {why.lower()}", code="C410") from None
    if not stat.S_ISREG(os.fstat(at).st_mode):
        os.close(at)
        raise EngineError(f"external data {quoted(payload.path or '')} is not a regular file", code="C410")
    return at


def _open_model(path: str) -> int:
    try:
        return open_regular(path)
    except ModelError as wrong:
        raise EngineError(f"{quoted(path)}: {wrong.message}", code="C410") from None


def _decimal(digits: str, what: str) -> int:
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MAX_DIGITS:
        raise _wrong(f"external data with an {what} of {quoted(digits)}, which is not a decimal number")
    return int(digits)


def _wrong(message: str) -> ModelError:
    return ModelError(message, code="C213")
