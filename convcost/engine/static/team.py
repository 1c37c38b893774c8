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
import threading
import time
import warnings
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, Protocol

from convcost.engine.kernels.convolution.workspace import Program, execute
from convcost.errors import EngineError

Stages = Sequence[Sequence[Program]]
LINE = 8
"""Words of 8 bytes in a line of cache."""
CALL, DONE, STAGE, START, STOP, ASLEEP = range(6)
"""Words in the line of a process: the calls it was given and those it has done; what the last one is; its sleep."""
PATIENCE = 0.005
"""Seconds of looks at a word before a process goes to sleep until it is woken."""
POLITE = 200
"""Looks after which each further one lets others have the processor."""
TAKEN = 0.001
"""Seconds after which the processor comes back to who gave it away where another program wants it too."""
ALONE = 64
"""Stages that the first process then runs alone: each would wait for the other processes to have their turn."""
QUIET = 0.2
"""Seconds that a fork waits for other threads to rest."""
IDLE = 1000
"""Milliseconds of sleep between two looks at whether the first process still lives."""


class Team(Protocol):
    """Runs the programs of a stage side by side, the first on the calling thread."""

    def run(self, number: int, start: int = 0, stop: int | None = None) -> None:
        """Calls `start` to `stop` of the programs of a stage; returns when all are done."""

    def ready(self) -> bool:
        """Waits for what an interrupted run has left at work. False where another team is needed."""

    def close(self) -> None:
        """End what was started. Running afterwards is an error."""


def team(stages: Stages, threads: int) -> Team | None:
    """Those who run stages of up to `threads` programs; None where one thread does all, as where no fork can be had."""
    if threads == 1 or all(len(programs) == 1 for programs in stages):
        return None
    if not forks():
        return Threads(stages, threads)
    processes = min(threads, len(os.sched_getaffinity(0)))  # more of them than cores would wait for each other
    try:
        return Processes(stages, processes) if processes > 1 and quiet() else None
    except (OSError, RuntimeError):  # too many processes or files, no memory, or the interpreter is ending
        return None


def forks() -> bool:
    """Whether shares run in processes of their own.

    Other systems than Linux cannot fork a process whose libraries have threads. Other processors may show what was
    written in another order than it was written, which words in shared memory do not allow for.
    """
    return sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64")


def quiet() -> bool:
    """Whether the other threads of this process rest, within some time.

    OpenBLAS stops its threads before a fork: a product that another thread computes with them would never end.
    """
    own, end = str(threading.get_native_id()), time.monotonic() + QUIET
    while any(busy(task) for task in Path("/proc/self/task").iterdir() if task.name != own):
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


def busy(task: Path) -> bool:
    """Whether a thread runs."""
    try:
        text = (task / "stat").read_bytes()
    except OSError:
        return False  # it has ended
    return text.rpartition(b")")[2].split()[0] == b"R"


class Threads:
    """A pool of threads."""

    def __init__(self, stages: Stages, threads: int) -> None:
        self.stages = stages
        self.pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="convcost")
        self.futures: list[Future[None]] = []

    def run(self, number: int, start: int = 0, stop: int | None = None) -> None:
        """See Team."""
        first, *others = self.stages[number]
        self.futures = [self.pool.submit(execute, [program], start, stop) for program in others]
        try:
            execute([first], start, stop)
        finally:
            for future in self.futures:
                future.result()

    def ready(self) -> bool:
        """See Team."""
        wait(self.futures)
        return True

    def close(self) -> None:
        """See Team."""
        self.pool.shutdown()


