"""The promises about untrusted files that concern reading."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from convcost.errors import ConvcostError
from convcost.onnx_reader import from_bytes
from convcost.onnx_reader.wire import write_varint
from convcost.ops.resolve import Resolver

Build = Callable[..., onnx.ModelProto]
MUTATIONS = int(os.environ.get("CONVCOST_MUTATIONS", "2000"))
MIB = 1 << 20


def python(code: str, *args: str, hash_seed: str = "0") -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def rich(build: Build) -> bytes:
    """Many features in one small model: branches, a function, shape arithmetic, typed and sparse data."""
    out = [helper.make_empty_tensor_value_info("b")]
    branches = [helper.make_graph([helper.make_node(op, ["t"], ["b"])], op, [], out) for op in ("Relu", "Sigmoid")]
    function = helper.make_function(
        "local", "f", ["a"], ["o"], [helper.make_node("Relu", ["a"], ["o"])], [helper.make_opsetid("", 17)]
    )
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], strides=[2, 2], auto_pad="SAME_UPPER"),
        helper.make_node("f", ["c"], ["t"], domain="local"),
        helper.make_node("If", ["yes"], ["i"], then_branch=branches[0], else_branch=branches[1]),
        helper.make_node("Shape", ["i"], ["s"]),
        helper.make_node("Constant", [], ["sizes"], value=numpy_helper.from_array(np.array([0, -1]))),
        helper.make_node("Reshape", ["i", "sizes"], ["r"]),
        helper.make_node("MatMul", ["r", "m"], ["y"]),
    ]
    weights = [
        numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "w"),
        helper.make_tensor("m", 1, [64, 2], np.ones(128, np.float32)),
        numpy_helper.from_array(np.array([1], bool), "yes"),
    ]
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    model = build(nodes, {"x": ["N", 3, 8, 8]}, ["y", "s"], weights, opset=imports, functions=[function])
    data: bytes = model.SerializeToString()
    assert from_bytes(data).graph.tensors["y"].shape == (1, 2)
    return data


def mutated(data: bytes, draw: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        at = draw.randrange(len(out))
        kind = draw.randrange(5)
        if kind == 0:
            out[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            out[at] = draw.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del out[at : at + draw.randrange(1, 9)]
        elif kind == 3:
            out[at:at] = out[at : at + draw.randrange(1, 40)]
        else:
            other = draw.randrange(len(out))
            out[at : at + 8] = out[other : other + 8]
        if not out:
            break
    return bytes(out)


def test_mutations_raise_nothing_but_our_own_errors(rich: bytes, conv: onnx.ModelProto) -> None:
    draw = random.Random(7)
    refused = []
    for _ in range(MUTATIONS):
        try:
            from_bytes(mutated(draw.choice((rich, conv.SerializeToString())), draw))
        except ConvcostError as wrong:
            refused.append(str(wrong))
    assert 0 < len(refused) < MUTATIONS
    assert all(message.isprintable() and len(message) <= 500 for message in refused)


def shapes(data: bytes) -> dict[str, object] | None:
    try:
        return {name: t.shape for name, t in from_bytes(data).graph.tensors.items() if t.shape is not None}
    except ConvcostError:
        return None


def test_cutting_payloads_changes_nothing_that_is_read(rich: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutated models with every payload above 8 bytes cut out, beside the same without cutting."""
    draw = random.Random(11)
    compared = 0
    for data in [rich, *(mutated(rich, draw) for _ in range(MUTATIONS // 4))]:
        plain = shapes(data)
        with monkeypatch.context() as patch:
            patch.setattr("convcost.onnx_reader.wire.CUT_BYTES", 8)
            cut = shapes(data)
        if plain is not None and cut is not None:
            compared += 1
            assert all(plain[name] == shape for name, shape in cut.items() if name in plain)
    assert compared > MUTATIONS // 40


def test_truncations_raise_nothing_but_our_own_errors(rich: bytes) -> None:
    for end in range(0, len(rich), 7):
        with pytest.raises(ConvcostError):
            from_bytes(rich[:end])


def heavy(folder: Path, nbytes: int) -> Path:
    """A Gemm whose weight is a hole of `nbytes` bytes in a sparse file."""
    file = folder / f"{nbytes}.onnx"
    rows = nbytes // 4096
    w = onnx.TensorProto(name="w", data_type=1, dims=[1024, rows]).SerializeToString()
    payload = b"\x4a" + write_varint(nbytes)
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            "g",
            [helper.make_tensor_value_info("x", 1, [1, 1024])],
            [helper.make_empty_tensor_value_info("y")],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    graph = model.graph.SerializeToString()
    tensor = len(w) + len(payload) + nbytes
    head = b"\x2a" + write_varint(tensor) + w + payload
    model.ClearField("graph")
    start = model.SerializeToString() + b"\x3a" + write_varint(len(graph) + len(head) + nbytes) + graph + head
    with file.open("wb") as f:
        f.write(start)
        f.truncate(len(start) + nbytes)
    return file


PEAK = """
import re, sys
from convcost.onnx_reader import read_file
model = read_file(sys.argv[1])
print(model.graph.tensors["y"].shape[1], re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_memory_does_not_depend_on_weights(tmp_path: Path) -> None:
    peaks = {}
    for nbytes in (4 * MIB, 1900 * MIB):
        columns, peak = python(PEAK, str(heavy(tmp_path, nbytes))).split()
        assert int(columns) == nbytes // 4096
        peaks[nbytes] = int(peak) * 1024
    assert peaks[1900 * MIB] < 150 * MIB
    assert peaks[1900 * MIB] - peaks[4 * MIB] < 10 * MIB


SHALLOW = """
import sys
import onnx
from convcost.errors import ConvcostError
from convcost.onnx_reader import read_file
for file in sys.argv[1:]:
    try:
        read_file(file)
    except ConvcostError as wrong:
        print(wrong.code)
sys.setrecursionlimit(200)
for file in sys.argv[1:]:
    try:
        print(read_file(file).graph.outputs)
    except ConvcostError as wrong:
        print(wrong.code)
"""


def test_a_small_recursion_limit_is_no_crash(tmp_path: Path, build: Build, rich: bytes) -> None:
    out = [helper.make_empty_tensor_value_info("y")]
    node = helper.make_node("Relu", ["x"], ["y"])
    for _ in range(30):
        inner = helper.make_graph([node], "g", [], out)
        node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=helper.make_graph([], "g", [], out))
    chain = [helper.make_node("Relu", [f"t{i}"], [f"t{i + 1}"]) for i in range(5000)]
    c = numpy_helper.from_array(np.array([1], bool), "c")
    (tmp_path / "deep.onnx").write_bytes(build([node], {"x": [1]}, weights=[c]).SerializeToString())
    (tmp_path / "long.onnx").write_bytes(build(reversed(chain), {"t0": [1]}, ["t5000"]).SerializeToString())
    (tmp_path / "rich.onnx").write_bytes(rich)
    printed = python(SHALLOW, *(str(tmp_path / f"{n}.onnx") for n in ("deep", "long", "rich"))).split("\n")
    assert printed[-3:-1] == ["('t5000',)", "('y', 's')"]
    assert printed[-4] in ("C250", "('y',)")


WATCHED = """
import sys
from convcost.onnx_reader import read_file
read_file(sys.argv[1])
seen = []
def hook(event, args):
    if event == "open" or event.split(".")[0] in ("socket", "subprocess", "os", "shutil", "exec", "ctypes", "import"):
        seen.append((event, args[0] if args else None))
sys.addaudithook(hook)
read_file(sys.argv[1])
print(sorted({(event, str(name)) for event, name in seen}))
"""


def test_nothing_but_the_model_is_opened(tmp_path: Path, rich: bytes) -> None:
    model = onnx.ModelProto.FromString(rich)
    w = model.graph.initializer[0]
    w.ClearField("raw_data")
    w.data_location = onnx.TensorProto.EXTERNAL
    w.external_data.add(key="location", value="w.bin")
    (tmp_path / "w.bin").write_bytes(bytes(432))
    file = tmp_path / "m.onnx"
    file.write_bytes(model.SerializeToString())
    assert python(WATCHED, str(file)).strip() == str([("open", str(file))])


def test_numbers_in_formulas_and_dimensions_do_not_grow_without_end(build: Build) -> None:
    """Squaring 2H again and again, or a tensor beside itself: a few hundred bytes that ask for gigabytes."""
    two = numpy_helper.from_array(np.array([2]), "two")
    start = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Mul", ["s", "two"], ["t0"])]
    squares = [helper.make_node("Mul", [f"t{i}", f"t{i}"], [f"t{i + 1}"]) for i in range(40)]
    end = [helper.make_node("ConstantOfShape", ["t40"], ["y"])]
    model = build([*start, *squares, *end], {"x": [1, "H"]}, weights=[two])
    assert from_bytes(model.SerializeToString()).graph.tensors["y"].shape is None
    doubled = [helper.make_node("Concat", [f"t{i}", f"t{i}"], [f"t{i + 1}"], axis=0) for i in range(80)]
    with pytest.raises(ConvcostError, match=r"over the limit of 2\^63-1"):
        from_bytes(build(doubled, {"t0": [1]}, ["t80"]).SerializeToString())


def test_empty_tensors_of_huge_shape_are_not_walked_through(build: Build) -> None:
    """Found by fuzzing: no elements, but an axis of 2^40."""
    shape = numpy_helper.from_array(np.array([0, 2**40]), "s")
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["t"]), helper.make_node("ReduceSum", ["t"], ["y"], keepdims=0)]
    assert from_bytes(build(nodes, {}, weights=[shape]).SerializeToString()).graph.tensors["y"].shape == ()


def calls(model: onnx.ModelProto, monkeypatch: pytest.MonkeyPatch) -> int:
    made: list[Resolver] = []

    class Counting(Resolver):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr("convcost.ops.resolve.Resolver", Counting)
    from_bytes(model.SerializeToString())
    return made[0].rule_calls


def test_work_is_linear_in_nodes_and_functions(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    def tree(depth: int) -> onnx.ModelProto:
        imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]

        def twice(i: int) -> list[onnx.NodeProto]:
            inner = f"f{i + 1}"
            return [
                helper.make_node(inner, ["a"], ["t"], domain="local"),
                helper.make_node(inner, ["t"], ["b"], domain="local"),
            ]

        functions = [helper.make_function("local", f"f{i}", ["a"], ["b"], twice(i), imports) for i in range(depth)]
        leaf = [helper.make_node("Relu", ["a"], ["b"])]
        functions.append(helper.make_function("local", f"f{depth}", ["a"], ["b"], leaf, imports))
        start = helper.make_node("f0", ["x"], ["y"], domain="local")
        return build([start], {"x": [2]}, opset=imports, functions=functions)

    assert calls(tree(10), monkeypatch) == 10 * 2 + 2
    assert calls(tree(40), monkeypatch) == 40 * 2 + 2


def test_the_same_file_reads_the_same(tmp_path: Path, rich: bytes) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(rich)
    code = "import sys; from convcost.onnx_reader import read_file; m = read_file(sys.argv[1]); print(m.graph, m.dims, m.graph.notes)"
    assert len({python(code, str(file), hash_seed=seed) for seed in ("0", "1", "2")}) == 1
