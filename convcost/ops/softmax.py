"""Softmax, its kin, and the losses built on it."""

from __future__ import annotations

from typing import Any

from convcost.ir import Dim, Shape, Tensor, product
from convcost.ops.base import Attrs, Call, Op, Work, alike, axis_of, joins, require, show, typed


class SoftmaxAttrs(Attrs, frozen=True):
    """Attributes of Softmax, LogSoftmax and Hardmax.

    `flatten`: all dimensions from `axis` on are one group (before opset 13), else only the dimension `axis`.
    """

    axis: int = -1
    flatten: bool = False


class LossAttrs(Attrs, frozen=True):
    """Attributes of the losses."""

    reduction: str = "mean"
    ignore_index: int | None = None


def softmax_upgrade(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Before opset 13 the default axis is 1, and the input is made a matrix there."""
    return {"axis": 1} | raw | {"flatten": True} if version < 13 else raw


def softmax_shape(call: Call) -> tuple[Tensor, ...]:
    """X -> y of the same shape."""
    x = call.x(0)
    groups_of(call.attrs, x.dims)
    return (typed(x, x.dims),)


def groups_of(a: SoftmaxAttrs, x: Shape) -> tuple[Dim, Dim]:
    """(G, m) of a softmax over x: groups and elements in each."""
    if a.flatten:
        require(-len(x) <= a.axis <= len(x), f"axis {a.axis} is out of range for a tensor of {len(x)} dimensions")
        axis = a.axis + len(x) if a.axis < 0 else a.axis
        return product(x[:axis]), product(x[axis:])
    axis = axis_of(a.axis, len(x))
    return product(x[:axis] + x[axis + 1 :]), x[axis]


def softmax_work(groups: Dim, m: Dim) -> Work:
    """exp(x - max) / Σ of `groups` sets of m elements."""
    n, joined = groups * m, groups * joins(m)
    return Work(comparisons=joined, additions=n + joined, special=n, divisions=n)


def log_softmax_work(groups: Dim, m: Dim) -> Work:
    """(x - max) - log Σ exp(x - max) of `groups` sets of m elements."""
    n, joined = groups * m, groups * joins(m)
    return Work(comparisons=joined, additions=n * 2 + joined, special=n + groups)


def softmax_cost(call: Call) -> Work:
    """Softmax. x, G groups of m elements -> y: exp(x - max) / Σ exp(x - max).

    Counted: for each group m - 1 comparisons and m - 1 additions; for each element one subtraction, one exponential
    and one division.
    Source: ONNX operator Softmax and its function body.
    """
    return softmax_work(*groups_of(call.attrs, call.x(0).dims))


def log_softmax_cost(call: Call) -> Work:
    """LogSoftmax. x, G groups of m elements -> y: (x - max) - log Σ exp(x - max).

    Counted: for each group m - 1 comparisons, m - 1 additions and one logarithm; for each element two subtractions and
    one exponential.
    Source: ONNX operator LogSoftmax and its function body.
    """
    return log_softmax_work(*groups_of(call.attrs, call.x(0).dims))


def hardmax_cost(call: Call) -> Work:
    """Hardmax. x, G groups of m elements -> y: 1 at the first maximum, else 0.

    Counted: m - 1 comparisons for each group.
    Source: ONNX operator Hardmax.
    """
    groups, m = groups_of(call.attrs, call.x(0).dims)
    return Work(comparisons=groups * joins(m))


def loss_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), target: (N, *I), weight: (C) -> loss: (N, *I) or a scalar; logarithms: (N, C, *I)."""
    x, target = call.x(0), call.x(1)
    require(x.rank >= 2, f"a loss needs an input of at least 2 dimensions (N, C, …), not {show(x.dims)}")
    require(call.attrs.reduction in ("none", "mean", "sum"), f"reduction '{call.attrs.reduction[:40]}' is not known")
    each = (x.dims[0], *x.dims[2:])
    if target.shape is not None:
        require(alike(target.shape, each), f"the target has the shape {show(target.shape)}, not {show(each)}")
    return typed(x, each if call.attrs.reduction == "none" else ()), typed(x, x.dims)


def loss_work(call: Call) -> Work:
    """Negation and weight of the picked elements, and their mean or sum."""
    x = call.x(0).dims
    n = x[0] * product(x[2:])
    weighted = call.has(2)
    work = Work(multiplications=n * 2 if weighted else n)
    if call.attrs.reduction == "none":
        return work
    work += Work(additions=joins(n))
    if call.attrs.reduction == "mean":
        work += Work(divisions=1, additions=joins(n) if weighted else 0)
    return work


def nll_cost(call: Call) -> Work:
    """NegativeLogLikelihoodLoss. x: (N, C, *I), target: (N, *I), weight: (C) -> loss: (N, *I) or a scalar.

    Counted: for each of the n = N·ΠI targets one multiplication (the sign) and one for a weight; sum: n - 1 additions;
    mean: also one division, and n - 1 additions for the sum of the weights.
    Not counted: picking the elements; targets with the ignored index count as the others.
    Source: ONNX operator NegativeLogLikelihoodLoss.
    """
    return loss_work(call)


def cross_entropy_cost(call: Call) -> Work:
    """SoftmaxCrossEntropyLoss. x: (N, C, *I), target: (N, *I), weight: (C) -> loss: (N, *I) or a scalar.

    Counted: LogSoftmax over C, then NegativeLogLikelihoodLoss.
    Source: ONNX operator SoftmaxCrossEntropyLoss and its function body.
    """
    x = call.x(0).dims
    return log_softmax_work(x[0] * product(x[2:]), x[1]) + loss_work(call)


OPS = (
    Op("Softmax", SoftmaxAttrs, softmax_shape, softmax_cost, "norm", (1, 1), upgrade=softmax_upgrade),
    Op("LogSoftmax", SoftmaxAttrs, softmax_shape, log_softmax_cost, "norm", (1, 1), upgrade=softmax_upgrade),
    Op("Hardmax", SoftmaxAttrs, softmax_shape, hardmax_cost, "norm", (1, 1), upgrade=softmax_upgrade),
    Op("NegativeLogLikelihoodLoss", LossAttrs, loss_shape, nll_cost, "norm", (2, 3)),
    Op("SoftmaxCrossEntropyLoss", LossAttrs, loss_shape, cross_entropy_cost, "norm", (2, 3), (1, 2)),
)
