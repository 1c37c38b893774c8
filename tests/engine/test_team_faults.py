"""Processes that share a program: their end, the lack of them, and forks of the caller's."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from convcost import notation
from convcost.engine import Session
from convcost.engine.feeds import random_feeds
from convcost.engine.kernels.convolution.workspace import Array, aligned
from convcost.engine.static import team as teams
from convcost.engine.static.team import Processes, Stages, forks
from convcost.errors import EngineError

Gone = Callable[[int], bool]
forking = pytest.mark.skipif(not forks(), reason="shares run on threads here")
SMALL = "28x28x64 -(3x3x64x96 same bias)-> -(relu)-> -(maxpool 3x3 s2)-> -(1x1x96x200)->"
LATE = "14x14x160 -(3x3x160x192 same)-> -(relu)-> -(3x3x192x192 s2 same)->"


def ready(text: str) -> tuple[Session, dict[str, Array]]:
    """A session on two threads and random input."""
    graph = notation.parse(text)
    return Session(graph, threads=2), random_feeds(graph)


def crew(session: Session) -> Any:
    (program,) = session._programs.made.values()
    assert program is not None
    return program.team


def child(good: Callable[[], bool]) -> int:
    """A fork that ends with 0 where the check holds."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if good() else 1)
        finally:
            os._exit(2)
    return pid


def in_a_thread(work: Callable[[], int]) -> int:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@forking
@pytest.mark.parametrize("stolen", [False, True])
def test_a_session_replaces_a_process_that_was_killed(*, stolen: bool) -> None:
    """Also where the caller's own waitpid(-1) has taken leave of it."""
    session, feeds = ready(LATE)
    (expected,) = session.run(None, feeds)
    (pid,) = crew(session).pids
    os.kill(pid, signal.SIGKILL)
    if stolen:
        assert os.waitpid(-1, 0)[0] == pid
    else:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert np.array_equal(session.run(None, feeds)[0], expected)
    assert crew(session).pids != [pid]


@forking
def test_a_session_goes_on_after_the_end_of_a_process_in_a_run() -> None:
    session, feeds = ready(LATE)
    (expected,) = session.run(None, feeds)
    team = crew(session)
    team.alone = 0
    os.kill(team.pids[0], signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (team.pids[0], signal.SIGKILL)).start()
    with pytest.raises(EngineError, match="has ended"):
        session.run(None, feeds)
    assert np.array_equal(session.run(None, feeds)[0], expected)


