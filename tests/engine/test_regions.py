"""Elementwise regions, prepared convolutions, integers and recurrent steps against plain definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from convcost import onnx_reader
from convcost.engine import Session
from convcost.engine.guard import Watch
from convcost.engine.kernels import steps
from convcost.engine.kernels.activation import erf

F = np.float32


def session_of(nodes: list[Any], shape: list[Any], stored: dict[str, Any], kind: int = TensorProto.FLOAT) -> Session:
    """A model from x to y."""
    y = helper.make_tensor_value_info("y", kind, None)
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [y],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    raw = onnx_reader.from_bytes(model.SerializeToString()).raw
    return Session(onnx_reader.resolve_model(raw, assume=False).graph, threads=1)


def test_erf_in_single_precision() -> None:
    x = np.concatenate([np.linspace(-7, 7, 40_001), [0.0, 1e-30, -1e-7, np.inf, -np.inf]]).astype(F)
    truth = np.array([math.erf(float(v)) for v in x])
    np.testing.assert_allclose(erf(x), truth, rtol=3e-7, atol=0)
    assert np.isnan(erf(np.array([np.nan], F)))[0]


HALF_ROOT = F(math.sqrt(0.5))
make = helper.make_node
FORMS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "gelu": (
        [
            make("Div", ["c", "root"], ["d"]),
            make("Erf", ["d"], ["e"]),
            make("Add", ["e", "one"], ["f"]),
            make("Mul", ["c", "f"], ["g"]),
            make("Mul", ["g", "half"], ["y"]),
        ],
        {"root": F(math.sqrt(2)), "one": F(1), "half": F(0.5)},
    ),
    "gelu halved first": (
        [
            make("Mul", ["c", "half"], ["h"]),
            make("Mul", ["c", "root"], ["d"]),
            make("Erf", ["d"], ["e"]),
            make("Add", ["one", "e"], ["f"]),
            make("Mul", ["h", "f"], ["y"]),
        ],
        {"root": HALF_ROOT, "one": F(1), "half": F(0.5)},
    ),
    "silu": ([make("Sigmoid", ["c"], ["s"]), make("Mul", ["s", "c"], ["y"])], {}),
    "hard swish in parts": ([make("HardSigmoid", ["c"], ["s"], alpha=0.25), make("Mul", ["c", "s"], ["y"])], {}),
    "not closed": (
        [make("Sigmoid", ["c"], ["s"]), make("Mul", ["c", "s"], ["m"]), make("Concat", ["m", "s"], ["y"], axis=1)],
        {},
    ),
    "names only": (
        [make("Identity", ["c"], ["i"]), make("Identity", ["i"], ["j"]), make("Add", ["j", "i"], ["y"])],
        {},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_regions_give_what_their_operators_give(form: str) -> None:
    nodes, constants = FORMS[form]
    rng = np.random.default_rng(1)
    stored = {**constants, "w": rng.standard_normal((6, 3, 3, 3)).astype(F)}
    session = session_of([make("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), *nodes], [1, 3, 9, 9], stored)
    feeds = {"x": rng.standard_normal((1, 3, 9, 9)).astype(F)}
    (found,) = session.run(None, feeds)
    (apart,) = session.watched(None, feeds, Watch(session.limits), fuse=False)
    (plain,) = session.plan.execute(session.inputs(feeds), [], Watch(session.limits))
    np.testing.assert_allclose(found, plain, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(apart, plain, rtol=1e-5, atol=1e-5)


def test_a_region_is_one_activation_of_the_convolution() -> None:
    nodes, constants = FORMS["gelu"]
    stored = {**constants, "w": np.ones((6, 3, 1, 1), F)}
    session = session_of([make("Conv", ["x", "w"], ["c"]), *nodes], [1, 3, 4, 4], stored)
    feeds = {"x": np.ones((1, 3, 4, 4), F)}
    (algorithm,) = [n.algorithm for n in session.profile(feeds, runs=1, fuse=True).nodes]
    assert algorithm.endswith(" + Div + Erf + Add + Mul + Mul")


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_quantised_convolutions_sum_exactly(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1 << 30)))
    group = data.draw(st.sampled_from([1, 2]))
    c, m, k = group * data.draw(st.integers(1, 5)), group * data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    x = rng.integers(0, 256, (1, c, 8, 7)).astype(np.uint8)
    w = rng.integers(-128, 128, (m, c // group, k, k)).astype(np.int8)
    zero = np.uint8(rng.integers(0, 256))
    node = make("ConvInteger", ["x", "w", "z"], ["y"], group=group, pads=[1, 1, 1, 1])
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, list(x.shape))],
        [helper.make_tensor_value_info("y", TensorProto.INT32, None)],
        [numpy_helper.from_array(w, "w"), numpy_helper.from_array(np.asarray(zero), "z")],
    )
    raw = onnx_reader.from_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    ).raw
    session = Session(onnx_reader.resolve_model(raw, assume=False).graph)
    for _ in range(2):
        (y,) = session.run(None, {"x": x})
        np.testing.assert_array_equal(y, direct(x.astype(np.int64) - int(zero), w.astype(np.int64), group))
    assert session.plan.steps[0].algorithm != "im2col"


def direct(x: Any, w: Any, group: int) -> Any:
    """A convolution with a border of one zero, by its definition."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    m, cg, kh, kw = w.shape
    out = np.zeros((1, m, padded.shape[2] - kh + 1, padded.shape[3] - kw + 1), x.dtype)
    for o in range(m):
        first = o // (m // group) * cg
        for i in range(kh):
            for j in range(kw):
                part = padded[0, first : first + cg, i : i + out.shape[2], j : j + out.shape[3]]
                out[0, o] += (part * w[o, :, i, j][:, None, None]).sum(axis=0)
    return out


