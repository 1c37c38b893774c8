"""Codes of runs and times: each example in words raises its code."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost import api
from convcost.engine import Session, guest
from convcost.engine.static.team import Processes, forks
from convcost.engine.verify import compare
from convcost.engine.weights import varints
from convcost.explaining import codes
from convcost.ir import DType, Graph, Node, Tensor
from convcost.timing.advice import advise


def session(w: Any, made: onnx.ModelProto, **options: Any) -> Any:
    return Session(w.stored(made), **options)


def c402_no_threads(w: Any) -> Any:
    return session(w, w.model([w.relu()]), threads=0)


def c403_not_fed(w: Any) -> Any:
    return session(w, w.model([w.relu()])).run(None, {})


def c404_doubles(w: Any) -> Any:
    return session(w, w.model([w.relu()])).run(None, {"x": np.zeros((1, 4))})


def c405_open_run(w: Any) -> Any:
    return api.time(w.stored(w.model([w.relu()], (1, 3, "height", "width"))), runs=1)


def c410_run_without_data(w: Any) -> Any:
    return api.time(w.stored(w.external("weights.data")), runs=1)


def c411_undefined(_: Any) -> Any:
    x = Tensor("x", DType.FLOAT32, (1, 4))
    node = Node(0, "relu", "Relu", ("nowhere",), ("y",), since_version=14)
    made = Graph("g", (x,), ("y",), (node,), {"x": x, "y": Tensor("y", DType.FLOAT32, (1, 4))}, opset={"": 17})
    return Session(made)


def c412_no_kernel(w: Any) -> Any:
    return api.time(w.stored(w.foreign()), runs=1)


def c413_ends_inside(_: Any) -> Any:
    return varints(b"\x80")


def c420_beyond_the_table(w: Any) -> Any:
    table = numpy_helper.from_array(np.zeros((3, 4), np.float32), "t")
    made = w.model([helper.make_node("Gather", ["t", "x"], ["y"])], (1,), [table], kind=TensorProto.INT64)
    return session(w, made).run(None, {"x": np.array([9])})


def c421_unfit(w: Any) -> Any:
    made = w.model([helper.make_node("Expand", ["x", "s"], ["y"])], (1, 4))
    made.graph.input.append(helper.make_tensor_value_info("s", TensorProto.INT64, [1]))
    return session(w, made).run(None, {"x": np.zeros((1, 4), np.float32), "s": np.array([3])})


def c431_late(w: Any) -> Any:
    feeds = {"x": np.zeros((1, 4), np.float32), "n": np.array(2**20)}
    return session(w, w.loop(), time_limit=1e-6).run(None, feeds)


def c432_endless(w: Any) -> Any:
    feeds = {"x": np.zeros((1, 4), np.float32), "n": np.array(2**60)}
    return session(w, w.loop(), max_iterations=10).run(None, feeds)


def ask(w: Any, done: Any, value: Any = None) -> Any:
    """A question to onnxruntime, whose process ends as `done` says."""
    w.patch.setattr("convcost.engine.guest.subprocess.run", done)
    w.patch.setattr(guest, "installed", lambda: True)
    value = np.zeros(1) if value is None else value
    request = guest.Request(model="m", names=("x",), inputs=str(w.place / "i.npz"), outputs=str(w.place / "o.npz"))
    return guest.ask(request, {"x": value}, w.place, seconds=1)


def c433_killed(_: Any) -> Any:
    if not forks():
        pytest.skip("shares run on threads here")
    team = Processes([[[(len, ("",))], [(int, ("no number",))]]], 2)
    try:
        team.run(0)
    finally:
        team.close()


def c440_not_installed(w: Any) -> Any:
    w.patch.setattr("convcost.engine.guest.installed", lambda: False)
    return api.time("12x12x3,k5,c256", backend="onnxruntime", runs=1)


def c441_texts(w: Any) -> Any:
    return ask(w, None, np.array(["a"], object))


def c442_too_long(w: Any) -> Any:
    def run(*_: Any, **__: Any) -> Any:
        raise subprocess.TimeoutExpired("ort", 1)

    return ask(w, run)


def c443_died(w: Any) -> Any:
    return ask(w, lambda *_, **__: SimpleNamespace(returncode=-11))


def c444_refused(w: Any) -> Any:
    return ask(w, lambda *_, **__: SimpleNamespace(returncode=1, stderr=b"no such operator"))


def c445_other_types(_: Any) -> Any:
    return compare(np.zeros(1, np.float32), np.zeros(1, np.float64))


TIMES: dict[str, dict[str, Any]] = {
    "T101": {"times": [100_000, 101_000, 99_000, 100_500, 1_000_000] * 5},
    "T102": {"times": [250_000, *([100_000] * 20)]},
    "T103": {"times": [int(100_000 * 1.01**i) for i in range(40)]},
    "T104": {"times": [100_000, 140_000] * 20},
    "T105": {"times": [100_000] * 20, "load": 1.0},
    "T106": {"times": [1_000] * 20},
    "T107": {"times": [100_000] * 20, "interrupted": True},
}


def t101_t102_t103_t104_t105_t106_t107_advice(_: Any) -> Any:
    given = [
        advice
        for options in TIMES.values()
        for advice in advise(options["times"], **{k: v for k, v in options.items() if k != "times"})
    ]
    return [SimpleNamespace(code=one.warning.code, severity="warning") for one in given]


@pytest.mark.parametrize("code", TIMES)
def test_times_that_deserve_their_warning(code: str) -> None:
    options = dict(TIMES[code])
    assert code in [advice.warning.code for advice in advise(options.pop("times"), **options)]


@pytest.mark.parametrize("entry", codes.of("Run", "Measurement"), ids=lambda entry: entry.code)
def test_an_example_raises_its_code(entry: codes.Code, raises: Callable[[codes.Code], None]) -> None:
    raises(entry)
