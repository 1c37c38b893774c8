"""The process that counts: its end here, which outlives it, and `main`, its own end.

A crafted model may kill the process that reads it, hang it or fill its memory; then this model has failed, and the next
one gets a new process. Both ends talk in lines: the setup, then a request a model, each answered by a line.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from typing import IO, Any

import msgspec

from convcost.api.sources import Options
from convcost.errors import FleetError

START_LIMIT = 120.0
"""Seconds that a new process may take to load."""

LONGEST = 256 * 2**20
"""Bytes of one line. A longer one, of a model with a million layers, is a failure."""

READY = b"ready\n"

BOOT = "import sys; sys.path[:] = sys.argv[2:]; from importlib import import_module; import_module(sys.argv[1]).main()"
"""The modules are looked for where this program found them, and not first in the current folder."""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What all models of a fleet share: how they are counted, seconds and bytes for each, where paths begin.

    `module` has the `main` of the process.
    """

    options: Options
    time_limit: float
    max_memory: int | None = None
    folder: str | None = None
    module: str = "convcost.fleet.child"


class Child:
    """One process after the other, started when it is needed. `ask` is for one thread, `stop` for any."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.process: subprocess.Popen[bytes] | None = None
        self.closed = False
        self.late = False
        self.lock = threading.Lock()

    def ask(self, path: str, known: str | None) -> bytes:
        """The line of one model. Raises FleetError when the process dies, or takes too long."""
        process = self.running()
        try:
            line = self.exchange(process, {"path": path, "known": known}, self.setup.time_limit)
        except OSError:
            line = b""
        if self.late:
            self.kill()
            limit = f"{self.setup.time_limit:g}"
            raise FleetError(f"not counted within {limit} s", code="C602", help="--time-limit allows more")
        if line.endswith(b"\n"):
            return line
        self.kill()
        if len(line) > LONGEST:
            raise FleetError(f"its report is larger than {LONGEST} bytes", code="C604")
        raise FleetError(f"the process that counted it {ending(process.returncode)}", code="C601")

    def running(self) -> subprocess.Popen[bytes]:
        """The process, a new one if there is none. Raises FleetError when it does not start: no model is to blame."""
        if self.process is not None and self.process.poll() is None:
            return self.process
        self.kill()
        with self.lock:
            if self.closed:
                raise FleetError("stopped")
            quiet = None if os.environ.get("CONVCOST_TRACEBACK") else subprocess.DEVNULL
            try:
                self.process = subprocess.Popen(  # noqa: S603 - our own module
                    [sys.executable, "-c", BOOT, self.setup.module, *sys.path],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=quiet,
                    cwd=self.setup.folder,
                    start_new_session=True,  # Ctrl-C is for the parent
                )
            except OSError as wrong:
                raise FleetError(f"no process can be started: {wrong.strerror or wrong}") from None
        plain = msgspec.to_builtins(self.setup)
        try:
            said = self.exchange(self.process, plain, START_LIMIT)
        except OSError:
            said = b""
        if said != READY:
            self.kill()
            how = ending(self.process.returncode)
            raise FleetError(f"the process that counts {how} at its start", help="CONVCOST_TRACEBACK=1 shows why")
        return self.process

    def exchange(self, process: subprocess.Popen[bytes], request: dict[str, Any], seconds: float) -> bytes:
        """A request, and its answer or what there is of it; `late` tells whether the time was over."""
        assert process.stdin is not None
        assert process.stdout is not None
        self.late = False
        timer = threading.Timer(seconds, self.overdue, (process,))
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            return process.stdout.readline(LONGEST + 1)
        finally:
            timer.cancel()

    def overdue(self, process: subprocess.Popen[bytes]) -> None:
        """The time for an answer is over."""
        self.late = True
        process.kill()

    def kill(self) -> None:
        """End the process, and know how it ended."""
        with self.lock:
            if self.process is not None:
                self.process.kill()
                self.process.wait()
                for pipe in (self.process.stdin, self.process.stdout):
                    with contextlib.suppress(OSError):
                        if pipe is not None:
                            pipe.close()

    def stop(self) -> None:
        """No more processes. Whoever waits for an answer gets none."""
        with self.lock:
            self.closed = True
            if self.process is not None:
                self.process.kill()


def ending(code: int | None) -> str:
    """How a process ended."""
    if code is None or code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"died of {name}"


def main() -> None:
    """Answer requests until there are none, or until nobody is there who asks."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library may print is not an answer
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    setup = msgspec.convert(requests.get(), Setup)
    limit_memory(setup.max_memory)
    from convcost.fleet.lines import line_of  # noqa: PLC0415 - what it needs counts against the limits

    answers.write(READY)
    while True:
        answers.flush()
        request = requests.get()
        answers.write(line_of(request["path"], setup.options, request["known"]))


def listen(lines: IO[bytes], requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Pass requests on; when the other end is gone, so is this process, whatever it does."""
    for line in lines:
        requests.put(json.loads(line))
    os._exit(0)


def limit_memory(nbytes: int | None) -> None:
    """Let the system refuse more than `nbytes` of address space, where it can."""
    if nbytes is None:
        return
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_AS, (nbytes, nbytes))
