"""Models counted by processes on this machine. A thread waits for each process."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Generator, Sequence
from typing import TypeAlias

import msgspec

from convcost.errors import FleetError
from convcost.fleet.child import Child, Setup
from convcost.fleet.lines import failure_line

LOST = frozenset({"C601", "C602", "C604"})
"""What a model did to the process that counted it, rather than what stands in the model."""


class Task(msgspec.Struct, frozen=True):
    """One model: its place in the fleet, and the hash of the count that is already there."""

    index: int
    path: str
    known: str | None = None


Answers: TypeAlias = Generator[tuple[Task, bytes], None, None]
"""Each task and its line, as they come."""


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def answer(child: Child, task: Task) -> bytes:
    """A model's line, also where its process was lost. Raises FleetError where no process can be had."""
    try:
        return child.ask(task.path, task.known)
    except FleetError as wrong:
        if wrong.code not in LOST:
            raise
        return failure_line(task.path, wrong, child.setup.options)


class Pool:
    """Threads that take tasks until there are none, each with its own process."""

    def __init__(self, setup: Setup, tasks: Sequence[Task], jobs: int) -> None:
        self.tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        for task in tasks:
            self.tasks.put(task)
        self.results: queue.Queue[tuple[Task, bytes] | Exception] = queue.Queue(jobs)
        self.children = [Child(setup) for _ in range(jobs)]
        self.threads = [threading.Thread(target=self.work, args=(child,), daemon=True) for child in self.children]
        for thread in self.threads:
            thread.start()

    def work(self, child: Child) -> None:
        """The life of one thread."""
        try:
            while not child.closed:
                task = self.tasks.get_nowait()
                self.results.put((task, answer(child, task)))
        except queue.Empty:
            return
        except Exception as wrong:  # noqa: BLE001 - it is raised where the results are read
            self.results.put(wrong)

    def stop(self) -> None:
        """End all processes and threads."""
        for child in self.children:
            child.stop()
        for thread, child in zip(self.threads, self.children, strict=True):
            while thread.is_alive():
                while not self.results.empty():
                    self.results.get_nowait()
                thread.join(0.005)
            child.kill()


def run(setup: Setup, tasks: Sequence[Task], jobs: int) -> Answers:
    """(task, its line) as they come. When the caller stops listening, all processes end."""
    pool = Pool(setup, tasks, max(1, min(jobs, len(tasks))))
    try:
        for _ in tasks:
            found = pool.results.get()
            if isinstance(found, Exception):
                raise found
            yield found
    finally:
        pool.stop()
