"""Operators that copy elements to other places: transposing, joining, cutting, padding. Nothing is counted."""

from __future__ import annotations

from typing import Any

from convcost.errors import ShapeError
from convcost.ir import Dim, Expr, Tensor, Value, ceildiv, product
from convcost.ops.base import (
    CARRY_ALL,
    CARRY_FIRST,
    MANY,
    Attrs,
    Call,
    Op,
    axis_of,
    free,
    integers,
    require,
    show,
    typed,
)
from convcost.ops.folding import numeric, positions, strides_of, taken
from convcost.ops.pointwise import same_types


class TransposeAttrs(Attrs, frozen=True):
    """Order of the axes; reversed where it is None."""

    perm: tuple[int, ...] | None = None


class ConcatAttrs(Attrs, frozen=True):
    """The axis along which the inputs are joined."""

    axis: int


class SplitAttrs(Attrs, frozen=True):
    """`split`: sizes as an attribute (below operator set 13). `num_outputs`: number of equal parts."""

    axis: int = 0
    split: tuple[int, ...] | None = None
    num_outputs: int | None = None


def transpose_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (d0, …, dr) -> y: x's dimensions in the order of `perm`."""
    x = call.x(0)
    return (typed(x, tuple(x.dims[p] for p in order(call))),)


def order(call: Call) -> tuple[int, ...]:
    """The permutation, checked."""
    rank, perm = call.x(0).rank, call.attrs.perm
    if perm is None:
        return tuple(range(rank - 1, -1, -1))
    require(
        sorted(p + rank if p < 0 else p for p in perm) == list(range(rank)),
        f"perm {perm[:16]} does not name each of the {rank} axes once",
    )
    return tuple(p % rank for p in perm)


def fold_transpose(call: Call) -> tuple[Value | None, ...]:
    """The elements in their new order."""
    x = call.x(0)
    steps = strides_of(numeric(x.dims))
    moved = [steps[p] for p in order(call)]
    walk = positions(numeric(call.y().dims))
    return (taken(x.content, (sum(i * s for i, s in zip(at, moved, strict=True)) for at in walk)),)


def concat_shape(call: Call) -> tuple[Tensor, ...]:
    """x1: (…, a, …), x2: (…, b, …), … -> y: (…, a + b + …, …), other dimensions equal."""
    given = [t for t in call.inputs if t is not None]
    require(bool(given), "no input is given")
    same_types(given)
    first = given[0].dims
    axis = axis_of(call.attrs.axis, len(first))
    out = list(first)
    for t in given[1:]:
        dims = t.dims
        if len(dims) != len(first):
            raise ShapeError(f"mismatch: {show(first)} and {show(dims)} differ in rank")
        for i, d in enumerate(dims):
            if i == axis:
                out[i] = out[i] + d
            elif isinstance(out[i], Expr):
                out[i] = d
            elif not (d == out[i] or isinstance(d, Expr)):
                raise ShapeError(f"mismatch on axis {i}: {show(first)} and {show(dims)}")
    return (typed(given[0], tuple(out)),)


def fold_concat(call: Call) -> tuple[Value | None, ...]:
    """The elements, joined."""
    given = [t for t in call.inputs if t is not None]
    axis = axis_of(call.attrs.axis, given[0].rank)
    outer = product(numeric(given[0].dims)[:axis])
    chunks = [product(numeric(t.dims)[axis:]) for t in given]
    contents = [t.content for t in given]
    assert isinstance(outer, int)
    out: list[Any] = []
    for o in range(outer):
        for value, n in zip(contents, chunks, strict=True):
            assert isinstance(n, int)
            out += value[o * n : (o + 1) * n]
    return (tuple(out),)


def concat_attrs(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Below operator set 4 the axis is 1 where it is not given."""
    if version < 4:
        raw.setdefault("axis", 1)
    return raw


def split_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, d, …), sizes: (k) -> y1: (…, s1, …), …, yk; without sizes, equal parts and a smaller last one."""
    x, a = call.x(0), call.attrs
    axis = axis_of(a.axis, x.rank)
    parts = split_sizes(call, x.dims[axis])
    return tuple(typed(x, (*x.dims[:axis], n, *x.dims[axis + 1 :])) for n in parts)


def split_sizes(call: Call, d: Dim) -> tuple[Dim, ...]:
    """The sizes of the parts of an axis of size d."""
    a = call.attrs
    sizes: tuple[Dim, ...] | None = integers(call.x(1), "split") if call.has(1) else a.split
    if not sizes:
        count = a.num_outputs or call.n_outputs
        require(count == call.n_outputs, f"num_outputs is {count}, but {call.n_outputs} outputs are given: mismatch")
        part = ceildiv(d, count)
        last = d - part * (count - 1)
        require(not isinstance(last, int) or last >= 0, f"axis of size {d} cannot be split into {count} parts")
        return (part,) * (count - 1) + (last,)
    require(len(sizes) == call.n_outputs, f"split has {len(sizes)} values for {call.n_outputs} outputs: mismatch")
    whole: Dim = 0
    for n in sizes:
        require(not isinstance(n, int) or n >= 0, f"split has the negative size {n}")
        whole = whole + n
    if isinstance(whole, int) and isinstance(d, int):
        require(whole == d, f"the sizes of split sum to {whole}, but the axis has size {d}")
    return sizes


def fold_split(call: Call) -> tuple[Value | None, ...]:
    """The elements of each part."""
    x = call.x(0)
    dims = numeric(x.dims)
    axis = axis_of(call.attrs.axis, len(dims))
    inner = strides_of(dims)[axis]
    row = dims[axis] * inner
    value, start = x.content, 0
    out: list[Value | None] = []
    for part in call.outputs:
        assert part is not None
        n = numeric(part.dims)[axis] * inner
        out.append(tuple(v for r in range(0, len(value), max(row, 1)) for v in value[r + start : r + start + n]))
        start += n
    return tuple(out)


def moving(name: str, attrs: type[Attrs], shape: Any, inputs: tuple[int, int], **more: Any) -> Op:
    """The record of an operator that only moves elements."""
    return Op(name=name, attrs=attrs, shape=shape, cost=free, kind="move", inputs=inputs, **more)


OPS = (
    moving("Transpose", TransposeAttrs, transpose_shape, (1, 1), carry=CARRY_FIRST, fold=fold_transpose),
    moving("Concat", ConcatAttrs, concat_shape, (1, MANY), carry=CARRY_ALL, fold=fold_concat, upgrade=concat_attrs),
    moving("Split", SplitAttrs, split_shape, (1, 2), outputs=(1, MANY), carry=CARRY_FIRST, fold=fold_split),
)
