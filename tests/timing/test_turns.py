"""Several graphs measured in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from convcost import notation
from convcost.engine.profile import Recorder, record_in_turn
from convcost.errors import EngineError
from convcost.timing import Job, Measured, Options, time_together


class Written:
    """A recorder that writes down when it ran."""

    def __init__(self, name: str, log: list[str], stop_after: int | None = None) -> None:
        self.name, self.log, self.stop_after = name, log, stop_after

    def warm_up(self) -> None:
        self.log.append(self.name.lower())

    def once(self) -> None:
        if self.stop_after is not None and self.log.count(self.name) == self.stop_after:
            raise KeyboardInterrupt
        self.log.append(self.name)


def turns(recorders: Sequence[Written], runs: int) -> bool:
    return record_in_turn(cast("Sequence[Recorder]", recorders), runs=runs, warmup=1, min_seconds=0)


def test_sessions_take_turns() -> None:
    log: list[str] = []
    assert not turns([Written("A", log), Written("B", log), Written("C", log)], runs=3)
    assert "".join(log) == "abcABCABCABC"


def test_ctrl_c_after_the_first_round_keeps_what_there_is() -> None:
    log: list[str] = []
    assert turns([Written("A", log), Written("B", log, stop_after=1)], runs=3)
    assert "".join(log) == "abABA"


def test_ctrl_c_in_the_first_round_is_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt):
        turns([Written("A", []), Written("B", [], stop_after=0)], runs=3)


def test_one_that_may_not_run_leaves_the_others() -> None:
    small, huge = notation.parse("4x4x3 -(3x3x3x2)->"), notation.parse("99999x99999x3 -(3x3x3x2)->")
    jobs = [Job(small, {}), Job(huge, {}), Job(small, {})]
    options = Options(runs=2, warmup=1, min_seconds=0, roof=False, tune=False)
    first, second, third = time_together(jobs, options=options)
    assert isinstance(first, Measured)
    assert isinstance(second, EngineError)
    assert isinstance(third, Measured)
    assert first.model.runs == third.model.runs == 2
