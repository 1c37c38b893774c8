"""Reports as input: whatever a file holds, one clean error or the report that it is; several as one."""

from __future__ import annotations

import io
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import convcost
from convcost import record
from convcost.errors import ConvcostError, ModelError, UsageError
from convcost.report import render

TEXT = "12x12x3 -(5x5x3x256)->"
GOOD = record.encode(convcost.count(TEXT))


def changed(old: bytes, new: bytes) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


DIFFERENCE = record.encode(convcost.diff(TEXT, "12x12x3 -(3x3x3x256)->"))
DEEP = b"[" * 100_000 + b"]" * 100_000
WRONG = {
    "empty": (b"", "truncated"),
    "no JSON": (b"hello", "malformed"),
    "cut off": (GOOD[:500], "truncated"),
    "a list": (b"[]", "Expected `object`"),
    "another object": (b"{}", "missing required field `schema_version`"),
    "a string for a number": (changed(b'"macs": 1228800', b'"macs": "1228800"'), "Expected `int | null`, got `str`"),
    "a fraction for a count": (changed(b'"macs": 1228800', b'"macs": 0.5'), "Expected `int | null`, got `float`"),
    "a number for text": (changed(b'"name": "conv1"', b'"name": 7'), "Expected `str`, got `int`"),
    "NaN": (changed(b'"macs": 1228800', b'"macs": NaN'), "malformed"),
    "Infinity": (changed(b'"intensity": ', b'"intensity": Infinity, "x": '), "malformed"),
    "1e400": (changed(b'"macs": 1228800', b'"macs": 1e400'), "out of range"),
    "a million digits": (changed(b'"macs": 1228800', b'"macs": ' + b"9" * 10**6), "out of range"),
    "4,200 digits": (changed(b'"macs": 1228800', b'"macs": ' + b"9" * 4200), "more than 4000 digits"),
    "a key twice": (changed(b'"macs": 1228800', b'"macs": 1, "macs": 1228800'), "'macs' stands twice"),
    "a top key twice": (changed(b'"command": ', b'"command": "x", "command": '), "'command' stands twice"),
    "deep lists": (changed(b'"attributes": {', b'"attributes": {"a": ' + DEEP + b","), "nested too deeply"),
    "deep lists nowhere": (changed(b'"attributes": {', b'"more": ' + DEEP + b',"attributes": {'), "nested too deeply"),
    "deep objects": (
        changed(b'"attributes": {', b'"attributes": {"a": ' + b'{"a":' * 200 + b"1" + b"}" * 200 + b","),
        "nested too deeply",
    ),
    "no UTF-8": (changed(b'"name": "conv1"', b'"name": "\xff"'), "utf-8"),
    "a lone surrogate": (changed(b'"name": "conv1"', b'"name": "\\ud800"'), "malformed"),
    "two documents": (GOOD + GOOD, "malformed"),
    "another schema": (changed(b'"schema_version": "1.0"', b'"schema_version": "2.0"'), "schema version 2.0"),
    "another schema, in which nothing is the same": (
        b'{"schema_version": "2.0", "tool": {"name": "convcost", "version": "3.1.0"}, "networks": []}',
        "a report of schema version 2.0, written by convcost 3.1.0; this convcost reads 1.0",
    ),
    "a later schema with a word that is not known": (
        changed(b'"schema_version": "1.0"', b'"schema_version": "1.9"').replace(b'"kind": "shape"', b'"kind": "cloud"'),
        "a report of schema version 1.9, written by convcost ",
    ),
    "a total under another name": (
        DIFFERENCE.replace(b'"metric": "macs"', b'"metric": "mac"'),
        "totals of its difference",
    ),
    "many values": (b'{"a": [' + b"1," * 6_000_000 + b"1]}", "more than 5,000,000 values"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_report_is_one_clean_error(name: str, tmp_path: Path) -> None:
    data, cause = WRONG[name]
    file = tmp_path / "r.json"
    file.write_bytes(data)
    with pytest.raises(ModelError, match=re.escape(cause)) as caught:
        convcost.read(str(file))
    assert caught.value.file == str(file)
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    "filler", [b'{"a":1},', b'"' + b"x" * 10_000 + b'",', b"[[[[]]]],"], ids=["objects", "strings", "lists"]
)
def test_a_hundred_megabytes_take_bounded_time(filler: bytes, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_bytes(changed(b'"attributes": {', b'"attributes": {"a": [' + filler * (10**8 // len(filler)) + b"0],"))
    start = time.monotonic()
    try:
        assert convcost.read(str(file)).models[0].totals.macs == 1_228_800
    except ConvcostError as error:
        assert "values" in error.message  # noqa: PT017 - either is right, in time
    assert time.monotonic() - start < 20


def test_beyond_the_limit_nothing_is_read(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    with file.open("wb") as out:
        out.truncate(2**28)
    with pytest.raises(ModelError, match="larger than"):
        convcost.read(str(file))


@pytest.mark.parametrize(("path", "cause"), [("none.json", "no such file"), (".", "directory"), ("a\0b", "NUL")])
def test_what_cannot_be_opened(path: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=cause):
        convcost.read(path)


def write(folder: Path, **reports: record.Report) -> list[str]:
    paths = []
    for name, report in reports.items():
        (folder / f"{name}.json").write_bytes(record.encode(report))
        paths.append(str(folder / f"{name}.json"))
    return paths


def test_one_report_is_itself(tmp_path: Path) -> None:
    whole = convcost.compare(TEXT)
    paths = write(tmp_path, a=whole)
    assert convcost.read(*paths) == whole
    assert convcost.count(*paths) == whole


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(GOOD)))
    assert convcost.read("-") == convcost.count(TEXT)


def test_several_become_one_in_the_order_given(tmp_path: Path) -> None:
    one, other = convcost.count(TEXT), convcost.compare("8x8x4 -(3x3x4x4)->")
    both = convcost.read(*write(tmp_path, a=one, b=other))
    assert both.models == one.models + other.models
    assert both.comparisons == other.comparisons
    assert both.diagnostics == one.diagnostics + other.diagnostics
    assert both.command == "render"


def test_count_puts_reports_and_sources_together_in_order(tmp_path: Path) -> None:
    (path,) = write(tmp_path, a=convcost.count("8x8x4 -(3x3x4x4)->"))
    found = convcost.count(TEXT, path, "8x8x4 -(1x1x4x4)->")
    assert [model.source for model in found.models] == [TEXT, "8x8x4 -(3x3x4x4)->", "8x8x4 -(1x1x4x4)->"]
    assert found.command == "count"


def test_different_conventions_are_an_error(tmp_path: Path) -> None:
    report = convcost.count(TEXT)
    fields = {name: getattr(report, name) for name in report.__struct_fields__}
    other = record.Report(**fields | {"convention": "1 MAC = 2 FLOPs of something else"})
    with pytest.raises(UsageError, match=r"a\.json and .*b\.json count by different conventions"):
        convcost.read(*write(tmp_path, a=report, b=other))


def test_two_differences_are_an_error(tmp_path: Path) -> None:
    found = convcost.diff(TEXT, "12x12x3 -(3x3x3x256)->")
    paths = write(tmp_path, a=found, b=found)
    with pytest.raises(UsageError, match="both hold a diff"):
        convcost.read(*paths)


def environment(processor: str) -> record.Environment:
    return record.Environment(
        python="3.11", numpy="2", blas="b", machine="m", processor=processor, cores=2, threads=1, versions={}
    )


@pytest.mark.parametrize(("processors", "kept"), [("AA", True), ("AB", False), ("A-", True)])
def test_the_machine_is_named_where_all_times_are_its(processors: str, kept: bool, tmp_path: Path) -> None:
    report = convcost.count(TEXT)
    fields = {name: getattr(report, name) for name in report.__struct_fields__}
    reports = {
        f"r{i}": record.Report(**fields | {"environment": environment(p) if p != "-" else None})
        for i, p in enumerate(processors)
    }
    both = convcost.read(*write(tmp_path, **reports))
    assert (both.environment is not None) == kept
    assert [d.code for d in both.diagnostics if "environments" in d.message] == ([] if kept else ["C260"])


def test_json_lines_are_put_together_again(tmp_path: Path) -> None:
    whole = convcost.compare(TEXT, "12x12x3 -(5x5x3x256 sep)->")
    file = tmp_path / "r.jsonl"
    file.write_text(render(whole, "jsonl"), "utf-8")
    assert len(whole.models) == 2
    assert convcost.read(str(file)) == whole
    file.write_text(file.read_text("utf-8") + '{"a": 1}\n', "utf-8")
    with pytest.raises(ModelError, match="not a convcost report") as caught:
        convcost.read(str(file))
    assert caught.value.file == f"{file}:3"
