"""Folders of small models, and a child process that misbehaves on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import onnx
import psutil
import pytest
from onnx import TensorProto, helper

from convcost.fleet.child import Setup

CHANNELS = 2
MACS = CHANNELS * CHANNELS * 3 * 3 * 8 * 8
"""MACs of one layer: 2 channels from 2 channels, 3×3, on 8×8."""

MISCHIEF = """
import os, signal, sys, time
from convcost.fleet import child, lines

honest, model_of = lines.line_of, lines.model_of

def line_of(path, opts, known):
    name = os.path.basename(path)
    if "kill" in name and "FLEET_TAME" not in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
    if "exit" in name:
        os._exit(3)
    if "hang" in name:
        time.sleep(1000)
    lines.model_of = {
        "memory": lambda *_: bytearray(1 << 34),
        "bug": lambda *_: {}["missing"],
    }.get(name.removesuffix(".onnx"), model_of)
    if "noise" in name:
        os.write(1, b"a library prints")
    if "garbage" in name:
        return b"{}\\n"
    line = honest(path, opts, known)
    if line != lines.SAME and "FLEET_LOG" in os.environ:
        with open(os.environ["FLEET_LOG"], "a") as log:
            log.write(name + "\\n")
    return line

lines.line_of = line_of
main = child.main
"""


def write_chain(path: Path, layers: int) -> Path:
    """A model of `layers` equal convolutions, each MACS."""
    shape = [1, CHANNELS, 8, 8]
    nodes = [
        helper.make_node("Conv", [f"x{i}", "w"], [f"x{i + 1}"], name=f"conv{i}", pads=[1, 1, 1, 1])
        for i in range(layers)
    ]
    ends = [helper.make_tensor_value_info(f"x{i}", TensorProto.FLOAT, shape) for i in (0, layers)]
    weights = helper.make_tensor("w", TensorProto.FLOAT, [CHANNELS, CHANNELS, 3, 3], [0.5] * CHANNELS**2 * 9)
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], [weights])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    assert onnx.load(path).graph.node
    return path


@pytest.fixture
def chain() -> Callable[[Path, int], Path]:
    """chain(path, layers): writes a model of so many equal layers."""
    return write_chain


@pytest.fixture
def macs() -> int:
    """MACs of one layer of a chain."""
    return MACS


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of six models: `m0.onnx` has one layer, `m5.onnx` six."""
    for i in range(6):
        write_chain(tmp_path / "models" / f"m{i}.onnx", i + 1)
    return tmp_path / "models"


@pytest.fixture
def mischief(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Children do what a model's name says: kill, exit, hang, memory, bug, noise, garbage. The result is a log.

    In the log are the names of the models that were really counted.
    """
    place = tmp_path / "mischief"
    place.mkdir()
    (place / "mischievous_child.py").write_text(MISCHIEF)
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setattr("convcost.fleet.run.Setup", partial(Setup, module="mischievous_child"))
    monkeypatch.setenv("FLEET_LOG", str(place / "log"))
    return place / "log"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No test leaves a process behind; other tests of this run may have some of their own."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert [child.cmdline() for child in left if child.status() != psutil.STATUS_ZOMBIE] == []
