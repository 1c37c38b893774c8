"""Operators that choose elements by their values."""

from __future__ import annotations

from fractions import Fraction
from math import trunc

from convcost.errors import Unknown
from convcost.ir import Dim, DType, Expr, Tensor, Value, known
from convcost.ops.base import Attrs, Call, NoAttrs, Work, axis_of, bounded, integers, require, typed
from convcost.ops.folding import numeric, positions
from convcost.ops.gather import reading


class OptionalAxisAttrs(Attrs, frozen=True):
    """`axis`; without one the input is flattened."""

    axis: int | None = None


class LastAxisAttrs(Attrs, frozen=True):
    """`axis`, the last by default."""

    axis: int = -1


class TopKAttrs(Attrs, frozen=True):
    """`k` as an attribute (below operator set 10); later it is an input."""

    axis: int = -1
    k: int | None = None


def compress_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, d, …), condition: (d) -> y: (…, number of true values, …)."""
    x, condition, axis = call.x(0), call.x(1), call.attrs.axis
    if axis is not None:
        axis = axis_of(axis, x.rank)
    if condition.value is None:
        n = condition.size if axis is None else x.dims[axis]
        most = (n,) if axis is None else x.dims
        return (bounded(most, "the number of elements that Compress keeps depends on data", x.dtype),)
    n = sum(v != 0 for v in condition.value)
    return (typed(x, (n,) if axis is None else (*x.dims[:axis], n, *x.dims[axis + 1 :])),)


def compare_each(call: Call) -> Work:
    """NonZero. x: any -> y: (r, number of elements that are not 0).

    Counted: |x| comparisons.
    Source: ONNX operator NonZero.
    """
    return Work(comparisons=call.x(0).size)


def non_zero_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (d0, …, dr) -> y: (r, number of elements that are not 0); a scalar counts as one dimension."""
    x = call.x(0)
    if x.value is None or any(isinstance(v, Expr) for v in x.value):
        most = (max(x.rank, 1), x.size)
        return (bounded(most, "the number of non-zero elements depends on data", DType.INT64),)
    return (typed(x, (x.rank, sum(v != 0 for v in x.value)), dtype=DType.INT64),)


def fold_non_zero(call: Call) -> tuple[Value | None, ...]:
    """The indices, axis by axis."""
    x = call.x(0)
    found = [at for at, v in zip(positions(numeric(x.dims)), x.content, strict=True) if v != 0]
    return (tuple(at[axis] for axis in range(x.rank) for at in found),)


def unique_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y, first indices, inverse indices, counts: their sizes depend on data, that of the inverse does not."""
    x, axis = call.x(0), call.attrs.axis
    if axis is not None:
        axis = axis_of(axis, x.rank)
    why = "the number of unique elements depends on data"
    inverse = (x.size,) if axis is None else (x.dims[axis],)
    return (
        bounded(inverse if axis is None else x.dims, why, x.dtype),
        bounded(inverse, why, DType.INT64),
        Tensor("", dtype=DType.INT64, shape=inverse),
        bounded(inverse, why, DType.INT64),
    )


def unique_cost(call: Call) -> Work:
    """Unique. x: n elements -> y: the different ones.

    Counted: n · ⌈log2 n⌉ comparisons, those of a sort that halves.
    Source: ONNX operator Unique.
    """
    n = known(call.x(0).size, "the number of elements to sort")
    return Work(comparisons=n * max(n - 1, 0).bit_length())


def one_hot_shape(call: Call) -> tuple[Tensor, ...]:
    """indices: (*J), depth: scalar, values: (2) -> y: J with `depth` inserted at `axis`."""
    at, values = call.x(0), call.x(2)
    given = call.x(1).value
    if given is None:
        raise Unknown("depth is computed from data and is not known before running")
    depth = tuple(trunc(v) if isinstance(v, Fraction) else v for v in given)
    require(len(depth) == 1, f"depth is not a scalar but has {len(depth)} values: wrong shape")
    require(not isinstance(depth[0], int) or depth[0] >= 0, f"depth {depth[0]} is negative")
    axis = axis_of(call.attrs.axis, at.rank + 1)
    return (typed(values, (*at.dims[:axis], depth[0], *at.dims[axis:])),)


def top_k_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, d, …), k -> values, indices: (…, k, …)."""
    x = call.x(0)
    axis, k = axis_of(call.attrs.axis, x.rank), top_k(call)
    d = x.dims[axis]
    require(not isinstance(k, int) or k >= 0, f"k {k} is negative")
    if isinstance(k, int) and isinstance(d, int):
        require(k <= d, f"k {k} is out of range for axis {axis} of size {d}")
    out = (*x.dims[:axis], k, *x.dims[axis + 1 :])
    return (typed(x, out), typed(x, out, dtype=DType.INT64))


def top_k(call: Call) -> Dim:
    """K, from the input or the attribute."""
    if call.has(1):
        k = integers(call.x(1), "k")
        require(len(k) == 1, f"k is not a scalar but has {len(k)} values: wrong shape")
        return k[0]
    require(call.attrs.k is not None, "k is missing: neither an input nor an attribute")
    return call.attrs.k  # type: ignore[no-any-return]


def top_k_cost(call: Call) -> Work:
    """TopK. x: (…, d, …), k -> values, indices: (…, k, …).

    Counted: |x| · ⌈log2(k + 1)⌉ comparisons, those of a heap of k elements that each element is held against.
    Source: ONNX operator TopK.
    """
    return Work(comparisons=call.x(0).size * known(top_k(call), "k").bit_length())


OPS = (
    reading("Compress", OptionalAxisAttrs, compress_shape, (2, 2)),
    reading("NonZero", NoAttrs, non_zero_shape, (1, 1), cost=compare_each, fold=fold_non_zero),
    reading("Unique", OptionalAxisAttrs, unique_shape, (1, 1), outputs=(1, 4), cost=unique_cost),
    reading("OneHot", LastAxisAttrs, one_hot_shape, (3, 3)),
    reading("TopK", TopKAttrs, top_k_shape, (1, 2), outputs=(2, 2), cost=top_k_cost),
)
