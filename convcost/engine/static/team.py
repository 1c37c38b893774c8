"""Shares of a program that run side by side.

Threads of Python take turns at the interpreter, and waking one takes tens of microseconds: layers that take 100 to
200 µs gain nothing from a second one. So on Linux the other shares run in processes that are forked once a program is
compiled: they have its calls and prepared weights already, the arrays of the program are shared memory, and who waits
looks at a word in it. Elsewhere, shares run on threads.
"""

from __future__ import annotations

import gc
import mmap
import os
import platform
import select
import signal
import sys
import warnings
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import NoReturn, Protocol

from convcost.engine.kernels.convolution.workspace import Program
from convcost.errors import EngineError

Stages = Sequence[Sequence[Program]]
LINE = 8
"""Words of 8 bytes in a line of cache."""
PATIENCE = 20_000
"""Looks at a word, of about 50 ns each, before a process goes to sleep until it is woken."""
POLITE = 200
"""Looks after which each further one lets others have the processor."""
IDLE = 2.0
"""Seconds of sleep between two looks at whether the first process still lives."""


class Team(Protocol):
    """Runs the programs of a stage side by side, the first on the calling thread."""

    def run(self, number: int, start: int = 0, stop: int | None = None) -> None:
        """Calls `start` to `stop` of the programs of a stage; returns when all are done."""

    def close(self) -> None:
        """End what was started. Running afterwards is an error."""


def team(stages: Stages, threads: int) -> Team | None:
    """Those who run stages of up to `threads` programs; None where one thread does all."""
    if threads == 1 or all(len(programs) == 1 for programs in stages):
        return None
    return Processes(stages, threads) if forks() else Threads(stages, threads)


def forks() -> bool:
    """Whether shares run in processes of their own.

    Other systems than Linux cannot fork a process whose libraries have threads. Other processors may show what was
    written in another order than it was written, which words in shared memory do not allow for.
    """
    return sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64")


def run(program: Program, start: int, stop: int | None) -> None:
    """Some calls of a program."""
    for fn, args in islice(program, start, stop):
        fn(*args)


class Threads:
    """A pool of threads."""

    def __init__(self, stages: Stages, threads: int) -> None:
        self.stages = stages
        self.pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="convcost")

    def run(self, number: int, start: int = 0, stop: int | None = None) -> None:
        """See Team."""
        first, *others = self.stages[number]
        futures = [self.pool.submit(run, program, start, stop) for program in others]
        try:
            run(first, start, stop)
        finally:
            for future in futures:
                future.result()

    def close(self) -> None:
        """See Team."""
        self.pool.shutdown()


class Processes:
    """Forked processes, one for each share but the first.

    Words in shared memory: the number of the call, its stage, start and stop; then for each process a line with the
    last call it has done and whether it sleeps. The number is written last: who sees it sees the others.
    """

    def __init__(self, stages: Stages, threads: int) -> None:
        self.stages = stages
        self.words = memoryview(mmap.mmap(-1, mmap.PAGESIZE * -(-8 * LINE * threads // mmap.PAGESIZE))).cast("q")
        self.count = 0
        self.pids: list[int] = []
        self.pipes: list[int] = []
        self.closing = weakref.finalize(self, _end, os.getpid(), self.pids, self.pipes)
        for slot in range(1, threads):
            self.pipes.append(self.fork(slot))

    def fork(self, slot: int) -> int:
        """Start the process of a slot; the end of the pipe that wakes it, and whose closing ends it."""
        ours = os.getpid()
        ear, voice = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # on threads: the child calls nothing but NumPy
            pid = os.fork()
        if pid == 0:
            serve(self, slot, ear, ours)
        os.close(ear)
        self.pids.append(pid)
        return voice

    def run(self, number: int, start: int = 0, stop: int | None = None) -> None:
        """See Team. Raises EngineError where a process has ended."""
        words, programs = self.words, self.stages[number]
        self.count += 1
        words[1], words[2], words[3] = number, start, -1 if stop is None else stop
        words[0] = self.count
        others = range(1, len(programs))
        for slot in others:
            if words[LINE * slot + 1]:
                self.wake(slot)
        try:
            run(programs[0], start, stop)
        finally:
            for slot in others:
                self.wait(slot)

    def wait(self, slot: int) -> None:
        """Until a process has done the call."""
        words, place, looks = self.words, LINE * slot, 0
        while words[place] != self.count:
            looks += 1
            if looks > POLITE:
                os.sched_yield()
                if looks % POLITE == 0:
                    if words[place + 1]:
                        self.wake(slot)
                    if os.waitpid(self.pids[slot - 1], os.WNOHANG)[0]:
                        self.pids[slot - 1] = 0
                        self.close()
                        raise EngineError("a process that computed a part of a layer has ended", code="C433")

    def wake(self, slot: int) -> None:
        """Interrupt the sleep of a process."""
        os.write(self.pipes[slot - 1], b"\0")

    def close(self) -> None:
        """See Team."""
        self.closing()


def _end(owner: int, pids: list[int], pipes: list[int]) -> None:
    """Close the pipes, which ends the processes, and take leave of them. A fork of the owner only closes its copies."""
    for pipe in pipes:
        with suppress(OSError):
            os.close(pipe)
    for pid in pids:
        if pid and os.getpid() == owner:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def serve(crew: Processes, slot: int, ear: int, parent: int) -> NoReturn:
    """The life of a forked process: it runs the shares of its slot, and ends with the pipe or with its parent."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
        os.closerange(0, ear)
        os.closerange(ear + 1, 65536)
        gc.disable()
        words, place, seen = crew.words, LINE * slot, 0
        while True:
            seen = awaited(words, place, seen, ear, parent)
            programs = crew.stages[words[1]]
            if slot < len(programs):
                run(programs[slot], words[2], None if words[3] < 0 else words[3])
            words[place] = seen
    except BaseException:  # noqa: BLE001 - no frame of the parent's stack may go on here; it sees the end
        os._exit(1)


def awaited(words: memoryview, place: int, seen: int, ear: int, parent: int) -> int:
    """The number of the next call. Looks for some time, then sleeps."""
    looks = 0
    while words[0] == seen:
        looks += 1
        if looks > POLITE:
            os.sched_yield()
        if looks > PATIENCE:
            words[place + 1] = 1
            while words[0] == seen and not select.select([ear], [], [], IDLE)[0]:
                if os.getppid() != parent:
                    os._exit(0)
            if words[0] == seen and not os.read(ear, 1):
                os._exit(0)
            words[place + 1] = 0
            looks = 0
    number: int = words[0]
    return number
