"""What happens to one model's process happens to no other model."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

import convcost
from convcost import record
from convcost.errors import FleetError
from convcost.fleet import pool
from convcost.fleet.child import Setup
from convcost.fleet.lines import head_of

FATES = {
    "kill": ("C601", "died of SIGKILL"),
    "exit": ("C601", "ended with exit code 3"),
    "hang": ("C602", "not counted within 1.5 s"),
    "memory": ("C603", "not enough memory"),
    "bug": ("C000", "internal error: KeyError"),
    "garbage": ("C604", "gave no report"),
}


def failures(report: record.Report) -> dict[str, tuple[str, str]]:
    return {
        Path(d.location.file).stem: (d.code, d.message)
        for d in report.diagnostics
        if d.location is not None and d.location.file is not None
    }


@pytest.mark.usefixtures("mischief")
def test_a_lost_process_is_one_failed_model(models: Path, macs: int) -> None:
    for name in (*FATES, "noise"):
        shutil.copy(models / "m0.onnx", models / f"{name}.onnx")
    report = convcost.fleet(str(models), jobs=2, time_limit=1.5, max_memory=2 << 30)
    assert report.fleet is not None
    assert (report.fleet.counted, report.fleet.failed) == (7, len(FATES))
    found = failures(report)
    for name, (code, words) in FATES.items():
        assert found[name][0] == code
        assert words in found[name][1]
    totals = {Path(e.path).stem: e.totals.macs for e in report.fleet.entries if e.totals is not None}
    assert totals == {f"m{i}": (i + 1) * macs for i in range(6)} | {"noise": macs}


@pytest.mark.usefixtures("mischief")
def test_time_limits_hold_side_by_side(models: Path) -> None:
    for i in range(4):
        shutil.copy(models / "m0.onnx", models / f"hang{i}.onnx")
    start = time.monotonic()
    report = convcost.fleet(str(models), jobs=4, time_limit=2)
    assert len(report.diagnostics) == 4
    assert time.monotonic() - start < 20


def test_a_process_that_cannot_start_is_an_error_of_the_run(models: Path) -> None:
    setup = Setup(options=convcost.api.sources.Options(), time_limit=10, module="no_such_module")
    with pytest.raises(FleetError, match="ended with exit code 1 at its start"):
        list(pool.run(setup, [pool.Task(0, str(models / "m0.onnx"))], 2))


def test_who_stops_listening_stops_the_processes(models: Path) -> None:
    setup = Setup(options=convcost.api.sources.Options(), time_limit=10)
    tasks = [pool.Task(i, str(models / "m0.onnx")) for i in range(50)]
    lines = pool.run(setup, tasks, 2)
    _, line = next(lines)
    assert head_of(line).entry.status == "counted"
    lines.close()


@pytest.mark.parametrize(
    "name", ["@list.onnx", "-.onnx", "a b.onnx", "12x12x3,k5,c256", "r.json", "[1].onnx", "層.onnx", "\udcff.onnx"]
)
def test_odd_names(models: Path, macs: int, name: str) -> None:
    path = f"{models}/{name}"
    Path(path).write_bytes((models / "m0.onnx").read_bytes())
    (entry,) = convcost.fleet(path).fleet.entries  # type: ignore[union-attr]
    assert entry.totals is not None
    assert entry.totals.macs == macs
    assert entry.path == path.replace("\udcff", "\\xff")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"jobs": 0}, "at least 1 process"),
        ({"time_limit": 0}, "time limit"),
        ({"resume": True}, "resume needs"),
        ({"nonsense": 1}, "unknown option 'nonsense'"),
        ({"dtype": "float33"}, "unknown element type"),
    ],
)
def test_wrong_options(models: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(convcost.ConvcostError, match=words):
        convcost.fleet(str(models), **options)
