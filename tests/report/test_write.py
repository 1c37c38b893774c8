"""Writing reports: all or none, atomic, never over an input."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from convcost.errors import ReportError
from convcost.report.write import write_all


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writes_all(tmp_path: Path) -> None:
    write_all([(str(tmp_path / "a.json"), b"1"), (str(tmp_path / "b.csv"), b"2")])
    assert (tmp_path / "a.json").read_bytes() + (tmp_path / "b.csv").read_bytes() == b"12"
    assert names(tmp_path) == ["a.json", "b.csv"]


def test_no_such_folder_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"old")
    with pytest.raises(ReportError, match="No such file or directory"):
        write_all([(str(tmp_path / "a.json"), b"new"), (str(tmp_path / "none" / "b.csv"), b"2")])
    assert (tmp_path / "a.json").read_bytes() == b"old"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    (tmp_path / "a.json").write_bytes(b"old")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ReportError, match="No space left on device"):
        write_all([(str(tmp_path / "a.json"), b"new"), (str(tmp_path / "b.csv"), b"2")])
    assert (tmp_path / "a.json").read_bytes() == b"old"
    assert names(tmp_path) == ["a.json"]


def test_ctrl_c_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_all([(str(tmp_path / "a.json"), b"new")])
    assert names(tmp_path) == []


def test_never_over_an_input(tmp_path: Path) -> None:
    source = tmp_path / "net.onnx"
    source.write_bytes(b"model")
    (tmp_path / "link.json").symlink_to(source)
    os.link(source, tmp_path / "hard.json")
    for name in ("net.onnx", "link.json", "hard.json"):
        with pytest.raises(ReportError, match="is an input"):
            write_all([(str(tmp_path / name), b"report")], inputs=[str(source)])
    assert source.read_bytes() == b"model"


def test_one_file_for_two_reports(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="two reports"):
        write_all([(str(tmp_path / "a"), b"1"), (str(tmp_path / "." / "a"), b"2")])


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="is a folder"):
        write_all([(str(tmp_path), b"1")])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_bytes(b"old")
    (tmp_path / "link.json").symlink_to("real.json")
    write_all([(str(tmp_path / "link.json"), b"new")])
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_bytes() == b"new"


def test_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_all([(str(path), b"new")])
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_all([(str(tmp_path / "pipe"), b"through")])
    reader.join(5)
    assert got == [b"through"]
    assert not (tmp_path / "pipe").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_dev_full() -> None:
    with pytest.raises(ReportError, match="No space left on device"):
        write_all([("/dev/full", b"x")])


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000])
def test_impossible_names(path: str) -> None:
    with pytest.raises(ReportError):
        write_all([(path, b"x")])
