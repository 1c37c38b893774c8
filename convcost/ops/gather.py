"""Operators that read or write elements by index or by condition."""

from __future__ import annotations

from typing import Any

from convcost.ir import Dim, Expr, Shape, Tensor, Value, known
from convcost.ops.base import (
    CARRY_FIRST,
    Attrs,
    Call,
    Op,
    Work,
    alike,
    axis_of,
    free,
    numbers,
    require,
    show,
    typed,
)
from convcost.ops.folding import numeric, strides_of, taken
from convcost.ops.pointwise import same_types


class AxisAttrs(Attrs, frozen=True):
    """`axis`, 0 by default."""

    axis: int = 0


class GatherNDAttrs(Attrs, frozen=True):
    """Number of leading dimensions that data and indices share."""

    batch_dims: int = 0


class ScatterAttrs(Attrs, frozen=True):
    """`axis`, and how an update joins what is there: none, add, mul, max, min."""

    axis: int = 0
    reduction: str = "none"


class TensorScatterAttrs(Attrs, frozen=True):
    """Axis of the sequence, and whether it is written in a circle."""

    axis: int = -2
    mode: str = "linear"


REDUCTIONS = {
    "none": Work(),
    "add": Work(additions=1),
    "mul": Work(multiplications=1),
    "max": Work(comparisons=1),
    "min": Work(comparisons=1),
}


def check_indices(t: Tensor, size: Dim, axis: int) -> None:
    """Indices whose content is known lie on an axis of this size."""
    if t.value is None or not isinstance(size, int):
        return
    for i in t.value:
        inside = not isinstance(i, int) or -size <= i < size
        require(inside, f"index {i} is out of range for axis {axis} of size {size}")


def gather_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, d, …), indices: (*J) -> y: (…, *J, …)."""
    x, at = call.x(0), call.x(1)
    axis = axis_of(call.attrs.axis, x.rank)
    check_indices(at, x.dims[axis], axis)
    return (typed(x, (*x.dims[:axis], *at.dims, *x.dims[axis + 1 :])),)


def fold_gather(call: Call) -> tuple[Value | None, ...]:
    """The elements at the indices."""
    x, at = call.x(0), call.x(1)
    dims = numeric(x.dims)
    axis = axis_of(call.attrs.axis, len(dims))
    size, inner = dims[axis], strides_of(dims)[axis]
    picks = [i % size for i in numbers(at, "indices")]
    outer = len(x.content) // max(size * inner, 1)
    rows = [(o * size + i) * inner for o in range(outer) for i in picks]
    return (taken(x.content, (r + j for r in rows for j in range(inner))),)


def gather_elements_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, indices: of the same rank -> y: the shape of the indices."""
    x, at = call.x(0), call.x(1)
    axis = axis_of(call.attrs.axis, x.rank)
    require(x.rank == at.rank, f"mismatch: {show(x.dims)} and the indices {show(at.dims)} differ in rank")
    check_indices(at, x.dims[axis], axis)
    return (typed(x, at.dims),)


def tuples(call: Call, batch: int) -> tuple[Shape, Shape, int]:
    """(shape of x, shape of the indices, length of an index tuple) of GatherND and ScatterND, checked."""
    x, at = call.x(0).dims, call.x(1).dims
    require(len(x) >= 1 and len(at) >= 1, "data or indices have rank 0")
    require(0 <= batch < min(len(x), len(at)), f"batch_dims {batch} is out of range for the shapes")
    length = known(at[-1], "the length of an index")
    require(1 <= length <= len(x) - batch, f"indices of length {length} are out of range for the shape {show(x)}")
    return x, at, length


def gather_nd_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (*B, *D), indices: (*B, *J, k) -> y: (*B, *J, *D[k:])."""
    b = call.attrs.batch_dims
    x, at, length = tuples(call, b)
    for p, q in zip(x[:b], at[:b], strict=True):
        require(
            p == q or isinstance(p, Expr) or isinstance(q, Expr), f"mismatch of the batch: {show(x)} and {show(at)}"
        )
    return (typed(call.x(0), (*at[:-1], *x[b + length :])),)


def scatter_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, indices, updates: one shape of x's rank -> y: like x."""
    x, at, new = call.x(0), call.x(1), call.x(2)
    axis = axis_of(call.attrs.axis, x.rank)
    same_types([x, new])
    check_reduction(call)
    require(x.rank == at.rank, f"mismatch: {show(x.dims)} and the indices {show(at.dims)} differ in rank")
    require(at.rank == new.rank, f"mismatch: indices {show(at.dims)} and updates {show(new.dims)}")
    check_indices(at, x.dims[axis], axis)
    return (typed(x, x.dims),)


def scatter_nd_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (*D), indices: (*J, k), updates: (*J, *D[k:]) -> y: like x."""
    x, at, length = tuples(call, 0)
    check_reduction(call)
    same_types([call.x(0), call.x(2)])
    new = call.x(2).shape
    want = (*at[:-1], *x[length:])
    if new is not None:
        require(alike(new, want), f"mismatch: the updates have the shape {show(new)}, not {show(want)}")
    return (typed(call.x(0), x),)


def check_reduction(call: Call) -> None:
    """The reduction is one of the five."""
    how = call.attrs.reduction
    require(how in REDUCTIONS, f"reduction '{how[:40]}' is a value other than {', '.join(REDUCTIONS)}")


def scatter_cost(call: Call) -> Work:
    """ScatterElements, ScatterND, Scatter. x: any, indices, updates: (*U) -> y: like x.

    Counted: with a reduction |U| additions, multiplications or comparisons; without one nothing.
    Source: ONNX operators ScatterElements and ScatterND.
    """
    return REDUCTIONS[call.attrs.reduction].times(call.x(2).size)


def tensor_scatter_shape(call: Call) -> tuple[Tensor, ...]:
    """cache: (N, …, T, …), update: (N, …, t, …) -> y: like the cache."""
    cache, new = call.x(0), call.x(1)
    same_types([cache, new])
    require(cache.rank == new.rank, f"mismatch: {show(cache.dims)} and {show(new.dims)} differ in rank")
    axis = axis_of(call.attrs.axis, cache.rank)
    require(axis != 0, "axis 0 is the batch, not the sequence")
    return (typed(cache, cache.dims),)


def reading(name: str, attrs: type[Attrs], shape: Any, inputs: tuple[int, int], **more: Any) -> Op:
    """The record of an operator that moves elements by index."""
    cost = more.pop("cost", free)
    return Op(name=name, attrs=attrs, shape=shape, cost=cost, kind="move", inputs=inputs, **more)


OPS = (
    reading("Gather", AxisAttrs, gather_shape, (2, 2), weights=(0,), carry=CARRY_FIRST, fold=fold_gather),
    reading("GatherElements", AxisAttrs, gather_elements_shape, (2, 2)),
    reading("GatherND", GatherNDAttrs, gather_nd_shape, (2, 2)),
    reading("Scatter", ScatterAttrs, scatter_shape, (3, 3), cost=scatter_cost),
    reading("ScatterElements", ScatterAttrs, scatter_shape, (3, 3), cost=scatter_cost),
    reading("ScatterND", ScatterAttrs, scatter_nd_shape, (3, 3), cost=scatter_cost),
    reading("TensorScatter", TensorScatterAttrs, tensor_scatter_shape, (2, 3)),
)
