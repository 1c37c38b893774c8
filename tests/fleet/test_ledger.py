"""The file of a fleet: complete whatever happens, never counted twice, in the order of the models."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import convcost
from convcost import record
from convcost.errors import ReportError, UsageError

Chain = Callable[[Path, int], Path]


def lines(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def names(path: Path) -> list[str]:
    return [Path(line["fleet"]["entries"][0]["path"]).name for line in lines(path)]


def counted(log: Path) -> set[str]:
    """What was really counted since the last time."""
    found = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    assert len(found) == len(set(found))
    return set(found)


ALL = {f"m{i}.onnx" for i in range(6)}


def test_each_line_is_the_report_of_a_count(models: Path, tmp_path: Path) -> None:
    (models / "broken.onnx").write_bytes(b"\x08\x07broken")
    out = tmp_path / "fleet.jsonl"
    report = convcost.fleet(str(models), output=str(out))
    assert report.fleet is not None
    parts = [record.decode(line) for line in out.read_bytes().splitlines()]
    for part, entry in zip(parts, report.fleet.entries, strict=True):
        assert part.fleet is not None
        assert part.fleet.entries == [entry]
        if entry.status == "counted":
            same = convcost.count(entry.path)
            assert part.models == same.models
            assert entry.totals == same.models[0].totals
    (failed,) = [part for part in parts if not part.models]
    with pytest.raises(convcost.ModelError) as wrong:
        convcost.count(str(models / "broken.onnx"))
    assert (failed.diagnostics[0].code, failed.diagnostics[0].message) == (wrong.value.code, wrong.value.message)
    assert failed.diagnostics == report.diagnostics


def test_the_order_is_that_of_the_models(models: Path, tmp_path: Path, chain: Chain) -> None:
    chain(models / "a_slow_one.onnx", 1500)
    for jobs in (1, 3):
        convcost.fleet(str(models), jobs=jobs, output=str(tmp_path / f"{jobs}.jsonl"))
    assert names(tmp_path / "1.jsonl") == sorted(ALL | {"a_slow_one.onnx"})
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "3.jsonl").read_bytes()


def test_only_what_is_new_is_counted(models: Path, tmp_path: Path, mischief: Path, chain: Chain) -> None:
    out = tmp_path / "fleet.jsonl"

    def again(**options: Any) -> set[str]:
        report = convcost.fleet(str(models), output=str(out), **options)
        assert report.fleet is not None
        assert (
            names(out) == [Path(e.path).name for e in report.fleet.entries] == sorted(p.name for p in models.iterdir())
        )
        return counted(mischief)

    assert again() == ALL
    whole = out.read_bytes()
    assert again(resume=True) == set()
    assert out.read_bytes() == whole
    chain(models / "m3.onnx", 9)
    chain(models / "m9.onnx", 1)
    assert again(resume=True) == {"m3.onnx", "m9.onnx"}
    (models / "m0.onnx").unlink()
    assert again(resume=True) == set()
    rest = ALL - {"m0.onnx"} | {"m9.onnx"}
    assert again(resume=True, algorithms=True) == rest
    assert again() == rest


def test_another_version_counts_again(models: Path, tmp_path: Path, mischief: Path) -> None:
    out = tmp_path / "fleet.jsonl"
    convcost.fleet(str(models), output=str(out))
    first, rest = out.read_bytes().split(b"\n", 1)
    out.write_bytes(first.replace(b'"version":"', b'"version":"0.0.', 1) + b"\n" + rest)
    counted(mischief)
    convcost.fleet(str(models), output=str(out), resume=True)
    assert counted(mischief) == {"m0.onnx"}


def test_what_a_process_was_lost_over_is_tried_again(
    models: Path, tmp_path: Path, mischief: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (models / "broken.onnx").write_bytes(b"\x08\x07broken")
    (models / "kill.onnx").write_bytes((models / "m0.onnx").read_bytes())
    out = tmp_path / "fleet.jsonl"
    first = convcost.fleet(str(models), output=str(out))
    assert [d.code for d in first.diagnostics] == ["C203", "C601"]
    assert convcost.fleet(str(models), output=str(out), resume=True) == first
    counted(mischief)
    monkeypatch.setenv("FLEET_TAME", "1")
    second = convcost.fleet(str(models), output=str(out), resume=True)
    assert [d.code for d in second.diagnostics] == ["C203"]
    assert counted(mischief) == {"kill.onnx"}


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_torn_line_is_healed(models: Path, tmp_path: Path, mischief: Path, cut: int) -> None:
    out = tmp_path / "fleet.jsonl"
    convcost.fleet(str(models), output=str(out))
    whole = out.read_bytes()
    counted(mischief)
    out.write_bytes(whole[:-cut])
    convcost.fleet(str(models), output=str(out), resume=True)
    assert out.read_bytes() == whole
    assert counted(mischief) == {"m5.onnx"}


def test_lines_that_are_none_are_dropped(models: Path, tmp_path: Path, mischief: Path) -> None:
    out = tmp_path / "fleet.jsonl"
    convcost.fleet(str(models), output=str(out))
    whole = out.read_bytes()
    counted(mischief)
    parts = whole.splitlines(keepends=True)
    out.write_bytes(parts[0] + b"\x00\xff\n" + b"{}\n" + b"".join(parts[1:]) + parts[2])
    convcost.fleet(str(models), output=str(out), resume=True)
    assert out.read_bytes() == whole
    assert counted(mischief) == set()


def test_another_file_is_not_gone_on_with(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "notes.jsonl"
    out.write_text("dear diary\n")
    with pytest.raises(ReportError, match="not a fleet's file"):
        convcost.fleet(str(models), output=str(out), resume=True)
    assert out.read_text() == "dear diary\n"


def test_nothing_found_leaves_the_old_file(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "fleet.jsonl"
    out.write_text("old\n")
    with pytest.raises(UsageError):
        convcost.fleet(str(models), output=str(out), jobs=0)
    with pytest.raises(UsageError):
        convcost.fleet(str(models), output=str(out), batch=0)
    with pytest.raises(UsageError):
        convcost.fleet(str(tmp_path / "*.onnx"), output=str(out))
    assert out.read_text() == "old\n"


def test_never_over_a_model(models: Path) -> None:
    with pytest.raises(ReportError, match="is an input"):
        convcost.fleet(str(models), output=str(models / "m3.onnx"))
    assert convcost.count(str(models / "m3.onnx")).models[0].coverage.complete


def test_one_writer_at_a_time(models: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="this system has no such locks")
    out = tmp_path / "fleet.jsonl"
    with out.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ReportError, match="another run is writing"):
            convcost.fleet(str(models), output=str(out))


@pytest.mark.parametrize("path", ["/dev/full", "/dev/null", "missing/fleet.jsonl", ""])
def test_a_file_that_cannot_be_one(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportError):
        convcost.fleet(str(models), output=path)
    assert [place.name for place in tmp_path.iterdir()] == ["models"]


def test_the_parent_keeps_no_layers(tmp_path: Path, chain: Chain) -> None:
    """24 reports of nearly a megabyte each pass through; a few at once may be in memory."""
    for i in range(24):
        chain(tmp_path / "models" / f"m{i:02}.onnx", 1200 + i)
    out = tmp_path / "fleet.jsonl"
    convcost.fleet(str(tmp_path / "models" / "m00.onnx"))  # modules are loaded
    tracemalloc.start()
    convcost.fleet(str(tmp_path / "models"), output=str(out), jobs=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert out.stat().st_size > 20 << 20
    assert peak < 8 << 20


def test_the_file_is_read_like_any_report(models: Path, tmp_path: Path) -> None:
    (models / "broken.onnx").write_bytes(b"\x08\x07broken")
    out = tmp_path / "fleet.jsonl"
    report = convcost.fleet(str(models), output=str(out))
    again = convcost.read(str(out))
    assert (again.fleet, again.diagnostics) == (report.fleet, report.diagnostics)
    assert [model.source for model in again.models] == sorted(ALL)
    assert again.render() == report.render()
    assert again.render("jsonl") == out.read_text(encoding="utf-8")
    assert report.render("jsonl").count("\n") == 7
