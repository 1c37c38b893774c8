"""Small files that say what to check. A pipe or a device is not read, nor is anything large."""

from __future__ import annotations

import os
import stat

from convcost.errors import ConfigError


def read_small(path: str, most: int, code: str) -> bytes:
    """The bytes of a regular file, `most` at most. A link to one is followed. Raises ConfigError."""
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    try:
        refuse_odd(os.stat(path).st_mode, path, code)  # noqa: PTH116 - any bytes may stand in a path
        handle = os.open(path, flags)
        with os.fdopen(handle, "rb") as file:
            refuse_odd(os.fstat(handle).st_mode, path, code)
            data = file.read(most + 1)
    except OSError as wrong:
        reason = (wrong.strerror or "cannot be read").lower()
        raise ConfigError(f"cannot be read: {reason}", file=path, code=code) from None
    except ValueError:
        raise ConfigError("cannot be read: the path holds a NUL character", file=path, code=code) from None
    if len(data) > most:
        raise ConfigError(f"larger than {most:,} bytes", file=path, code=code)
    return data


def refuse_odd(mode: int, path: str, code: str) -> None:
    """Raise for what is no regular file."""
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise ConfigError(f"is {kind}", file=path, code=code)