class Processes:
    """Forked processes; each runs every `threads`-th share of a stage, this one the first.

    Words in shared memory: in the first line whether the team has ended, then a line for each process. The number of
    a call is written last: who sees it sees what it is. It is written only once the one before is done.
    """

    def __init__(self, stages: Stages, threads: int) -> None:
        self.stages = stages
        self.threads = threads
        self.alone = 0
        self.words = memoryview(mmap.mmap(-1, mmap.PAGESIZE * -(-8 * LINE * threads // mmap.PAGESIZE))).cast("q")
        self.pids: list[int] = []
        self.bells: list[int] = []
        self.closing = weakref.finalize(self, _end, os.getpid(), self.words, self.pids, self.bells)
        try:
            for slot in range(1, threads):
                self.fork(slot)
        except BaseException:
            self.close()
            raise

    def fork(self, slot: int) -> None:
        """Start the process of a slot. No signal but SIGKILL and SIGSTOP reaches it: they are the first one's."""
        ours = os.getpid()
        self.bells.append(os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # on threads: the child calls nothing but NumPy
                pid = os.fork()
                if pid == 0:
                    serve(self, slot, self.bells[-1], ours)
            self.pids.append(pid)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def run(self, number: int, start: int = 0, stop: int | None = None) -> None:
        """See Team. Raises EngineError where a process has ended."""
        words, programs = self.words, self.stages[number]
        if self.alone:
            self.alone -= 1
            execute(programs, start, stop)
            return
        others = range(1, min(self.threads, len(programs)))
        try:
            for slot in others:
                place = LINE * slot
                words[place + STAGE], words[place + START] = number, start
                words[place + STOP] = -1 if stop is None else stop
                words[place + CALL] += 1
                if words[place + ASLEEP]:
                    self.wake(slot)
            execute(programs[:: self.threads], start, stop)
        finally:
            for slot in others:
                self.wait(slot)

    def ready(self) -> bool:
        """See Team."""
        try:
            for slot in range(1, self.threads):
                self.check(slot)
                self.wait(slot)
        except EngineError:
            return False
        return True

    def wait(self, slot: int) -> None:
        """Until a process has done its call."""
        words, place, looks = self.words, LINE * slot, 0
        while words[place + DONE] != words[place + CALL]:
            looks += 1
            if looks > POLITE:
                before = time.monotonic()
                os.sched_yield()
                if time.monotonic() - before > TAKEN:
                    self.alone = ALONE
                if looks % POLITE == 0:
                    if words[place + ASLEEP]:
                        self.wake(slot)
                    self.check(slot)

    def check(self, slot: int) -> None:
        """Raises EngineError where a process has ended."""
        try:
            ended = not self.closing.alive or os.waitpid(self.pids[slot - 1], os.WNOHANG)[0]
        except ChildProcessError:
            ended = True  # and somebody else has taken leave of it
        if ended:
            self.pids[slot - 1 : slot] = [0]
            self.close()
            raise EngineError("a process that computed a part of a layer has ended", code="C433")

    def wake(self, slot: int) -> None:
        """Interrupt the sleep of a process."""
        os.eventfd_write(self.bells[slot - 1], 1)

    def close(self) -> None:
        """See Team."""
        self.closing()


def _end(owner: int, words: memoryview, pids: list[int], bells: list[int]) -> None:
    """End the processes, which have nothing to save. A fork of the owner only closes its copies."""
    while bells:
        os.close(bells.pop())
    if os.getpid() != owner:
        return
    words[0] = 1
    for pid in filter(None, pids):
        with suppress(ChildProcessError, ProcessLookupError):
            if os.waitpid(pid, os.WNOHANG)[0] == 0:  # so the number is still that of our process
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def serve(crew: Processes, slot: int, bell: int, parent: int) -> NoReturn:
    """The life of a forked process: it runs the shares of its slot."""
    try:
        os.closerange(0, bell)
        os.closerange(bell + 1, 65536)
        gc.disable()
        words, place = crew.words, LINE * slot
        while True:
            awaited(words, place, bell, parent)
            stop = words[place + STOP]
            programs = crew.stages[words[place + STAGE]][slot :: crew.threads]
            execute(programs, words[place + START], None if stop < 0 else stop)
            words[place + DONE] = words[place + CALL]
    except BaseException:  # noqa: BLE001 - no frame of the parent's stack may go on here; it sees the end
        os._exit(1)


def awaited(words: memoryview, place: int, bell: int, parent: int) -> None:
    """Until the next call. Looks for some time, then sleeps; ends the process with its team or its parent."""
    looks, since = 0, time.monotonic()
    while words[place + CALL] == words[place + DONE]:
        looks += 1
        if looks > POLITE:
            os.sched_yield()
        if looks > POLITE and time.monotonic() - since > PATIENCE:
            sleep = select.poll()
            sleep.register(bell, select.POLLIN)
            words[place + ASLEEP] = 1
            while words[place + CALL] == words[place + DONE] and not sleep.poll(IDLE):
                if words[0] or os.getppid() != parent:
                    os._exit(0)
            words[place + ASLEEP] = 0
            looks, since = 0, time.monotonic()
            with suppress(BlockingIOError):
                os.eventfd_read(bell)
