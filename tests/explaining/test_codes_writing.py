"""Codes of files that are written and of fleets: each example in words raises its code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from convcost import api
from convcost.api.sources import Options
from convcost.explaining import codes
from convcost.fleet import lines, run
from convcost.fleet.child import Child, Setup
from convcost.fleet.cluster import connect, line_of
from convcost.fleet.ledger import Ledger
from convcost.fleet.lines import head_of
from convcost.fleet.pool import Task

Trigger = Callable[[Any], Any]
Raises = Callable[[codes.Code, Trigger], None]
TRIGGERS: dict[str, Trigger] = {}


def trigger(*names: str) -> Callable[[Trigger], Trigger]:
    def note(function: Trigger) -> Trigger:
        TRIGGERS.update(dict.fromkeys(names, function))
        return function

    return note


@trigger("C505")
def large_file(_: Any) -> Any:
    return api.export("64x64x65536 -(3x3x65536x65536)->", output="large.onnx")


@trigger("C506")
def eighths(_: Any) -> Any:
    return api.export("12x12x3,k5,c256", output="small.onnx", dtype="int8")


@trigger("C507")
def nothing_to_split(w: Any) -> Any:
    return api.separate(w.stored(w.model([w.relu()])), output=str(w.place / "new.onnx"))


@trigger("C508")
def another_writes(w: Any) -> Any:
    first = Ledger(str(w.place / "fleet.jsonl"), [], resume=False)
    with first, Ledger(str(w.place / "fleet.jsonl"), [], resume=True):
        pass
    return []


@trigger("C509")
def none_of_a_fleet(w: Any) -> Any:
    (w.place / "fleet.jsonl").write_text("something\nelse\n")
    with Ledger(str(w.place / "fleet.jsonl"), [], resume=True):
        return []


def child(w: Any, line: bytes, *, late: bool = False) -> Any:
    """A process of a fleet that answers with a line, or not at all."""
    one = Child(Setup(options=Options(), time_limit=1.0))
    process = SimpleNamespace(returncode=-9)
    w.patch.setattr(Child, "running", lambda _: process)
    w.patch.setattr(Child, "kill", lambda _: None)

    def exchange(self: Any, *_: Any) -> bytes:
        self.late = late
        return line

    w.patch.setattr(Child, "exchange", exchange)
    return one.ask("a.onnx", None)


@trigger("C601")
def killed(w: Any) -> Any:
    return child(w, b"")


@trigger("C602")
def slow(w: Any) -> Any:
    return child(w, b"", late=True)


@trigger("C604")
def huge(w: Any) -> Any:
    w.patch.setattr("convcost.fleet.child.LONGEST", 3)
    return child(w, b"long line")


def failed(line: bytes) -> Any:
    error = head_of(line).error
    assert error is not None
    return [SimpleNamespace(code=error.code, severity="error")]


@trigger("C603")
def memory(w: Any) -> Any:
    def full(*_: Any) -> Any:
        raise MemoryError

    w.patch.setattr(lines, "model_of", full)
    return failed(lines.line_of(str(w.place / "model.onnx"), Options(), None))


@trigger("C605")
def other_release(w: Any) -> Any:
    line = lines.line_of(str(w.place / "model.onnx"), Options(), None)
    w.patch.setattr(run, "__version__", "0")
    return failed(run.checked(line, Task(0, "model.onnx", None), Options())[0])


@trigger("C610")
def no_dask(w: Any) -> Any:
    w.patch.setitem(sys.modules, "distributed", None)
    return connect("tcp://127.0.0.1:9")


def client(w: Any, make: Any) -> Any:
    w.patch.setitem(sys.modules, "distributed", SimpleNamespace(Client=make))
    return connect("tcp://127.0.0.1:9")


@trigger("C611")
def no_scheduler(w: Any) -> Any:
    def make(*_: Any, **__: Any) -> Any:
        raise OSError("refused")

    return client(w, make)


@trigger("C612")
def no_workers(w: Any) -> Any:
    def wait(*_: Any, **__: Any) -> Any:
        raise TimeoutError

    return client(w, lambda *_, **__: SimpleNamespace(wait_for_workers=wait, close=lambda **_: None))


@trigger("C613")
def dropped(_: Any) -> Any:
    return line_of(SimpleNamespace(status="lost"), None, None, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", codes.of("Files that are written", "Fleet"), ids=lambda entry: entry.code)
def test_an_example_raises_its_code(entry: codes.Code, raises: Raises) -> None:
    raises(entry, TRIGGERS[entry.code])
