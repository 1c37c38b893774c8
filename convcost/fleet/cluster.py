"""Models counted by the workers of a Dask cluster, which must see the same files and have this version installed.

Dask gives a model to another worker when the one that had it dies. Each worker thread counts in a child process of its
own, as on one machine: a crafted model costs a cluster no worker.
"""

from __future__ import annotations

import os
import queue
import re
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from itertools import islice
from typing import Any
from uuid import uuid4

import msgspec

from convcost.errors import FleetError, UsageError
from convcost.fleet.child import Child, Setup
from convcost.fleet.lines import failure_line
from convcost.fleet.pool import Answers, Task, answer

CONNECT = 10.0
"""Seconds until a scheduler must have answered, and until it must have a worker."""

SILENCE = 60.0
"""Seconds beyond the time limit of a model without any answer, after which the cluster is given up."""

AHEAD = 3
"""Models that are sent for each thread of the cluster before their results are taken."""

AGAIN = 3
"""How often a model that the cluster dropped is sent again."""

ADDRESS = re.compile(r"(?:(?:tcp|tls|wss?)://)?[^/\s]+:\d{1,5}/?")
"""Dask itself says so late, and leaves a thread behind."""

HERE = threading.local()
"""In a worker: the child process of each thread."""


def count(task: Task, setup: Setup) -> bytes:
    """One model, in a worker."""
    child: Child | None = getattr(HERE, "child", None)
    if child is None or child.setup != setup:
        if child is not None:
            child.stop()
        child = HERE.child = Child(setup)
    return answer(child, task)


def run(address: str, setup: Setup, tasks: Sequence[Task]) -> Answers:
    """(task, its line) as they come. Raises FleetError without a scheduler or without workers."""
    if not all(os.path.isabs(task.path) for task in tasks):  # noqa: PTH117 - names that are not UTF-8 stay as they are
        setup = msgspec.structs.replace(setup, folder=os.getcwd())  # noqa: PTH109 - as above
    client = connect(address)
    try:
        yield from results(client, setup, tasks)
    finally:
        client.close(timeout=1)


def connect(address: str) -> Any:
    """A client of the scheduler, which has workers."""
    if not ADDRESS.fullmatch(address):
        raise UsageError(f"scheduler {address!r}: expected an address as in tcp://10.0.0.1:8786")
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError:
        raise FleetError("Dask is not installed", code="C610", help="pip install 'convcost[fleet]'") from None
    if address.startswith(("tls:", "wss:")) and no_certificates():
        raise FleetError(f"no certificates for {address}: Dask's configuration names none", code="C611")
    try:
        client: Any = Client(address, timeout=CONNECT, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError, ImportError, RuntimeError) as wrong:
        raise FleetError(f"no scheduler at {address}: {first_line(wrong)}", code="C611") from None
    try:
        client.wait_for_workers(1, timeout=CONNECT)
    except TimeoutError:
        client.close(timeout=1)
        raise FleetError(f"the scheduler at {address} has no workers", code="C612") from None
    return client


def no_certificates() -> bool:
    """Whether Dask's configuration has none. A client that misses them only later leaves a thread behind."""
    from distributed import Security  # noqa: PLC0415 - as above

    security: Any = Security()  # type: ignore[no-untyped-call]
    return security.get_connection_args("client")["ssl_context"] is None


def results(client: Any, setup: Setup, tasks: Sequence[Task]) -> Answers:
    """Send a few models ahead, take what comes, send on."""
    run = uuid4().hex  # another run on the same cluster is not this one
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    sent: dict[str, tuple[Task, Any]] = {}
    rest = iter(tasks)
    dropped: dict[int, int] = {}

    def submit(task: Task, again: int = 0) -> None:
        future = client.submit(count, task, setup, key=f"convcost-{run}-{task.index}-{again}", pure=False)
        sent[future.key] = (task, future)
        future.add_done_callback(done.put)

    def send(n: int) -> None:
        for task in islice(rest, n):
            submit(task)

    send(AHEAD * max(1, sum(client.nthreads().values())))
    patience = setup.time_limit + SILENCE
    while sent:
        try:
            future = done.get(timeout=patience)
            task, _ = sent.pop(future.key)
            line = line_of(future, task, setup, patience)
            if line is None:
                again = dropped[task.index] = dropped.get(task.index, 0) + 1
                if again > AGAIN or client.status != "running":
                    raise FleetError("the cluster has dropped its work; was its scheduler stopped?", code="C613")
                submit(task, again)
                continue
            yield task, line
        except (queue.Empty, TimeoutError):
            raise FleetError(f"no answer from the cluster for {patience:g} s", code="C613") from None
        send(1)


def line_of(future: Any, task: Task, setup: Setup, seconds: float) -> bytes | None:
    """The line of a model; None where Dask dropped it: a dying worker had it, or the scheduler is gone.

    A task that failed in Dask itself is a failed model, to be tried again.
    """
    if future.status == "error":
        why = future.exception(timeout=seconds)
        wrong = FleetError(f"lost in the cluster: {type(why).__name__}: {first_line(why)}", code="C604")
        return failure_line(task.path, wrong, setup.options)
    try:
        line: bytes = future.result(timeout=seconds)  # a result that died with its worker is being made again
    except CancelledError:
        return None
    return line


def first_line(wrong: BaseException | None) -> str:
    """What an exception says first."""
    return next(iter(str(wrong).splitlines()), "")[:200]
