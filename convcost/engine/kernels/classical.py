"""Operators of ai.onnx.ml: classifiers, which onnx's reference gets wrong or lacks, and what stands around them."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.kernels import Binder, Bound, Options, Simple
from convcost.engine.kernels.activation import sigmoid
from convcost.engine.values import Value
from convcost.ir import Node


def linear_classifier(node: Node, _: list[Value], __: Options) -> Bound | None:
    """Scores x W' + b of each class, and the label of the largest. Two classes from one score are left to onnx."""
    raw = dict(node.raw)
    labels = raw.get("classlabels_ints") or raw.get("classlabels_strings")
    intercepts = np.array(raw.get("intercepts", ()), np.float32)
    transform = raw.get("post_transform", "NONE")
    if not labels or len(intercepts) != len(labels) or transform not in ("NONE", "LOGISTIC", "SOFTMAX"):
        return None
    flat = np.array(raw["coefficients"], np.float32)
    names = np.array(labels, np.int64 if raw.get("classlabels_ints") else object)
    ready: dict[int, Any] = {}

    def run(_: Any, inputs: list[Value], __: int) -> list[Value]:
        x = np.atleast_2d(inputs[0]).astype(np.float32, copy=False)
        n = x.shape[1]
        weights = ready.get(n)
        if weights is None:
            weights = ready[n] = np.ascontiguousarray(flat[: len(names) * n].reshape(len(names), n).T)
        scores = np.matmul(x, weights)
        scores += intercepts
        best = names[scores.argmax(axis=1)]
        if transform == "LOGISTIC":
            scores = sigmoid(scores)
        elif transform == "SOFTMAX":
            powers = np.exp(scores - scores.max(axis=1, keepdims=True))
            scores = powers / powers.sum(axis=1, keepdims=True)
        return [best, scores]

    return Simple("gemm", run, node.attrs, 2)


def zip_map(node: Node, _: list[Value], __: Options) -> Bound:
    """Rows of scores as dictionaries from label to score."""
    raw = dict(node.raw)
    labels = raw.get("classlabels_int64s") or raw.get("classlabels_strings") or ()

    def run(_: Any, inputs: list[Value], __: int) -> list[Value]:
        return [[dict(zip(labels, row, strict=True)) for row in np.atleast_2d(inputs[0]).tolist()]]

    return Simple("copy", run, node.attrs, 1)


def normalizer(node: Node, _: list[Value], __: Options) -> Bound | None:
    """Rows divided by the sum of their absolute values or by their Euclidean norm; rows of zeros stay."""
    norm = str(dict(node.raw).get("norm", "MAX"))
    if norm not in ("L1", "L2"):
        return None

    def run(_: Any, inputs: list[Value], __: int) -> list[Value]:
        x = inputs[0].astype(np.float32, copy=False)
        rows = np.atleast_2d(x)
        length = np.abs(rows).sum(1, keepdims=True) if norm == "L1" else np.sqrt((rows * rows).sum(1, keepdims=True))
        length[length == 0] = 1
        return [(rows / length).reshape(x.shape)]

    return Simple("ufunc", run, node.attrs, 1)


BINDERS: dict[tuple[str, str], Binder] = {
    ("ai.onnx.ml", "LinearClassifier"): linear_classifier,
    ("ai.onnx.ml", "ZipMap"): zip_map,
    ("ai.onnx.ml", "Normalizer"): normalizer,
}
KERNELS: dict[tuple[str, str, str], Any] = {}
