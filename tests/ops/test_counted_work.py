"""Costs against definitions that are executed on numbers which count what is done with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from convcost.errors import Unknown

DONE: Counter[str] = Counter()


class Num:
    """A number that counts: every operator adds one to `DONE`. The value does not matter."""

    def __add__(self, _: Num) -> Num:
        return done("additions")

    def __sub__(self, _: Num) -> Num:
        return done("additions")

    def __mul__(self, _: Num) -> Num:
        return done("multiplications")

    def __truediv__(self, _: Num) -> Num:
        return done("divisions")

    def __lt__(self, _: Num) -> bool:
        DONE["comparisons"] += 1
        return False

    def __neg__(self) -> Num:
        return self


def done(what: str) -> Num:
    """The result of one operation of this kind."""
    DONE[what] += 1
    return Num()


def number(_: object) -> Num:
    """A truth value as a number."""
    return Num()


def special(_: Num) -> Num:
    """exp, tanh, a root, a rounding …"""
    return done("special")


A = Num()
"""A factor, slope, scale, bound …"""


def total(xs: Sequence[Num]) -> Num:
    out = xs[0]
    for x in xs[1:]:
        out = out + x
    return out


def clip(x: Num) -> Num:
    return max(x, A, A)


def dot(xs: Sequence[Num]) -> Num:
    """Σ x · a, as multiply-accumulates that start from zero."""
    out = Num()
    for x in xs:
        out = out + x * A
    return out


def square(x: Num) -> Num:
    return x * x


def adagrad(x: Num, dx: Num, h: Num) -> None:
    g = A * x + dx
    h = h + square(g)
    x - A * g / (special(h) + A)


def adam(x: Num, dx: Num, v: Num, h: Num) -> None:
    g = A * x + dx
    v = A * v + A * g
    h = A * h + A * square(g)
    A * (x - A * v / (special(h) + A))


def momentum(x: Num, dx: Num, v: Num) -> None:
    v = A * v + A * (A * x + dx)
    x - A * v


def nesterov(x: Num, dx: Num, v: Num) -> None:
    g = A * x + dx
    v = A * v + A * g
    x - A * (g + A * v)


def quantize(x: Num) -> Num:
    return clip(special(x / A) + A)


def thresholds(x: Num, t: int) -> Num:
    return total([number(x < A) for _ in range(t)]) * A + A


def rbf(x: Sequence[Num]) -> Num:
    """exp(-γ Σ (x - s)²)."""
    out = Num()
    for f in x:
        d = f - A
        out = out + d * d
    return special(A * -out)


def svm(x: Sequence[Num], supports: int) -> Num:
    return dot([rbf(x) for _ in range(supports)]) + A


def sigmoid(x: Num) -> Num:
    return A / (A + special(-x))


def row(c: int) -> list[Num]:
    return [Num() for _ in range(c)]


X = (2, 6)
E = 12
"""Elements of X."""
S = (np.float32(1), np.uint8(0))
ML = {"domain": "ai.onnx.ml"}
TRAIN = {"domain": "ai.onnx.preview.training"}
QONNX = {"domain": "qonnx.custom_op.general"}
RATE = ((), np.array(1, dtype=np.int64))


def each(f: Callable[[Num], Any]) -> Callable[[], None]:
    """`f` for every element of X."""

    def run() -> None:
        for _ in range(E):
            f(Num())

    return run


def rows(f: Callable[[list[Num]], Any]) -> Callable[[], None]:
    """`f` for both rows of X."""

    def run() -> None:
        for _ in range(X[0]):
            f(row(X[1]))

    return run


CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], Callable[[], Any]]] = [
    ("Sub", (X, (6,)), {}, each(lambda x: x - A)),
    ("Less", (X, (6,)), {}, each(lambda x: x < A)),
    ("Sigmoid", (X,), {}, each(sigmoid)),
    ("Reciprocal", (X,), {}, each(lambda x: A / x)),
    ("Floor", (X,), {}, each(special)),
    ("Sum", (X, X, X), {}, each(lambda _: total(row(3)))),
    ("Mean", (X, X, X), {}, each(lambda _: total(row(3)) / A)),
    ("Max", (X, X, X, (1,)), {}, each(lambda _: max(row(4)))),
    ("Clip", (X, np.float32(0), np.float32(6)), {}, each(clip)),
    ("Clip", (X, None, np.float32(6)), {}, each(lambda x: max(x, A))),
    ("Clip", (X,), {"version": 6, "min": 0.0}, each(lambda x: max(x, A))),
    ("IsInf", (X,), {"detect_negative": 0}, each(lambda x: x < A)),
    ("Dropout", (X, np.float32(0.5), np.array([1], dtype=bool)), {}, each(lambda x: (x < A, x * A))),
    ("Dropout", (X, np.float32(0.5), np.array([0], dtype=bool)), {}, lambda: None),
    ("QuantizeLinear", (X, *S), {}, each(quantize)),
    ("QuantizeLinear", (X, S[0]), {}, each(lambda x: clip(special(x / A)))),
    ("DequantizeLinear", (X, *S), {}, each(lambda x: (x - A) * A)),
    ("DequantizeLinear", (X, S[0]), {}, each(lambda x: x * A)),
    ("Quant", (X, (), (), ()), QONNX, each(lambda x: (quantize(x) - A) * A)),
    ("BipolarQuant", (X, ()), QONNX, each(lambda x: (x < A, A * A))),
    ("MultiThreshold", (X, (6, 15)), {**QONNX, "out_scale": 2.0, "out_bias": -1.0}, each(lambda x: thresholds(x, 15))),
    ("ScatterElements", (X, X, (1, 4)), {"reduction": "add"}, lambda: [A + A for _ in range(4)]),
    ("Scaler", (X,), ML, each(lambda x: (x - A) * A)),
    ("Normalizer", (X,), {**ML, "norm": "MAX"}, rows(lambda r: (max(r), [x / A for x in r]))),
    (
        "Normalizer",
        (X,),
        {**ML, "norm": "L2"},
        rows(lambda r: (special(total([x * x for x in r])), [x / A for x in r])),
    ),
    (
        "LinearRegressor",
        (X,),
        {**ML, "coefficients": (1.0,) * 18, "intercepts": (0.0,) * 3, "targets": 3},
        rows(lambda r: [dot(r) + A for _ in range(3)]),
    ),
    (
        "LinearClassifier",
        (X,),
        {**ML, "coefficients": (1.0,) * 18, "classlabels_ints": (0, 1, 2), "post_transform": "LOGISTIC"},
        rows(lambda r: [sigmoid(dot(r)) for _ in range(3)]),
    ),
    (
        "SVMRegressor",
        (X,),
        {
            **ML,
            "coefficients": (1.0,) * 5,
            "support_vectors": (1.0,) * 30,
            "n_supports": 5,
            "rho": (0.0,),
            "kernel_type": "RBF",
        },
        rows(lambda r: svm(r, 5)),
    ),
    ("Adagrad", (*RATE, X, X, X), TRAIN, each(lambda x: adagrad(x, A, A))),
    ("Adam", (*RATE, X, X, X, X), TRAIN, each(lambda x: adam(x, A, A, A))),
    ("Momentum", (*RATE, X, X, X), TRAIN, each(lambda x: momentum(x, A, A))),
    ("Momentum", (*RATE, X, X, X), {**TRAIN, "mode": "nesterov"}, each(lambda x: nesterov(x, A, A))),
]


@pytest.mark.parametrize(("name", "inputs", "attributes", "run"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_the_rule_is_the_executed_count(
    name: str, inputs: tuple[Any, ...], attributes: dict[str, Any], run: Callable[[], Any], apply: Any
) -> None:
    DONE.clear()
    run()
    work = apply(name, *inputs, **attributes).cost()
    kinds = ("multiplications", "additions", "divisions", "comparisons", "special")
    assert {k: getattr(work, k) for k in kinds} == {k: DONE[k] for k in kinds}


def test_multiply_accumulates_of_a_linear_model(apply: Any) -> None:
    work = apply("LinearRegressor", X, domain="ai.onnx.ml", coefficients=(1.0,) * 18, targets=3).cost()
    assert work.macs == len([None for _ in range(2) for _ in range(3) for _ in range(6)])


@pytest.mark.parametrize("name", ["TreeEnsembleRegressor", "TreeEnsemble"])
def test_trees_are_not_counted(name: str, apply: Any) -> None:
    tree = apply(name, X, domain="ai.onnx.ml", n_targets=4)
    assert tree.y.shape == (2, 4)
    with pytest.raises(Unknown, match="path of each sample"):
        tree.cost()


@pytest.mark.parametrize(
    ("name", "inputs", "attributes"),
    [
        ("Transpose", (X,), {}),
        ("Concat", (X, X), {"axis": 0}),
        ("Gather", (X, np.array([0])), {}),
        ("Cast", (X,), {"to": 10}),
        ("Where", (np.array([True]), X, X), {}),
        ("Neg", (X,), {}),
    ],
)
def test_moves_cost_nothing(name: str, inputs: tuple[Any, ...], attributes: dict[str, Any], apply: Any) -> None:
    applied = apply(name, *inputs, **attributes)
    assert applied.y.shape is not None
    assert applied.cost().flops == 0
