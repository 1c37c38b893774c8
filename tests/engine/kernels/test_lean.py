"""Kernels for known shapes: the second run with the same shapes has them, the first does not; both against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from convcost import Session
from convcost.engine.kernels.lean import MAKERS, PRODUCTS, Copies

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((2, 3, 4, 5)).astype(np.float32)
ROW = DRAW.standard_normal((5,)).astype(np.float32)
W = DRAW.standard_normal((5, 7)).astype(np.float32)
INDEX = {"one": np.array(1), "last": np.array(-1), "some": np.array([0, 2])}


def ints(*values: int) -> Any:
    return np.array(values, np.int64)


Case = tuple[str, int, list[Any], list[Any], dict[str, Any]]
CASES: list[Case] = [
    ("Reshape", 17, [X], [ints(0, -1, 5)], {}),
    ("Reshape", 17, [X], [ints(6, 20)], {"allowzero": 1}),
    ("Flatten", 17, [X], [], {"axis": 2}),
    ("Squeeze", 17, [X[:1]], [ints(0)], {}),
    ("Squeeze", 11, [X[:1, :1]], [], {}),
    ("Unsqueeze", 17, [X], [ints(0, -1)], {}),
    ("Unsqueeze", 11, [X], [], {"axes": [1]}),
    ("Add", 17, [X, ROW], [], {}),
    ("Add", 17, [X[0, 0, 0, 0], X[0, 0, 0, 1]], [], {}),
    ("Add", 17, [X.astype(np.float16), ROW.astype(np.float16)], [], {}),
    ("Sub", 17, [ROW, X], [], {}),
    ("Mul", 17, [X], [np.float32(0.3)], {}),
    ("Mul", 17, [ints(3, 4)], [ints(5)], {}),
    ("Div", 17, [X, X + 3], [], {}),
    ("Div", 17, [ints(-7, 7)], [ints(2)], {}),
    ("Abs", 17, [X], [], {}),
    ("Neg", 17, [X[0, 0, 0, 0]], [], {}),
    ("Sqrt", 17, [np.abs(X)], [], {}),
    ("Exp", 17, [X], [], {}),
    ("Log", 17, [np.abs(X)], [], {}),
    ("Pow", 17, [X], [np.float32(2)], {}),
    ("Pow", 17, [X], [np.array([[[[[2]]]]], np.float32)], {}),
    ("Pow", 17, [np.abs(X)], [np.float32(1.5)], {}),
    ("Relu", 17, [X], [], {}),
    ("Relu", 17, [X.astype(np.float16)], [], {}),
    ("Slice", 17, [X], [ints(-3, 0), ints(99, -1), ints(2, 3), ints(1, 2)], {}),
    ("Slice", 17, [X], [ints(4), ints(-99), ints(-1), ints(-2)], {}),
    ("Slice", 9, [X], [], {"starts": [1, 0], "ends": [2, 9]}),
    ("Gather", 17, [X], [INDEX["last"]], {"axis": -2}),
    ("Gather", 17, [X], [INDEX["some"]], {"axis": 1}),
    ("Gather", 17, [ROW], [INDEX["one"]], {}),
    ("ReduceMean", 17, [X], [], {"axes": [-1, 1], "keepdims": 0}),
    ("ReduceMean", 17, [X], [], {"axes": [2]}),
    ("ReduceMean", 17, [X], [], {"keepdims": 0}),
    ("ReduceMean", 18, [X], [ints(1)], {}),
    ("ReduceMean", 18, [X], [], {"noop_with_empty_axes": 1}),
    ("ReduceMean", 13, [ints(1, 2, 4).reshape(1, 3)], [], {"axes": [1]}),
    ("GlobalAveragePool", 17, [X], [], {}),
    ("MatMul", 17, [X], [W], {}),
    ("MatMul", 17, [X, W], [], {}),
    ("MatMul", 17, [ROW, W], [], {}),
    ("MatMul", 17, [ROW], [ROW], {}),
    ("Gemm", 17, [X[0, 0]], [W], {}),
    ("Gemm", 17, [X[0, 0]], [W, W[0]], {}),
    ("Gemm", 17, [X[0, 0], np.ascontiguousarray(W.T), W[0]], [], {"transB": 1}),
    ("Gemm", 17, [X[0, 0]], [np.ascontiguousarray(W.T), W[:1]], {"transB": 1, "beta": 0.5}),
    ("Gemm", 17, [X[0, 0]], [W, W[:1]], {"beta": 0.0}),
    ("Gemm", 17, [np.ascontiguousarray(X[0, 0].T)], [W, W[0]], {"transA": 1, "alpha": 0.5}),
    ("Pad", 17, [X], [ints(0, 1, 2, 0, 0, 0, 1, 3)], {"mode": "reflect"}),
    ("Pad", 17, [X], [ints(1, 0, 0, 7, 0, 0, 0, 3)], {"mode": "edge"}),
    ("Pad", 17, [X], [ints(0, 0, 0, 1, 0, 0, 0, 3)], {}),
    ("Pad", 17, [X], [ints(0, 0, 0, -1, 0, 0, 0, 3)], {"mode": "edge"}),
]


def model_of(op: str, opset: int, fed: list[Any], constants: list[Any], attributes: dict[str, Any]) -> bytes:
    """One node; the first inputs are fed, with sizes that are not declared, the others stored."""
    feeds = {f"x{i}": np.asarray(a) for i, a in enumerate(fed)}
    stored = [numpy_helper.from_array(np.asarray(a), f"w{i}") for i, a in enumerate(constants)]
    kind = helper.np_dtype_to_tensor_dtype(feeds["x0"].dtype)
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), [f"{n}{d}" for d in range(a.ndim)])
        for n, a in feeds.items()
    ]
    node = helper.make_node(op, [*feeds, *(t.name for t in stored)], ["y"], **attributes)
    graph = helper.make_graph([node], "g", infos, [helper.make_tensor_value_info("y", kind, None)], stored)
    opsets = [helper.make_opsetid("", opset)]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return data


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{c[1]}")
def test_kernels_for_known_shapes_agree(case: Case, tmp_path: Path, onnxruntime_outputs: Any) -> None:
    op, opset, fed, constants, attributes = case
    data = model_of(op, opset, fed, constants, attributes)
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    session = Session(path, threads=1)
    feeds = {f"x{i}": np.asarray(a) for i, a in enumerate(fed)}
    (expected,) = onnxruntime_outputs(data, feeds)
    for _ in range(3):
        before = {n: a.copy() for n, a in feeds.items()}
        (found,) = session.run(None, feeds)
        assert isinstance(found, np.ndarray)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(found, expected, rtol=2e-6 if found.dtype != np.float16 else 1e-3, atol=1e-6)
        for n, a in before.items():
            np.testing.assert_array_equal(feeds[n], a)


def test_every_such_kernel_is_tried() -> None:
    assert {*MAKERS, *PRODUCTS} == {case[0] for case in CASES}


def test_copies_of_weights_are_shared_and_limited() -> None:
    copies = Copies(room=300)
    first, second = np.ones((8, 5), np.float32), np.ones((8, 5), np.float32)
    made = copies.of(first, transposed=True)
    assert made is not None
    np.testing.assert_array_equal(made, first.T)
    assert made.flags.c_contiguous
    assert not made.ctypes.data % 64
    assert copies.of(first, transposed=True) is made
    assert copies.room == 300 - 160
    assert copies.of(second, transposed=True) is None
