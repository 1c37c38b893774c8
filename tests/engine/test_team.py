"""Shares of a program side by side: in forked processes, or on threads."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from convcost import notation
from convcost.engine import Session
from convcost.engine.feeds import random_feeds
from convcost.engine.kernels.convolution.workspace import Array, aligned
from convcost.engine.static import team as teams
from convcost.engine.static.team import Processes, Stages, Team, Threads, forks
from convcost.errors import EngineError

Maker = Callable[[Stages, int], Team]
forking = pytest.mark.skipif(not forks(), reason="shares run on threads here")
KINDS = [pytest.param(Processes, marks=forking), Threads]
Gone = Callable[[int], bool]
LAYERS = (
    "28x28x64 -(3x3x64x96 same bias)-> -(relu)-> -(maxpool 3x3 s2)-> -(1x1x96x200)->",
    "14x14x160 -(3x3x160x192 same)-> -(relu)-> -(3x3x192x192 s2 same)->",
    "7x7x512 -(1x1x512x257 bias)-> -(relu)->",
    "40x40x3 -(7x7x3x64 s2 same)-> -(3x3 dw same)-> -(relu)-> -(gap)-> -(fc 100)->",
)


def halves(y: Array) -> list[Array]:
    return [y[: len(y) // 2], y[len(y) // 2 :]]


@pytest.fixture
def made() -> Iterator[Callable[[Maker, Any], Team]]:
    """Teams of two that end with the test."""
    open_: list[Team] = []

    def make(kind: Maker, stages: Any) -> Team:
        open_.append(kind(stages, 2))
        return open_[-1]

    yield make
    for team in open_:
        team.close()


@pytest.mark.parametrize("kind", KINDS)
def test_each_share_is_run_every_time(kind: Maker, made: Any) -> None:
    """Stage 0 adds 1 to both halves; stage 1, of one share, doubles all: y -> 2 (y + 1), 5 times."""
    y = aligned((64,), np.float64, common=True)
    y[:] = 0
    stages = [[[(np.add, (h, 1.0, h))] for h in halves(y)], [[(np.add, (y, y, y))]]]
    team = made(kind, stages)
    for _ in range(5):
        team.run(0)
        team.run(1)
    assert y.tolist() == [62.0] * 64


@pytest.mark.parametrize("kind", KINDS)
def test_a_stage_runs_in_portions(kind: Maker, made: Any) -> None:
    """Of the calls + 1, × 3, + 5 of each share, the last two, then the first."""
    y = aligned((8,), np.float64, common=True)
    y[:] = 2
    calls = [[(np.add, (h, 1.0, h)), (np.multiply, (h, 3.0, h)), (np.add, (h, 5.0, h))] for h in halves(y)]
    team = made(kind, [calls])
    team.run(0, 1)
    assert y.tolist() == [11.0] * 8
    team.run(0, 0, 1)
    assert y.tolist() == [12.0] * 8


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_the_first_share_waits_for_the_others(kind: Maker, made: Any) -> None:
    y = aligned((2,), np.float64, common=True)
    y[:] = 0

    def fail() -> None:
        raise MemoryError

    team = made(kind, [[[(fail, ())], [(time.sleep, (0.05,)), (np.copyto, (y, 7.0))]]])
    with pytest.raises(MemoryError):
        team.run(0)
    assert y.tolist() == [7.0, 7.0]


@forking
def test_a_process_that_sleeps_is_woken(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "PATIENCE", 0.0)
    y = aligned((2,), np.float64, common=True)
    y[:] = 0
    team = made(Processes, [[[(np.add, (h, 1.0, h))] for h in halves(y)]])
    for _ in range(20):
        time.sleep(0.002)
        team.run(0)
    assert y.tolist() == [20.0, 20.0]


@forking
def test_the_end_of_a_process_is_an_error(made: Any, gone: Gone) -> None:
    team = made(Processes, [[[(len, ("",))], [(time.sleep, (20,))]]])
    (pid,) = team.pids

    def kill() -> None:
        os.kill(pid, signal.SIGKILL)

    team.stages[0][0][0] = (kill, ())
    with pytest.raises(EngineError, match="has ended") as caught:
        team.run(0)
    assert caught.value.code == "C433"
    assert gone(pid)


@forking
def test_an_error_in_a_process_is_its_end(made: Any) -> None:
    team = made(Processes, [[[(len, ("",))], [(int, ("x",))]]])
    with pytest.raises(EngineError, match="has ended"):
        team.run(0)


@forking
def test_ctrl_c_does_not_end_a_process(made: Any) -> None:
    y = aligned((2,), np.float64, common=True)
    y[:] = 0
    team = made(Processes, [[[(np.add, (h, 1.0, h))] for h in halves(y)]])
    team.run(0)
    os.kill(team.pids[0], signal.SIGINT)
    team.run(0)
    assert y.tolist() == [2.0, 2.0]


@forking
def test_processes_end_with_their_team(gone: Gone) -> None:
    y = aligned((2,), np.float64, common=True)
    team = Processes([[[(np.add, (h, 1.0, h))] for h in halves(y)]], 3)
    pids = list(team.pids)
    assert len(pids) == 2
    del team
    assert all(gone(pid) for pid in pids)


@forking
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_signals_are_the_first_process_own(made: Any, sent: int, capfd: pytest.CaptureFixture[str]) -> None:
    """A handler of the caller's would run twice where a whole group of processes is signalled."""
    before = signal.signal(sent, lambda *_: os.write(1, b"handled"))
    try:
        team = made(Processes, [[[(len, ("",))], [(time.sleep, (0.05,))]]])
        os.kill(team.pids[0], sent)
        team.run(0)
        assert team.ready()
    finally:
        signal.signal(sent, before)
    assert capfd.readouterr().out == ""


@forking
def test_what_an_interrupted_run_left_is_waited_for(made: Any) -> None:
    """Ctrl-C twice: in the first share, and while the second is waited for."""
    y = aligned((2,), np.float64, common=True)
    y[:] = 0

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    slow = [(time.sleep, (0.3,)), (np.add, (y, 1.0, y))]
    team = made(Processes, [[[(stop, ())], slow]])
    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            team.run(0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert y.tolist() == [0.0, 0.0]
    assert team.ready()
    assert y.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("tune", [False, True])
@pytest.mark.parametrize("text", LAYERS)
def test_shares_give_what_one_thread_gives(text: str, threads: int, *, tune: bool) -> None:
    graph = notation.parse(text)
    feeds = random_feeds(graph)
    one = Session(graph, threads=1, exact=True)
    several = Session(graph, threads=threads, exact=True, tune=tune)
    (expected,) = one.run(None, feeds)
    for _ in range(3):
        (got,) = several.run(None, feeds)
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_threads_share_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teams, "forks", lambda: False)
    test_shares_give_what_one_thread_gives(LAYERS[1], 2, tune=False)


def test_a_time_limit_ends_a_shared_run() -> None:
    graph = notation.parse("96x96x64 -(3x3x64x512 same)-> -(3x3x512x512 same)->")
    session = Session(graph, threads=2, time_limit=1e-4)
    for _ in range(2):
        with pytest.raises(EngineError, match="limit") as caught:
            session.run(None, random_feeds(graph))
        assert caught.value.code == "C431"
