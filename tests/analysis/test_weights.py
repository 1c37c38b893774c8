"""Parameters and buffers: which constants count as which, once each, on the row that uses them first."""

from __future__ import annotations

import onnx
import pytest

from convcost import analysis
from convcost.onnx_reader import from_bytes
from convcost.record import Layer

DATA = {
    "w": "float[4, 4, 3, 3] w = {" + ", ".join(["1"] * 144) + "}",
    "b": "float[4] b = {1, 2, 3, 4}",
    "m": "float[8, 8] m = {" + ", ".join(["1"] * 64) + "}",
    "h": "float16[8, 8] h = {" + ", ".join(["1"] * 64) + "}",
    "q": "int8[8, 8] q = {" + ", ".join(["1"] * 64) + "}",
    "one": "float[1] one = {2}",
    "few": "float[8] few = {1, 2, 3, 4, 5, 6, 7, 8}",
    "ids": "int64[3] ids = {0, 1, 2}",
    "n": "int64[2] n = {8, 8}",
    "bits": "bool[8] bits = {1, 1, 1, 1, 0, 0, 0, 0}",
    "ints": "int32[8] ints = {1, 2, 3, 4, 5, 6, 7, 8}",
}
IMAGE, MATRIX = "float[1, 4, 8, 8] x", "float[8, 8] x"


def rows(body: str, stored: str, x: str = MATRIX, *, functions: str = "") -> list[Layer]:
    """The rows of a model in ONNX's text form that stores some of DATA."""
    constants = ", ".join(DATA[name] for name in stored.split())
    imports = '<ir_version: 10, opset_import: ["" : 19, "local" : 1, "ai.onnx.ml" : 3]>'
    text = f"{imports} g ({x}) => (float y) <{constants}> {{ {body} }} {functions}"
    return analysis.count(from_bytes(onnx.parser.parse_model(text).SerializeToString()).graph).layers


BRANCHES = "then_branch = a () => (float p) { p = MatMul(x, m) }, else_branch = b () => (float q) { q = Add(x, few) }"

CASES: list[tuple[str, str, str, int, int, int]] = [
    ("y = Conv(x, w, b)", "w b", IMAGE, 144 + 4, 0, 4 * 148),
    ("y = MatMul(x, m)", "m", MATRIX, 64, 0, 256),
    ("y = MatMul(m, x)", "m", MATRIX, 64, 0, 256),
    ("t = Identity(m) y = MatMul(x, t)", "m", MATRIX, 64, 0, 256),
    ("t = Cast <to = 1> (h) y = MatMul(x, t)", "h", MATRIX, 64, 0, 128),
    ("t = DequantizeLinear(q, one) y = MatMul(x, t)", "q one", MATRIX, 64, 1, 64 + 4),
    ("t = Transpose(m) u = Reshape(t, n) y = MatMul(x, u)", "m n", MATRIX, 64, 2, 256 + 16),
    ("t = Mul(m, few) y = MatMul(x, t)", "m few", MATRIX, 64, 8, 256 + 32),
    ("t = Mul(few, m) y = MatMul(x, t)", "m few", MATRIX, 64, 8, 256 + 32),
    ("t = Concat <axis = 0> (m, m) y = Gemm <transB = 1> (x, t)", "m", MATRIX, 64, 0, 256),
    ("u = Cast <to = 1> (h) t = Concat <axis = 0> (m, u) y = Gemm <transB = 1> (x, t)", "m h", MATRIX, 128, 0, 384),
    ("t = Shape(m) y = Reshape(x, t)", "m", MATRIX, 0, 64, 256),
    ("y = Add(x, few)", "few", MATRIX, 8, 0, 32),
    ("y = Add(few, x)", "few", MATRIX, 8, 0, 32),
    ("y = Mul(x, one)", "one", MATRIX, 0, 1, 4),
    ("t = Cast <to = 7> (x) u = Gather(t, ids) v = Cast <to = 1> (u) y = Relu(v)", "ids", MATRIX, 0, 3, 24),
    ("t = Cast <to = 6> (x) u = Add(t, ints) y = Cast <to = 1> (u)", "ints", MATRIX, 0, 8, 32),
    ("t = Cast <to = 9> (x) u = And(t, bits) y = Cast <to = 1> (u)", "bits", MATRIX, 0, 8, 8),
    ("t = ArgMax(x) y = Gather(m, t)", "m", MATRIX, 64, 0, 256),
    ("t = ArgMax(x) y = Gather(few, t)", "few", MATRIX, 0, 8, 32),
    ("y = Where(c, x, m)", "m", "float[8, 8] x, bool[8, 8] c", 0, 64, 256),
    ("t = Constant <value_floats = [1.0, 2.0, 3.0]> () y = Add(x, t)", "one", "float[8, 3] x", 3, 0, 12),
    ("t = ConstantOfShape(n) y = MatMul(x, t)", "n", MATRIX, 64, 2, 256 + 16),
    ("y = Relu(x)", "m", MATRIX, 0, 0, 0),
    ("y = local.f(x, m)", "m", MATRIX, 64, 0, 256),
    ("t = local.g(x) u = local.g(t) y = Relu(u)", "one", MATRIX, 8, 0, 32),
    (f"y = If <{BRANCHES}> (c)", "m few", "float[8, 8] x, bool[1] c", 72, 0, 288),
]
FUNCTIONS = """<domain: "local", opset_import: ["" : 19]> f (a, b) => (c) { c = MatMul(a, b) }
<domain: "local", opset_import: ["" : 19]> g (a) => (c)
{ k = Constant <value_floats = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> () c = Add(a, k) }"""


@pytest.mark.parametrize(("body", "stored", "x", "params", "buffers", "nbytes"), CASES)
def test_constants(body: str, stored: str, x: str, params: int, buffers: int, nbytes: int) -> None:
    found = rows(body, stored, x, functions=FUNCTIONS)
    assert sum(layer.cost.params or 0 for layer in found) == params
    assert sum(layer.cost.buffers or 0 for layer in found) == buffers
    assert sum(layer.cost.weight_bytes or 0 for layer in found) == nbytes


def test_a_shared_weight_stands_on_its_first_use() -> None:
    first, second, last = rows("t = MatMul(x, m) i = Identity(m) y = MatMul(t, i)", "m")
    assert [first.cost.params, second.cost.params, last.cost.params] == [64, 0, 0]
    assert [first.shared_weights, last.shared_weights] == [False, True]


def test_a_constant_that_is_a_parameter_later_is_none_before() -> None:
    """Its shape is read first: the first product has the parameters, not the row that looked at it first."""
    found = rows("s = Shape(m) t = Reshape(x, s) y = MatMul(t, m)", "m")
    assert [layer.cost.params for layer in found] == [0, 0, 64]
    assert sum(layer.cost.buffers or 0 for layer in found) == 0
