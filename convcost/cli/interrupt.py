"""Ctrl-C ends the program with 130 at once: during imports, inside a library, or in a long call that is not Python."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
from types import FrameType

EXIT = 130
GRACE = 0.25
"""Seconds that clean-up may take."""


def install() -> None:
    """Watch for Ctrl-C. Elsewhere than in the main thread of a process this does nothing."""
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, interrupt)
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        _thread.start_new_thread(watch, (reader,))


def interrupt(_: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, as Python does itself, so that files and processes are cleaned up.

    During an import there is nothing to clean up yet, and C extensions may crash when their initialisation is
    interrupted: the process ends without asking them.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            os._exit(EXIT)
        frame = frame.f_back
    raise KeyboardInterrupt


def watch(reader: int) -> None:
    """Wait for the byte that the system's handler writes, then give the program its grace and end it."""
    while signal.SIGINT not in os.read(reader, 64):
        pass
    import time  # noqa: PLC0415 - only now

    time.sleep(GRACE)
    os._exit(EXIT)
