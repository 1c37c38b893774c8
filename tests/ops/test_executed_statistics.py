"""Pooling, normalisation, softmax, reductions and transforms against definitions run on numbers that count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

DONE: Counter[str] = Counter()
KINDS = ("multiplications", "additions", "divisions", "comparisons", "special")


class Num:
    """A number that counts: every operation adds one to `DONE`. The value does not matter."""

    def __add__(self, _: Num) -> Num:
        return done("additions")

    def __sub__(self, _: Num) -> Num:
        return done("additions")

    def __mul__(self, _: Num) -> Num:
        return done("multiplications")

    def __truediv__(self, _: Num) -> Num:
        return done("divisions")

    def __gt__(self, _: Num) -> bool:
        DONE["comparisons"] += 1
        return False

    def __abs__(self) -> Num:
        return done("comparisons")


def done(what: str) -> Num:
    """Count one."""
    DONE[what] += 1
    return A


def special(_: Num) -> Num:
    """An exponential, a logarithm, a root or a power."""
    return done("special")


def total(xs: Sequence[Num]) -> Num:
    """The sum, beginning with the first element."""
    out = xs[0]
    for x in xs[1:]:
        out = out + x
    return out


def some(n: int) -> list[Num]:
    """N numbers."""
    return [A] * n


def mean(xs: Sequence[Num]) -> Num:
    return total(xs) / A


def standardized(xs: Sequence[Num]) -> list[Num]:
    """(x - mean) / √(E[x²] - E[x]² + ε)."""
    m = mean(xs)
    variance = mean([x * x for x in xs]) - m * m
    deviation = special(variance + A)
    return [(x - m) / deviation for x in xs]


def affine(xs: Sequence[Num]) -> list[Num]:
    return [x * A + A for x in xs]


def norm(xs: Sequence[Num], p: int) -> Num:
    """(Σ|x|^p)^(1/p), with x² as a product and roots only where p is not 1."""
    if p == 1:
        return total([abs(x) for x in xs])
    if p == 2:
        return special(total([x * x for x in xs]))
    return special(total([special(abs(x)) for x in xs]))


def softmax(xs: Sequence[Num]) -> list[Num]:
    largest = max(xs)
    powers = [special(x - largest) for x in xs]
    whole = total(powers)
    return [p / whole for p in powers]


def log_softmax(xs: Sequence[Num]) -> list[Num]:
    largest = max(xs)
    moved = [x - largest for x in xs]
    whole = special(total([special(m) for m in moved]))
    return [m - whole for m in moved]


def each(n: int, m: int, f: Callable[[list[Num]], Any]) -> Callable[[], None]:
    """`f` of N sets of m numbers."""

    def run() -> None:
        for _ in range(n):
            f(some(m))

    return run


def running(xs: list[Num]) -> None:
    held = xs[0]
    for x in xs[1:]:
        held = held + x


def multiplied(xs: list[Num]) -> None:
    held = xs[0]
    for x in xs[1:]:
        held = held * x


def transforms(n: int, length: int, bins: int, *, parts: int, window: int = 0, divided: int = 0) -> Callable[[], None]:
    """N times: bins of Σ x[n]·w[n] with complex w, real and imaginary part of real or complex x."""

    def run() -> None:
        for _ in range(n):
            for _ in range(bins):
                re = [A * A if parts == 1 else A * A - A * A for _ in range(length)]
                im = [A * A if parts == 1 else A * A + A * A for _ in range(length)]
                total(re)
                total(im)
            _ = [A * A for _ in range(window)], [A / A for _ in range(divided)]

    return run


def determinants(batch: int, n: int) -> Callable[[], None]:
    """Determinants by elimination without pivots."""

    def run() -> None:
        for _ in range(batch):
            for k in [column for row in range(n) for column in range(row)]:
                f = A / A
                for _ in range(k + 1, n):
                    _ = A - f * A
            for _ in range(n - 1):
                _ = A * A

    return run


def batch_statistics(channels: int, m: int) -> None:
    for _ in range(channels):
        affine(standardized(some(m)))
        for _ in range(2):  # a running statistic: old · momentum + new · (1 - momentum)
            _ = A * A + A * A


A = Num()
X = (2, 6, 4, 5)
WINDOW = {"kernel_shape": (3, 2)}
C6 = ((6,), (6,), (6,), (6,))
AXIS = np.array(1)

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], Callable[[], Any]]] = [
    ("MaxPool", (X,), WINDOW, each(2 * 6 * 2 * 4, 6, max)),
    ("MaxPool", (X,), {**WINDOW, "pads": (1, 0, 1, 0), "strides": (2, 2)}, each(2 * 6 * 2 * 2, 6, max)),
    ("AveragePool", (X,), WINDOW, each(2 * 6 * 2 * 4, 6, mean)),
    ("LpPool", (X,), {**WINDOW, "p": 1}, each(2 * 6 * 2 * 4, 6, lambda xs: norm(xs, 1))),
    ("LpPool", (X,), WINDOW, each(2 * 6 * 2 * 4, 6, lambda xs: norm(xs, 2))),
    ("LpPool", (X,), {**WINDOW, "p": 3}, each(2 * 6 * 2 * 4, 6, lambda xs: norm(xs, 3))),
    ("GlobalMaxPool", (X,), {}, each(12, 20, max)),
    ("GlobalAveragePool", (X,), {}, each(12, 20, mean)),
    ("GlobalLpPool", (X,), {"p": 2}, each(12, 20, lambda xs: norm(xs, 2))),
    ("BatchNormalization", (X, *C6), {}, lambda: affine(some(240))),
    ("BatchNormalization", (X, *C6), {"training_mode": 1}, lambda: batch_statistics(6, 40)),
    ("InstanceNormalization", (X, (6,), (6,)), {}, each(12, 20, lambda xs: affine(standardized(xs)))),
    ("GroupNormalization", (X, (6,), (6,)), {"num_groups": 2}, each(4, 60, lambda xs: affine(standardized(xs)))),
    ("LayerNormalization", (X, (5,), (5,)), {}, each(48, 5, lambda xs: affine(standardized(xs)))),
    (
        "LayerNormalization",
        (X, (5,)),
        {"n_outputs": 3},
        each(48, 5, lambda xs: ([x * A for x in standardized(xs)], A / A)),
    ),
    ("LayerNormalization", (X, (4, 5)), {"axis": 2}, each(12, 20, lambda xs: [x * A for x in standardized(xs)])),
    ("MeanVarianceNormalization", (X,), {}, each(6, 40, standardized)),
    ("LpNormalization", (X,), {"axis": 1}, each(40, 6, lambda xs: (norm(xs, 2), [x / A for x in xs]))),
    ("LpNormalization", (X,), {"axis": 1, "p": 1}, each(40, 6, lambda xs: (norm(xs, 1), [x / A for x in xs]))),
    ("Softmax", (X,), {"axis": 1}, each(40, 6, softmax)),
    ("Softmax", (X,), {"version": 11}, each(2, 120, softmax)),
    ("Softmax", (X,), {"version": 11, "axis": -1}, each(48, 5, softmax)),
    ("LogSoftmax", (X,), {}, each(48, 5, log_softmax)),
    ("Hardmax", (X,), {}, each(48, 5, max)),
    ("ReduceSum", (X, np.array([1, -1])), {}, each(8, 30, total)),
    ("ReduceMean", (X,), {"axes": (2, 3), "version": 13}, each(12, 20, mean)),
    ("ReduceMax", (X,), {}, each(1, 240, max)),
    ("ReduceMin", (X, np.array([0])), {"keepdims": 0}, each(120, 2, max)),
    ("ReduceL1", (X, np.array([1])), {}, each(40, 6, lambda xs: norm(xs, 1))),
    ("ReduceL2", (X, np.array([1])), {}, each(40, 6, lambda xs: norm(xs, 2))),
    ("ReduceSum", (X,), {"noop_with_empty_axes": 1}, lambda: None),
    ("ReduceMean", (X,), {"noop_with_empty_axes": 1}, lambda: None),
    ("ArgMax", (X,), {"axis": -1}, each(48, 5, max)),
    ("ArgMin", (X,), {}, each(120, 2, max)),
    ("CumSum", (X, AXIS), {}, each(40, 6, running)),
    ("CumProd", (X, AXIS), {}, each(40, 6, multiplied)),
    ("ReduceProd", (X, np.array([1])), {}, each(40, 6, multiplied)),
    ("ReduceLogSum", (X, np.array([1])), {}, each(40, 6, lambda xs: special(total(xs)))),
    ("ReduceLogSumExp", (X, np.array([1])), {}, each(40, 6, lambda xs: special(total([special(x) for x in xs])))),
    ("ReduceSumSquare", (X, np.array([1])), {}, each(40, 6, lambda xs: total([x * x for x in xs]))),
    ("NegativeLogLikelihoodLoss", ((3, 5), (3,)), {"reduction": "none"}, each(3, 1, lambda xs: xs[0] * A)),
    ("NegativeLogLikelihoodLoss", ((3, 5), (3,)), {}, lambda: mean([x * A for x in some(3)])),
    ("NegativeLogLikelihoodLoss", ((3, 5), (3,)), {"reduction": "sum"}, lambda: total([x * A for x in some(3)])),
    (
        "NegativeLogLikelihoodLoss",
        ((3, 5), (3,), (5,)),
        {},
        lambda: (mean([x * A * A for x in some(3)]), total(some(3))),
    ),
    (
        "NegativeLogLikelihoodLoss",
        ((3, 5, 2), (3, 2), (5,)),
        {"reduction": "sum"},
        lambda: total([x * A * A for x in some(6)]),
    ),
    (
        "SoftmaxCrossEntropyLoss",
        ((3, 5, 2, 4), (3, 2, 4)),
        {},
        lambda: (each(24, 5, log_softmax)(), mean([x * A for x in some(24)])),
    ),
    ("DFT", ((2, 8, 1),), {}, transforms(2, 8, 8, parts=1)),
    ("DFT", ((2, 8, 1),), {"onesided": 1}, transforms(2, 8, 5, parts=1)),
    ("DFT", ((2, 8, 2),), {}, transforms(2, 8, 8, parts=2)),
    ("DFT", ((2, 8, 2),), {"inverse": 1}, transforms(2, 8, 8, parts=2, divided=16)),
    ("STFT", ((2, 20, 1), np.array(4), (8,)), {}, transforms(8, 8, 5, parts=1, window=8)),
    ("Det", ((3, 4, 4),), {}, determinants(3, 4)),
    ("Det", ((1, 1),), {}, lambda: None),
    ("LRN", (X,), {"size": 5}, each(240, 5, lambda xs: (A * A, A / special(total(xs) * A + A)))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "inputs", "attributes", "run"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_the_rule_is_the_executed_count(
    name: str, inputs: tuple[Any, ...], attributes: dict[str, Any], run: Callable[[], Any], apply: Any
) -> None:
    DONE.clear()
    run()
    work = apply(name, *inputs, **attributes).cost()
    assert {k: getattr(work, k) for k in KINDS} == {k: DONE[k] for k in KINDS}
    assert work.macs == 0


EMPTY: list[tuple[str, tuple[tuple[int, ...], ...], dict[str, Any]]] = [
    ("ReduceSum", ((2, 0),), {}),
    ("ReduceMax", ((0, 3),), {}),
    ("Softmax", ((2, 0),), {}),
    ("LayerNormalization", ((0, 4), (4,)), {}),
    ("MatMul", ((2, 0), (0, 3)), {}),
    ("Conv", ((0, 3, 8, 8), (4, 3, 3, 3)), {}),
    ("GlobalAveragePool", ((2, 3, 0, 4),), {}),
]


@pytest.mark.parametrize(("name", "inputs", "attributes"), EMPTY, ids=lambda v: v if isinstance(v, str) else "")
def test_work_on_nothing_is_never_negative(name: str, inputs: Any, attributes: Any, apply: Any) -> None:
    work = apply(name, *inputs, **attributes).cost()
    assert work.macs == 0
    assert min(getattr(work, k) for k in KINDS) >= 0


def test_all_windows_are_counted_in_full(apply: Any) -> None:
    """Padding adds windows; those at the border cost as much as the others."""
    pool = apply("MaxPool", (1, 1, 4, 4), kernel_shape=(3, 3), pads=(1, 1, 1, 1))
    assert pool.y.shape == (1, 1, 4, 4)
    assert pool.cost().comparisons == sum(8 for _ in product(range(4), range(4)))
