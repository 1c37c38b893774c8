"""`convcost fleet` as a process: exit codes, what it prints, Ctrl-C, a sudden end, progress."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

Chain = Callable[[Path, int], Path]
SLOW = 24
COMMAND = [sys.executable, "-m", "convcost", "fleet"]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


@pytest.fixture
def slow(tmp_path: Path, chain: Chain) -> Path:
    """A folder of models that take a few seconds together."""
    for i in range(SLOW):
        chain(tmp_path / "slow" / f"m{i:02}.onnx", 1500 + i)
    return tmp_path / "slow"


Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(slow: Path) -> Iterator[Start]:
    """start(file): a fleet that has finished some models and not all."""
    begun: list[subprocess.Popen[bytes]] = []

    def started(name: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*COMMAND, "slow", "-o", name, "--jobs", "2"],
            cwd=slow.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        begun.append(process)
        out = slow.parent / name
        until = time.monotonic() + 30
        while (out.read_bytes().count(b"\n") if out.exists() else 0) < 4:
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.01)
        return process

    yield started
    for process in begun:
        process.kill()
        process.communicate()


def finished(out: Path) -> set[str]:
    """Paths of the lines that are whole."""
    whole = [line for line in out.read_bytes().split(b"\n")[:-1] if line]
    paths = [json.loads(line)["fleet"]["entries"][0]["path"] for line in whole]
    assert len(paths) == len(set(paths))
    return set(paths)


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all processes end on their own."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not alive


def test_a_killed_run_loses_nothing_that_was_finished(start: Start, slow: Path) -> None:
    process = start("fleet.jsonl")
    children = psutil.Process(process.pid).children()
    assert len(children) == 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert gone(children)
    out = slow.parent / "fleet.jsonl"
    before = finished(out)
    assert 4 <= len(before) < SLOW
    done = run("slow", "-o", "fleet.jsonl", "--resume", "-q", cwd=slow.parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert run("slow", "-o", "whole.jsonl", "-q", cwd=slow.parent).returncode == 0
    assert out.read_bytes() == (slow.parent / "whole.jsonl").read_bytes()


def interrupted(process: subprocess.Popen[bytes], name: str, folder: Path) -> float:
    """Seconds from Ctrl-C, which a terminal sends to all processes, to an end that is clean."""
    children = psutil.Process(process.pid).children()
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=10)
    took = time.monotonic() - begin
    assert process.returncode == 130
    assert out == b""
    assert err.decode() == f"convcost: interrupted; {name} keeps what is finished, --resume goes on from there\n"
    assert gone(children)
    assert 4 <= len(finished(folder / name)) < SLOW
    assert '"status":"failed"' not in (folder / name).read_text()
    return took


def test_ctrl_c_is_130_within_half_a_second_and_keeps_what_is_finished(start: Start, slow: Path) -> None:
    """The quickest of a few tries: other programs on the machine may hold one of them up."""
    assert any(interrupted(start(f"{i}.jsonl"), f"{i}.jsonl", slow.parent) < 0.5 for i in range(4))


def test_exit_codes(models: Path) -> None:
    folder = models.parent
    assert run("models", cwd=folder).returncode == 0
    (models / "broken.onnx").write_bytes(b"\x08\x07broken")
    failed = run("models", cwd=folder)
    assert failed.returncode == 2
    assert failed.stderr == ""
    assert "6 counted · 1 failed" in failed.stdout
    (line,) = [line for line in failed.stdout.split("\n") if line.startswith("error")]
    assert line.startswith("error[C203]: models/broken.onnx: ")
    assert run("models", "--allow-failures", cwd=folder).returncode == 0
    assert run("models", "--strict", "--allow-failures", cwd=folder).returncode == 0


@pytest.mark.parametrize("format", ["table", "json", "jsonl", "csv", "markdown", "html"])
def test_all_formats_say_the_same(models: Path, macs: int, format: str) -> None:
    (models / "broken.onnx").write_bytes(b"\x08\x07broken")
    done = run(
        "models", "-f", format, "--units", "exact", "-o", f"{format}=copy", "--allow-failures", cwd=models.parent
    )
    assert done.returncode == 0
    for i in range(6):
        assert f"m{i}.onnx" in done.stdout
        assert f"{(i + 1) * macs:,}" in done.stdout or str((i + 1) * macs) in done.stdout
    assert "broken.onnx" in done.stdout
    if format != "jsonl":
        assert (models.parent / "copy").read_text(encoding="utf-8") == done.stdout


def test_the_largest_comes_first_unless_told(models: Path) -> None:
    def order(*options: str) -> list[str]:
        done = run("models", "--units", "exact", *options, cwd=models.parent)
        return [line.split()[1] for line in done.stdout.split("\n") if line.split()[1:2] and ".onnx" in line.split()[1]]

    names = [f"m{i}.onnx" for i in range(6)]
    assert order() == names[::-1]
    assert order("--sort", "name") == order("--sort", "index") == names
    assert order("--sort", "flops", "--top", "2") == ["m5.onnx", "m4.onnx"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "error[C001]: nothing to count"),
        (["empty"], "error[C001]: empty: no .onnx file in it"),
        (["models", "--jobs", "0"], "error[C001]: --jobs 0: must be at least 1"),
        (["models", "--time-limit", "-1"], "error[C001]: the time limit must be more than 0 s"),
        (["models", "--resume"], "error[C001]: resume needs the file to go on with"),
        (["models", "-o", "a.jsonl", "-o", "b.jsonl"], "error[C001]: -o b.jsonl: there is one .jsonl file"),
        (["models", "--sort", "kind"], "error[C001]: --sort kind: no such choice"),
        (["models", "-o", "json=models/m0.onnx"], "error[C503]: models/m0.onnx: is an input"),
        (["models", "-o", "jsonl=models/m0.onnx"], "error[C503]: models/m0.onnx: is an input"),
        (["models", "-o", "no/such/fleet.jsonl"], "error[C500]: no/such/fleet.jsonl: cannot be written"),
        (["models", "--scheduler", "nonsense"], "error[C001]: scheduler 'nonsense': expected an address"),
        (["models", "--max-memory", "1MB"], "error[C600]: the process that counts"),
    ],
)
def test_mistakes(models: Path, arguments: list[str], said: str) -> None:
    (models.parent / "empty").mkdir()
    done = run(*arguments, cwd=models.parent)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_progress_stands_on_a_terminal_only(models: Path) -> None:
    leader, follower = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")} | {"TERM": "xterm"}
    child = subprocess.Popen(
        [*COMMAND, "models", "-f", "json"], cwd=models.parent, stdout=subprocess.PIPE, stderr=follower, env=env
    )
    os.close(follower)
    assert child.stdout is not None
    assert json.loads(child.stdout.read())["fleet"]["counted"] == 6
    seen = b""
    try:
        while chunk := os.read(leader, 4096):
            seen += chunk
    except OSError:  # the terminal closes
        pass
    child.stdout.close()
    assert child.wait(10) == 0
    os.close(leader)
    assert b"6/6" in seen
    assert run("models", "-f", "json", cwd=models.parent).stderr == ""
