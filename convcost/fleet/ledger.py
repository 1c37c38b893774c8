"""The JSON Lines file of a fleet: grows a line a model, outlives its writer, and ends in the order of the models."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Self

import msgspec

from convcost.errors import ReportError
from convcost.fleet.lines import Head, head_of
from convcost.report.write import attempt, check, special, target_of, temporary
from convcost.version import __version__

COPIED = 1 << 20
"""Bytes that are copied at once."""


class Place(msgspec.Struct, frozen=True):
    """Where a line stands in the file."""

    start: int
    length: int


class Ledger:
    """The file while a fleet is counted. A context manager, which closes it and leaves in it what was finished."""

    def __init__(self, path: str, inputs: Sequence[str], *, resume: bool) -> None:
        check([(path, b"")], inputs)
        if special(Path(path)):
            raise ReportError(f"{path}: a fleet's file must be a regular one", code="C507")
        self.path = path
        self.target = target_of(path)
        self.file: IO[bytes] = attempt(path, self.open)
        self.places: dict[int, Place] = {}
        self.known: dict[str, tuple[Head, Place]] = {}
        try:
            self.lock()
            if resume:
                attempt(path, self.heal)
            self.end = attempt(path, lambda: self.file.seek(0, os.SEEK_END) if resume else self.file.truncate(0))
        except BaseException:
            self.file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def open(self) -> IO[bytes]:
        """The file, made if it is not there, its content untouched."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        return os.fdopen(os.open(self.target, flags, 0o666), "r+b", buffering=0)

    def lock(self) -> None:
        """One writer at a time, where the system can tell."""
        try:
            import fcntl  # noqa: PLC0415 - not on every system
        except ImportError:
            return
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReportError(f"{self.path}: another run is writing to it", code="C508") from None
        except OSError:  # a file system without locks
            return

    def heal(self) -> None:
        """Learn which models are there, the latest line of each; cut off a last line that was not finished."""
        end, others = 0, 0
        for place, line in self.lines():
            if not line.endswith(b"\n"):
                break
            end = place.start + place.length
            try:
                head = head_of(line)
            except (msgspec.MsgspecError, ValueError):
                others += 1
                continue
            self.known[head.entry.path] = (head, place)
        if others and not self.known:
            raise ReportError(f"{self.path}: not a fleet's file; without --resume it is replaced", code="C509")
        self.file.truncate(end)

    def lines(self) -> Iterator[tuple[Place, bytes]]:
        """All lines, the last perhaps without its end."""
        start = 0
        with open(self.target, "rb") as file:  # noqa: PTH123 - a second reader of the file that is open
            for line in file:
                yield Place(start, len(line)), line
                start += len(line)

    def finished(self, path: str, options: str) -> Head | None:
        """The head of a model's line if it was counted the same way, by this version; its hash is still to be seen."""
        head, _ = self.known.get(path, (None, None))
        if head is None or head.tool.version != __version__ or head.entry.options != options:
            return None
        return head

    def append(self, index: int, line: bytes) -> None:
        """A finished model's line, at once: whatever happens to this process later, it is there."""
        attempt(self.path, lambda: self.write(line))
        self.places[index] = Place(self.end, len(line))
        self.end += len(line)

    def write(self, line: bytes) -> None:
        """All of a line, or none of it when the disk is full."""
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self.file.write(rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                self.file.truncate(self.end)
            raise

    def keep(self, index: int, path: str) -> None:
        """The line that is there is still right."""
        self.places[index] = self.known[path][1]

    def finish(self) -> None:
        """The same lines in the order of the models, each once, in place of the file as it grew."""
        attempt(self.path, self.rewrite)

    def rewrite(self) -> None:
        """Copy line by line into a new file, which replaces the old one when it is on the disk."""
        new = temporary(self.target)
        try:
            with open(new, "xb") as out, open(self.target, "rb") as old:  # noqa: PTH123 - as above
                os.fchmod(out.fileno(), os.fstat(old.fileno()).st_mode & 0o777)
                for index in sorted(self.places):
                    copy(old, out, self.places[index])
                out.flush()
                os.fsync(out.fileno())
            new.replace(self.target)
        finally:
            with contextlib.suppress(OSError):
                new.unlink()


def copy(old: IO[bytes], out: IO[bytes], place: Place) -> None:
    """One line."""
    old.seek(place.start)
    left = place.length
    while left:
        part = old.read(min(left, COPIED))
        if not part:
            raise OSError("the file was cut while it was in use")
        out.write(part)
        left -= len(part)
