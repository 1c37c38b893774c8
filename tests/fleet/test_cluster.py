"""A real scheduler and two real workers, each a process; one is killed while it works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import convcost
from convcost.errors import FleetError, UsageError

pytest.importorskip("distributed", reason="the extra `fleet` is not installed")
pytestmark = [
    # Dask's client leaves its event loop and sockets to the garbage collector
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:tornado"),
]

Chain = Callable[[Path, int], Path]
MODELS = 18
DASK = [sys.executable, "-m", "dask"]


class Cluster:
    """A scheduler without workers, until `hire` is called. All is on 127.0.0.1, without a dashboard."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0")
        until = time.monotonic() + 30
        while not self.file.exists() or not self.file.read_text():
            assert time.monotonic() < until
            time.sleep(0.02)
        self.address = json.loads(self.file.read_text())["address"]

    def start(self, role: str, *options: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*DASK, role, "--scheduler-file", str(self.file), "--no-dashboard", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.file.parent,
        )
        self.processes.append(process)
        return process

    def hire(self) -> subprocess.Popen[bytes]:
        return self.start("worker", "--no-nanny", "--nthreads", "1", "--host", "127.0.0.1")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    for process in reversed(made.processes):
        process.kill()
        process.wait()


def written(out: Path) -> int:
    """Lines that are whole."""
    return out.read_bytes().count(b"\n") if out.exists() else 0


def entries(out: Path) -> list[dict[str, Any]]:
    """The entries of the lines."""
    return [json.loads(line)["fleet"]["entries"][0] for line in out.read_bytes().split(b"\n")[:-1]]


def test_a_worker_is_killed_while_it_works(cluster: Cluster, tmp_path: Path, chain: Chain) -> None:
    for i in range(MODELS):
        chain(tmp_path / "models" / f"m{i:02}.onnx", 1000 + i)
    one, two = cluster.hire(), cluster.hire()
    out = tmp_path / "cluster.jsonl"
    run = subprocess.Popen(
        [sys.executable, "-m", "convcost", "fleet", "models", "--scheduler", cluster.address, "-o", out.name, "-q"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 60
    while written(out) < 3:
        assert time.monotonic() < until
        assert run.poll() is None
        time.sleep(0.01)
    os.kill(one.pid, signal.SIGKILL)
    assert written(out) < MODELS - 4, "there is still work that the worker had"
    _, said = run.communicate(timeout=60)
    assert (run.returncode, said) == (0, b"")
    assert two.poll() is None
    assert [entry["path"] for entry in entries(out)] == [f"models/m{i:02}.onnx" for i in range(MODELS)]
    assert {entry["status"] for entry in entries(out)} == {"counted"}
    here = tmp_path / "here.jsonl"
    subprocess.run(
        [sys.executable, "-m", "convcost", "fleet", "models", "-o", here.name, "-q"], cwd=tmp_path, check=True
    )
    assert out.read_bytes() == here.read_bytes()


def test_a_model_that_kills_its_process_costs_the_cluster_no_worker(
    cluster: Cluster, models: Path, mischief: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(mischief.parent))
    worker = cluster.hire()
    (models / "kill.onnx").write_bytes((models / "m0.onnx").read_bytes())
    report = convcost.fleet(str(models), scheduler=cluster.address)
    assert report.fleet is not None
    assert (report.fleet.counted, report.fleet.failed) == (6, 1)
    assert report.diagnostics[0].message == "the process that counted it died of SIGKILL"
    assert worker.poll() is None


def test_no_scheduler_there(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcost.fleet.cluster.CONNECT", 1.0)
    start = time.monotonic()
    with pytest.raises(FleetError, match=r"no scheduler at tcp://127\.0\.0\.1:9: "):
        convcost.fleet(str(models), scheduler="tcp://127.0.0.1:9")
    assert time.monotonic() - start < 10


def test_a_scheduler_without_workers(cluster: Cluster, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcost.fleet.cluster.CONNECT", 2.0)
    with pytest.raises(FleetError, match="has no workers"):
        convcost.fleet(str(models), scheduler=cluster.address)


@pytest.mark.parametrize(
    "address", ["", "nonsense", "http://x:1", "tcp://x", "x:123456", "inproc://1/2/3:4", "$(x):1 "]
)
def test_no_address(models: Path, address: str) -> None:
    with pytest.raises(UsageError, match="expected an address"):
        convcost.fleet(str(models), scheduler=address)


def test_no_certificates(models: Path) -> None:
    with pytest.raises(FleetError, match="no certificates"):
        convcost.fleet(str(models), scheduler="tls://127.0.0.1:9")
