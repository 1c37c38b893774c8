"""Reductions along axes, positions of extremes, running sums and products."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from convcost.errors import Unknown
from convcost.ir import Dim, DType, Expr, Scalar, Shape, Tensor, Value, maximum, product
from convcost.ops.base import Attrs, Call, CostRule, FoldRule, Op, Work, axis_of, joins, numbers, typed
from convcost.ops.folding import fitted, numeric, positions


class ReduceAttrs(Attrs, frozen=True):
    """Attributes of the reductions; newer versions take the axes as an input."""

    axes: tuple[int, ...] = ()
    keepdims: int = 1
    noop_with_empty_axes: int = 0


class ArgAttrs(Attrs, frozen=True):
    """Attributes of ArgMax and ArgMin."""

    axis: int = 0
    keepdims: int = 1
    select_last_index: int = 0


class RunningAttrs(Attrs, frozen=True):
    """Attributes of CumSum and CumProd."""

    exclusive: int = 0
    reverse: int = 0


def reduced_axes(call: Call) -> frozenset[int]:
    """The axes that are reduced, from the front: all where none are named, unless that means nothing to do."""
    rank = call.x(0).rank
    axes = call.attrs.axes or (numbers(call.x(1), "the list of axes") if call.has(1) else ())
    if not axes:
        return frozenset() if call.attrs.noop_with_empty_axes else frozenset(range(rank))
    return frozenset(axis_of(axis, rank) for axis in axes)


def without(x: Shape, axes: frozenset[int], *, keep: bool) -> Shape:
    """The shape `x` without `axes`, or with ones in their place."""
    return tuple(1 if i in axes else d for i, d in enumerate(x) if keep or i not in axes)


def reduce_shape(call: Call) -> tuple[Tensor, ...]:
    """X -> y without the reduced axes, or with ones in their place."""
    x = call.x(0)
    return (typed(x, without(x.dims, reduced_axes(call), keep=call.attrs.keepdims != 0)),)


def sets_of(call: Call) -> tuple[Dim, Dim]:
    """(G, m): how many sets are reduced, and the elements of each."""
    x, axes = call.x(0).dims, reduced_axes(call)
    return product(d for i, d in enumerate(x) if i not in axes), product(d for i, d in enumerate(x) if i in axes)


def reduce_sum_cost(call: Call) -> Work:
    """ReduceSum. x, G sets of m elements -> y: Σ x.

    Counted: m - 1 additions for each set.
    Source: ONNX operator ReduceSum.
    """
    groups, m = sets_of(call)
    return Work(additions=groups * joins(m))


def reduce_prod_cost(call: Call) -> Work:
    """ReduceProd. x, G sets of m elements -> y: Π x.

    Counted: m - 1 multiplications for each set.
    Source: ONNX operator ReduceProd.
    """
    groups, m = sets_of(call)
    return Work(multiplications=groups * joins(m))


def reduce_max_cost(call: Call) -> Work:
    """ReduceMax, ReduceMin. x, G sets of m elements -> y: the largest or smallest.

    Counted: m - 1 comparisons for each set.
    Source: ONNX operators ReduceMax and ReduceMin.
    """
    groups, m = sets_of(call)
    return Work(comparisons=groups * joins(m))


def reduce_l1_cost(call: Call) -> Work:
    """ReduceL1. x, G sets of m elements -> y: Σ |x|.

    Counted: one comparison for each element (absolute value), m - 1 additions for each set.
    Source: ONNX operator ReduceL1 and its function body.
    """
    groups, m = sets_of(call)
    return Work(comparisons=groups * m, additions=groups * joins(m))


def reduce_l2_cost(call: Call) -> Work:
    """ReduceL2. x, G sets of m elements -> y: √Σ x².

    Counted: one multiplication for each element, m - 1 additions and one root for each set.
    Source: ONNX operator ReduceL2 and its function body.
    """
    groups, m = sets_of(call)
    return Work(multiplications=groups * m, additions=groups * joins(m), special=groups)


def reduce_sum_square_cost(call: Call) -> Work:
    """ReduceSumSquare. x, G sets of m elements -> y: Σ x².

    Counted: one multiplication for each element, m - 1 additions for each set.
    Source: ONNX operator ReduceSumSquare and its function body.
    """
    groups, m = sets_of(call)
    return Work(multiplications=groups * m, additions=groups * joins(m))


def reduce_log_sum_cost(call: Call) -> Work:
    """ReduceLogSum. x, G sets of m elements -> y: log Σ x.

    Counted: m - 1 additions and one logarithm for each set.
    Source: ONNX operator ReduceLogSum and its function body.
    """
    groups, m = sets_of(call)
    return Work(additions=groups * joins(m), special=groups)


def reduce_log_sum_exp_cost(call: Call) -> Work:
    """ReduceLogSumExp. x, G sets of m elements -> y: log Σ exp x.

    Counted: one exponential for each element, m - 1 additions and one logarithm for each set.
    Source: ONNX operator ReduceLogSumExp and its function body.
    """
    groups, m = sets_of(call)
    return Work(additions=groups * joins(m), special=groups * m + groups)


def reduce_mean_cost(call: Call) -> Work:
    """ReduceMean. x, G sets of m elements -> y: Σ x / m.

    Counted: m - 1 additions and one division for each set.
    Source: ONNX operator ReduceMean.
    """
    groups, m = sets_of(call)
    nothing = not reduced_axes(call) and call.x(0).rank > 0
    return Work(additions=groups * joins(m), divisions=0 if nothing else groups)


def arg_shape(call: Call) -> tuple[Tensor, ...]:
    """X -> positions along `axis`, of int64."""
    x = call.x(0)
    axis = frozenset((axis_of(call.attrs.axis, x.rank),))
    return (typed(x, without(x.dims, axis, keep=call.attrs.keepdims != 0), dtype=DType.INT64),)


def arg_cost(call: Call) -> Work:
    """ArgMax, ArgMin. x, G sets of m elements along `axis` -> y: position of the largest or smallest.

    Counted: m - 1 comparisons for each set.
    Source: ONNX operators ArgMax and ArgMin.
    """
    x = call.x(0).dims
    axis = axis_of(call.attrs.axis, len(x))
    return Work(comparisons=product(x[:axis] + x[axis + 1 :]) * joins(x[axis]))


def running_shape(call: Call) -> tuple[Tensor, ...]:
    """X -> y of the same shape."""
    x = call.x(0)
    if call.x(1).value is not None:
        axis_of(numbers(call.x(1), "the axis")[0], x.rank)
    return (typed(x, x.dims),)


def running(call: Call) -> Dim:
    """G·(m - 1) for G sets of m elements along the axis."""
    x = call.x(0).dims
    axis = axis_of(numbers(call.x(1), "the axis")[0], len(x))
    return product(x[:axis] + x[axis + 1 :]) * joins(x[axis])


def cum_sum_cost(call: Call) -> Work:
    """CumSum. x, G sets of m elements along the axis -> y: running sums.

    Counted: m - 1 additions for each set.
    Source: ONNX operator CumSum.
    """
    return Work(additions=running(call))


def cum_prod_cost(call: Call) -> Work:
    """CumProd. x, G sets of m elements along the axis -> y: running products.

    Counted: m - 1 multiplications for each set.
    Source: ONNX operator CumProd.
    """
    return Work(multiplications=running(call))


def largest(a: Scalar, b: Scalar) -> Scalar:
    """The larger of two contents."""
    if isinstance(a, int | Expr) and isinstance(b, int | Expr):
        return maximum(a, b)
    return max(a, b)


def smallest(a: Scalar, b: Scalar) -> Scalar:
    """The smaller of two contents."""
    return -largest(-a, -b)


def added(a: Scalar, b: Scalar) -> Scalar:
    """The sum of two contents."""
    return a + b  # type: ignore[operator]


def multiplied(a: Scalar, b: Scalar) -> Scalar:
    """The product of two contents."""
    return a * b  # type: ignore[operator]


def folded_with(f: Callable[[Scalar, Scalar], Scalar], empty: int | None) -> FoldRule:
    """The contents of a reduction by f; `empty` is the value of a set without elements."""

    def fold(call: Call) -> tuple[Value | None, ...]:
        x, axes = call.x(0), reduced_axes(call)
        content, shape = x.content, numeric(x.dims)
        sets: dict[tuple[int, ...], Scalar] = {}
        for at, v in zip(positions(shape), content, strict=True):
            key = tuple(p for i, p in enumerate(at) if i not in axes)
            sets[key] = f(sets[key], v) if key in sets else v
        places = list(positions(tuple(d for i, d in enumerate(shape) if i not in axes)))
        if not sets and places:
            if empty is None:
                raise Unknown("the extreme of no elements")
            return ((empty,) * len(places),)
        if any(isinstance(v, Fraction) and v.denominator != 1 for v in content):
            raise Unknown("sums of fractions depend on their order")
        return (fitted([sets[at] for at in places], x.dtype),)

    return fold


def _reduction(name: str, cost: CostRule, fold: FoldRule | None = None) -> Op:
    return Op(name, ReduceAttrs, reduce_shape, cost, "reduce", (1, 2), fold=fold)


OPS = (
    _reduction("ReduceSum", reduce_sum_cost, folded_with(added, 0)),
    _reduction("ReduceMean", reduce_mean_cost),
    _reduction("ReduceProd", reduce_prod_cost, folded_with(multiplied, 1)),
    _reduction("ReduceMax", reduce_max_cost, folded_with(largest, None)),
    _reduction("ReduceMin", reduce_max_cost, folded_with(smallest, None)),
    _reduction("ReduceL1", reduce_l1_cost),
    _reduction("ReduceL2", reduce_l2_cost),
    _reduction("ReduceSumSquare", reduce_sum_square_cost),
    _reduction("ReduceLogSum", reduce_log_sum_cost),
    _reduction("ReduceLogSumExp", reduce_log_sum_exp_cost),
    Op("ArgMax", ArgAttrs, arg_shape, arg_cost, "reduce", (1, 1)),
    Op("ArgMin", ArgAttrs, arg_shape, arg_cost, "reduce", (1, 1)),
    Op("CumSum", RunningAttrs, running_shape, cum_sum_cost, "reduce", (2, 2)),
    Op("CumProd", RunningAttrs, running_shape, cum_prod_cost, "reduce", (2, 2)),
)
