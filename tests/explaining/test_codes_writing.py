"""Codes of files that are written and of fleets: each example in words raises its code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import CancelledError
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from convcost import api
from convcost.api import separating
from convcost.api.sources import Options
from convcost.explaining import codes
from convcost.fleet import lines, run
from convcost.fleet.child import Child, Setup
from convcost.fleet.cluster import connect, results
from convcost.fleet.ledger import Ledger
from convcost.fleet.lines import head_of
from convcost.fleet.pool import Task
from convcost.report import render
from convcost.report.charts import convert


def c505_large_file(_: Any) -> Any:
    return api.export("64x64x65536 -(3x3x65536x65536)->", output="large.onnx")


def c506_eighths(_: Any) -> Any:
    return api.export("12x12x3,k5,c256", output="small.onnx", dtype="int8")


def c512_nothing_to_split(w: Any) -> Any:
    return api.separate(w.stored(w.model([w.relu()])), output=str(w.place / "new.onnx"))


def c508_another_writes(w: Any) -> Any:
    first = Ledger(str(w.place / "fleet.jsonl"), [], resume=False)
    with first, Ledger(str(w.place / "fleet.jsonl"), [], resume=True):
        pass
    return []


def c509_none_of_a_fleet(w: Any) -> Any:
    (w.place / "fleet.jsonl").write_text("something\nelse\n")
    with Ledger(str(w.place / "fleet.jsonl"), [], resume=True):
        return []


def split(w: Any, **found: Any) -> Any:
    """A model that is split and then compared, with this result."""
    w.patch.setattr(separating, "compared", lambda *_: separating.Seen(**found))
    sobel = numpy_helper.from_array(np.outer([1, 2, 1], [1, 0, -1]).astype(np.float32)[None, None], "w")
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="sobel")
    return api.separate(w.stored(w.model([node], (1, 1, 9, 9), [sobel])), output=str(w.place / "new.onnx"))


def c513_other_outputs(w: Any) -> Any:
    return split(w, passed=False, relative=1.0)


def c514_not_compared(w: Any) -> Any:
    return split(w, reason="no kernel runs Mine")


def c520_no_extra(w: Any) -> Any:
    w.patch.setitem(sys.modules, "vl_convert", None)
    return render(api.count("12x12x3,k5,c256"), "svg")


def c522_refused_chart(w: Any) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise ValueError("no")

    w.patch.setattr(convert, "library", lambda: SimpleNamespace(vega_to_svg=refuse))
    return render(api.count("12x12x3,k5,c256"), "svg")


def c523_few_addresses(w: Any) -> Any:
    w.patch.setattr(convert, "addresses", lambda: float(4 << 30))
    return render(api.count("12x12x3,k5,c256"), "svg")


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


def c601_killed(w: Any) -> Any:
    return child(w, b"")


def c602_slow(w: Any) -> Any:
    return child(w, b"", late=True)


def c604_huge(w: Any) -> Any:
    w.patch.setattr("convcost.fleet.child.LONGEST", 3)
    return child(w, b"long line")


def failed(line: bytes) -> Any:
    error = head_of(line).error
    assert error is not None
    return [SimpleNamespace(code=error.code, severity="error")]


def c603_memory(w: Any) -> Any:
    def full(*_: Any) -> Any:
        raise MemoryError

    w.patch.setattr(lines, "model_of", full)
    return failed(lines.line_of(str(w.place / "model.onnx"), Options(), None))


def c605_other_release(w: Any) -> Any:
    line = lines.line_of(str(w.place / "model.onnx"), Options(), None)
    w.patch.setattr(run, "__version__", "0")
    return failed(run.checked(line, Task(0, "model.onnx", None), Options())[0])


def c610_no_dask(w: Any) -> Any:
    w.patch.setitem(sys.modules, "distributed", None)
    return connect("tcp://127.0.0.1:9")


def client(w: Any, make: Any) -> Any:
    w.patch.setitem(sys.modules, "distributed", SimpleNamespace(Client=make))
    return connect("tcp://127.0.0.1:9")


def c611_no_scheduler(w: Any) -> Any:
    def make(*_: Any, **__: Any) -> Any:
        raise OSError("refused")

    return client(w, make)


def c612_no_workers(w: Any) -> Any:
    def wait(*_: Any, **__: Any) -> Any:
        raise TimeoutError

    return client(w, lambda *_, **__: SimpleNamespace(wait_for_workers=wait, close=lambda **_: None))


def c613_dropped(_: Any) -> Any:
    def result(**_: Any) -> Any:
        raise CancelledError

    future: Any = SimpleNamespace(key="k", status="cancelled", result=result, add_done_callback=lambda put: put(future))
    stopped = SimpleNamespace(status="closed", nthreads=dict, submit=lambda *_, **__: future)
    setup: Any = SimpleNamespace(time_limit=0)
    return list(results(stopped, setup, [Task(0, "model.onnx", None)]))


@pytest.mark.parametrize("entry", codes.of("Files that are written", "Fleet"), ids=lambda entry: entry.code)
def test_an_example_raises_its_code(entry: codes.Code, raises: Callable[[codes.Code], None]) -> None:
    raises(entry)