@forking
@pytest.mark.parametrize("missing", ["fork", "eventfd"])
def test_without_a_fork_one_process_does_all(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    session, feeds = ready(SMALL)
    (expected,) = session.run(None, feeds)
    again, _ = ready(SMALL)
    monkeypatch.setattr(os, missing, refuse)
    assert np.array_equal(again.run(None, feeds)[0], expected)


@forking
def test_there_are_no_more_processes_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five shares on two cores, then on one, where nothing is forked."""
    y = aligned((50,), np.float64, common=True)
    y[:] = 0
    stages: Stages = [[[(np.add, (y[i : i + 10], 1.0, y[i : i + 10]))] for i in range(0, 50, 10)]]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    pair = teams.team(stages, 5)
    assert isinstance(pair, Processes)
    assert len(pair.pids) == 1
    pair.run(0)
    pair.close()
    assert y.tolist() == [1.0] * 50
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert teams.team(stages, 5) is None


@forking
@pytest.mark.parametrize("stopped", [False, True])
def test_a_team_ends_while_a_fork_of_its_owner_lives(gone: Gone, *, stopped: bool) -> None:
    """The fork has copies of all files; a process that is stopped ends too."""
    team = Processes([[[(len, ("",))], [(len, ("",))]]], 2)
    (pid,) = team.pids
    fork = os.fork()
    if fork == 0:
        time.sleep(60)
        os._exit(0)
    if stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        team.close()
        assert time.monotonic() - start < 10
        assert gone(pid)
    finally:
        os.kill(fork, signal.SIGKILL)
        os.waitpid(fork, 0)


@forking
def test_a_fork_does_not_wait_for_a_run_of_the_first_process() -> None:
    session, feeds = ready(LATE)
    (expected,) = session.run(None, feeds)
    with session._programs.lock:
        pid = in_a_thread(lambda: child(lambda: np.array_equal(session.run(None, feeds)[0], expected)))
    end = time.monotonic() + 20
    while (found := os.waitpid(pid, os.WNOHANG))[0] == 0 and time.monotonic() < end:
        time.sleep(0.01)
    if found[0] == 0:
        os.kill(pid, signal.SIGKILL)
    assert found == (pid, 0)


@forking
def test_sleep_with_many_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of files above 1023, which select does not take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        pytest.skip("few files may be open")
    monkeypatch.setattr(teams, "PATIENCE", 0.0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        team = Processes([[[(len, ("",))], [(len, ("",))]]], 2)
        time.sleep(0.1)
        team.run(0)
        team.close()
    finally:
        for file in held:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@forking
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_processes_end_with_the_first_one(end: int, gone: Gone) -> None:
    code = (
        "import convcost, numpy as np, time\n"
        "from convcost import notation\n"
        "s = convcost.Session(notation.parse('28x28x64 -(3x3x64x96 same)->'), threads=2)\n"
        "s.run(None, {s.get_inputs()[0].name: np.zeros(s.get_inputs()[0].shape, np.float32)})\n"
        "team, = [p.team for p in s._programs.made.values()]\n"
        "print(*team.pids, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        (pid,) = map(int, first.stdout.readline().split())
        first.send_signal(end)
        first.wait(20)
        assert first.stdout.read() == ""  # nobody else holds the pipe
    assert gone(pid)


@forking
def test_a_fork_of_a_program_runs_on_its_own() -> None:
    """The arrays of a program are shared memory: a forked process makes a program of its own."""
    session, feeds = ready(LATE)
    (expected,) = session.run(None, feeds)
    ear, voice = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            (got,) = session.run(None, {name: 2 * x for name, x in feeds.items()})
            os.write(voice, b"same" if np.allclose(got, 2 * expected, atol=1e-3) else b"other")
        finally:
            os._exit(0)
    os.close(voice)
    for _ in range(5):
        (again,) = session.run(None, feeds)
        assert np.array_equal(again, expected)
    assert os.read(ear, 10) == b"same"
    os.close(ear)
    os.waitpid(pid, 0)


@forking
def test_on_a_busy_machine_the_first_process_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another program takes the processor while a share is waited for; later the others are tried again."""
    pids = aligned((2,), np.int64, common=True)

    def mark(i: int) -> None:
        time.sleep(0.02 * i)
        pids[i] = os.getpid()

    team = Processes([[[(mark, (0,))], [(mark, (1,))]]], 2)
    monkeypatch.setattr(teams, "ALONE", 2)
    monkeypatch.setattr(os, "sched_yield", lambda: time.sleep(0.002))
    found = []
    for _ in range(4):
        team.run(0)
        found.append(int(pids[1]))
    assert found == [team.pids[0], os.getpid(), os.getpid(), team.pids[0]]
    team.close()


@forking
def test_nothing_is_forked_while_another_thread_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads of OpenBLAS end before a fork: who waits for them then never goes on."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    stages: Stages = [[[(len, ("",))], [(len, ("",))]]]
    a, over = np.ones((300, 300), np.float32), threading.Event()

    def compute() -> None:
        while not over.is_set():
            np.matmul(a, a)

    other = threading.Thread(target=compute)
    other.start()
    try:
        assert teams.team(stages, 2) is None
    finally:
        over.set()
        other.join()
    monkeypatch.setattr(teams, "QUIET", 10.0)
    team = teams.team(stages, 2)
    assert isinstance(team, Processes)
    team.close()


@forking
def test_a_fork_that_was_put_off_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the first and second run other threads compute; the fourth has its processes."""
    found = iter([False, False, True])
    monkeypatch.setattr(teams, "quiet", lambda: next(found))
    session, feeds = ready(SMALL)
    seen = []
    for _ in range(5):
        session.run(None, feeds)
        seen.append(crew(session) is not None)
    assert seen == [False, False, False, True, True]