def test_convolutions_with_computed_weights_choose_an_algorithm() -> None:
    rng = np.random.default_rng(2)
    w = rng.standard_normal((8, 4, 3, 3)).astype(F)
    nodes = [make("ReduceSum", ["x"], ["s"], keepdims=0), make("Mul", ["s", "w"], ["v"])]
    session = session_of([*nodes, make("Conv", ["x", "v"], ["y"], pads=[1, 1, 1, 1])], [1, 4, 80, 80], {"w": w})
    x = rng.standard_normal((1, 4, 80, 80)).astype(F)
    (y,) = session.run(None, {"x": x})
    truth = direct(x.astype(np.float64), x.sum(dtype=np.float64) * w, 1)
    np.testing.assert_allclose(y, truth, rtol=1e-3, atol=1e-3 * np.abs(truth).max())
    (conv,) = [s for s in session.plan.steps if s.node.op == "Conv"]
    assert conv.algorithm.startswith(("winograd", "im2col n"))


def sigmoid(v: Any) -> Any:
    return 1 / (1 + np.exp(-v))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("t", [5, 20])
def test_lstm_steps_are_the_definition(t: int, batch: int) -> None:
    rng = np.random.default_rng(3)
    i, n = 4, 6
    x, w, r = (rng.standard_normal(s) for s in ((t, batch, i), (4 * n, i), (4 * n, n)))
    wb, rb = rng.standard_normal((2, 4 * n))
    h, c = rng.standard_normal((2, batch, n))
    stacked = steps.lstm_weights(*(v.astype(F) for v in (w, r, wb, rb)))
    y = np.empty((t, batch, n), F)
    last, cell = steps.lstm(x.astype(F), stacked, h.astype(F), c.astype(F), y)
    for k in range(t):
        zi, zo, zf, zc = np.split(x[k] @ w.T + h @ r.T + wb + rb, 4, axis=1)
        c = sigmoid(zf) * c + sigmoid(zi) * np.tanh(zc)
        h = sigmoid(zo) * np.tanh(c)
        np.testing.assert_allclose(y[k], h, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last, h, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(cell, c, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("t", [5, 20])
def test_gru_steps_are_the_definition(t: int, before: Any, bias: Any) -> None:
    rng = np.random.default_rng(4)
    b, i, n = 2, 4, 6
    x, w, r = (rng.standard_normal(s) for s in ((t, b, i), (3 * n, i), (3 * n, n)))
    wb, rb = rng.standard_normal((2, 3 * n)) if bias else np.zeros((2, 3 * n))
    h = rng.standard_normal((b, n))
    given = (wb.astype(F), rb.astype(F)) if bias else (None, None)
    y = np.empty((t, b, n), F)
    last = steps.gru(x.astype(F), steps.gru_weights(w.astype(F), r.astype(F), *given), h.astype(F), y, before=before)
    for k in range(t):
        a, p = np.split(x[k] @ w.T + wb, 3, axis=1), np.split(h @ r.T + rb, 3, axis=1)
        z, reset = sigmoid(a[0] + p[0]), sigmoid(a[1] + p[1])
        inner = reset * p[2] if before else (reset * h) @ r[2 * n :].T + rb[2 * n :]
        h = (1 - z) * np.tanh(a[2] + inner) + z * h
        np.testing.assert_allclose(y[k], h, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(last, h, rtol=1e-4, atol=1e-5)
