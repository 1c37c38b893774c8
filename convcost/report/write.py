"""Reports into files, all or none: everything is on disk under a temporary name before the first one is replaced."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from convcost.errors import ReportError

T = TypeVar("T")


def write_all(files: Sequence[tuple[str, bytes]], inputs: Sequence[str] = ()) -> None:
    """Write each (path, content). Raises ReportError; then old files are intact and nothing is left behind.

    A link is followed, so that it stays a link. A device or a pipe that exists is written to as it is.
    """
    check(files, inputs)
    regular = [(path, target_of(path), content) for path, content in files if not special(Path(path))]
    staged: list[Path] = []
    try:
        for path, target, content in regular:
            staged.append(temporary(target))
            attempt(path, partial(stage, target, content))
        for path, content in files:
            if special(Path(path)):
                attempt(path, partial(pour, path, content))
        for path, target, _ in regular:
            attempt(path, partial(temporary(target).replace, target))
    finally:
        for left in staged:
            with contextlib.suppress(OSError):
                left.unlink()


def check(files: Sequence[tuple[str, bytes]], inputs: Sequence[str]) -> None:
    """No file twice, none over an input, none over a folder."""
    seen: set[Path] = set()
    for path, _ in files:
        target = target_of(path)
        if target in seen and not special(target):
            raise ReportError(f"{path}: two reports for one file", code="C501")
        seen.add(target)
        if attempt(path, target.is_dir):
            raise ReportError(f"{path}: is a folder", code="C502")
        if not special(target) and any(same(target, source) for source in inputs):
            raise ReportError(f"{path}: is an input; a report never replaces one", code="C503")


def target_of(path: str) -> Path:
    """The file that a path names, links followed."""
    try:
        return Path(path).resolve()
    except (OSError, ValueError, RuntimeError) as wrong:  # a loop of links, a NUL
        raise ReportError(f"{path}: cannot be written: {wrong}") from None


def same(target: Path, source: str) -> bool:
    """Whether two paths are one file."""
    try:
        return target.samefile(source)
    except (OSError, ValueError):
        return False


def special(path: Path) -> bool:
    """Whether a path is a device, a pipe or a socket."""
    try:
        return path.exists() and not path.is_file() and not path.is_dir()
    except (OSError, ValueError):
        return False


def temporary(target: Path) -> Path:
    """The file that becomes `target`: in the same folder, our own by the process's number."""
    return target.with_name(f".{target.name[:60]}.{os.getpid()}.convcost")


def stage(target: Path, content: bytes) -> None:
    """`content` in the temporary file, on the disk, with the permissions of the file that it replaces."""
    handle = os.open(temporary(target), os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    with os.fdopen(handle, "wb") as file:
        with contextlib.suppress(FileNotFoundError):
            os.fchmod(handle, target.stat().st_mode & 0o777)
        file.write(content)
        file.flush()
        os.fsync(handle)


def pour(path: str, content: bytes) -> None:
    """`content` into something that is no regular file."""
    with Path(path).open("wb", buffering=0) as file:
        file.write(content)


def attempt(path: str, work: Callable[[], T]) -> T:
    """Call `work`; what the system refuses becomes a ReportError."""
    try:
        return work()
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) and wrong.strerror else str(wrong)
        raise ReportError(f"{path}: cannot be written: {reason}") from None
