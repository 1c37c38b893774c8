"""What every command that writes does when writing goes wrong: exit code 2, one line, old files as they were."""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import pytest

from convcost.cli import main

SAMPLES = Path(__file__).resolve().parent.parent.parent / "sample_models"
SHAPE = "12x12x3 -(5x5x3x256)-> 8x8x256"

WRITERS = {
    "count": ("count", "net.onnx", "-o", "json={}"),
    "html": ("count", "net.onnx", "-o", "html={}"),
    "svg": ("count", "net.onnx", "-o", "svg={}"),
    "png": ("count", "net.onnx", "-o", "png={}"),
    "compare": ("compare", SHAPE, "-o", "json={}"),
    "diff": ("diff", "net.onnx", "net.onnx", "-o", "json={}"),
    "explain": ("explain", "net.onnx", "-o", "json={}"),
    "render": ("render", "report.json", "-o", "html={}"),
    "check": ("check", "net.onnx", "--budget", "macs=1G", "-o", "junit={}"),
    "baseline": ("check", "net.onnx", "--write-baseline", "--baseline", "{}"),
    "export": ("export", SHAPE, "-o", "onnx={}"),
    "whatif": ("whatif", "net.onnx", "--to", "low-rank", "-o", "onnx={}"),
    "separate": ("separate", "net.onnx", "--rank", "1", "-o", "onnx={}"),
    "fleet": ("fleet", "net.onnx", "-j", "1", "-o", "json={}"),
    "ledger": ("fleet", "net.onnx", "-j", "1", "-o", "jsonl={}"),
}
"""Each way to write a file; {} is its path."""

SOURCE = {"render": "report.json"}

Refused = Callable[..., None]


def command(name: str, path: str) -> list[str]:
    return [word.replace("{}", path) for word in WRITERS[name]]


def tree(folder: Path) -> dict[str, bytes]:
    """All files and what is in them."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.onnx").write_bytes((SAMPLES / "lenet5.onnx").read_bytes())
    assert main(["net.onnx", "-q", "-o", "report.json"]) == 0
    (tmp_path / "sub").mkdir()
    (tmp_path / "old").write_bytes(b"old")
    return tmp_path


@pytest.fixture
def refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Asserts that a command ends with 2, says one line, and changes no file."""

    def run(*words: str) -> None:
        before = tree(folder)
        code = main(words)
        out, err = capsys.readouterr()
        assert code == 2, words
        assert out == ""
        assert err.startswith("convcost: error[C")
        assert "C000" not in err
        assert err.count("\n") == 1
        assert len(err) <= 501
        assert tree(folder) == before, words

    return run


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow over 100 bytes. The signal that would end the process is left out, as on a full disk.

    Byte code is not written meanwhile: the interpreter takes the first bytes of a file for all of it.
    """
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    patch = pytest.MonkeyPatch()
    patch.setattr(sys, "dont_write_bytecode", True)
    patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
        patch.undo()


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "ledger"])
def test_a_full_disk(refused: Refused, name: str) -> None:
    for path in ("new", "old") if name != "baseline" else ("new",):
        with full_disk():
            refused(*command(name, path))


def test_a_full_disk_under_a_growing_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines of a fleet are written as they come: what is finished stays, and no part of a line."""
    with full_disk():
        assert main(command("ledger", "new")) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "convcost: error[C500]: new: cannot be written: File too large\n"
    assert (folder / "new").read_bytes() == b""


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("path", ["none/new", "sub", "net.onnx/new", "x" * 300, "bad\udcff/new"])
def test_a_path_that_cannot_be_written(refused: Refused, name: str, path: str) -> None:
    refused(*command(name, path))


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("compare", "export")])
def test_an_input_is_not_replaced(refused: Refused, folder: Path, name: str) -> None:
    source = SOURCE.get(name, "net.onnx")
    (folder / "link").symlink_to(source)
    (folder / "hard").hardlink_to(folder / source)
    for path in (source, f"sub/../{source}", str(folder / source), "link", "hard"):
        refused(*command(name, path))


@pytest.mark.parametrize("name", WRITERS)
def test_two_outputs_of_one_path(refused: Refused, folder: Path, name: str) -> None:
    refused(*command(name, "new"), "-o", f"csv={folder}/sub/../new")


@pytest.mark.parametrize(
    "words",
    [
        ("-o", "json=convcost.toml"),
        ("-o", "json=net.onnx"),
        ("--max-growth", "1%", "-o", "json=convcost-baseline.json"),
        ("--write-baseline", "--baseline", "convcost.toml"),
        ("--write-baseline", "--baseline", "net.onnx"),
        ("--write-baseline", "-o", "json=convcost-baseline.json"),
        ("--write-baseline", "--baseline", "new.json", "-o", "none/report.json"),
    ],
)
def test_what_check_reads_is_not_replaced(refused: Refused, folder: Path, words: tuple[str, ...]) -> None:
    """The configuration, a model that it lists, the baseline; where a report fails there is no new baseline."""
    (folder / "convcost.toml").write_text('models = ["net.onnx"]\nmacs = "1G"\n')
    assert main(["check", "-q", "--write-baseline"]) == 0
    refused("check", *words)


def test_external_data_are_not_replaced(refused: Refused, folder: Path) -> None:
    model = onnx.load(folder / "net.onnx")
    onnx.save(model, folder / "out.onnx", save_as_external_data=True, location="weights.bin", size_threshold=64)
    assert (folder / "weights.bin").exists()
    refused("count", "out.onnx", "-o", "json=weights.bin")
    refused("whatif", "out.onnx", "-o", "html=sub/../weights.bin")
    refused("separate", "out.onnx", "--rank", "1", "-o", "onnx=weights.bin")
