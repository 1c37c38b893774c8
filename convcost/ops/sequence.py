"""Lists of tensors and optional values. Nothing is counted: they only hold and hand on.

For a list, `shape` and `dtype` of its tensor describe the elements while they agree, and `length` is their number.
"""

from __future__ import annotations

from typing import Any

from convcost.errors import ShapeError, Unknown
from convcost.ir import Dim, DType, Shape, Tensor, Value, ceildiv, product
from convcost.ir.graph import OPTIONAL, SEQUENCE, TENSOR
from convcost.ops.base import MANY, Attrs, Call, NoAttrs, Op, axis_of, free, numbers, require
from convcost.ops.cast import element_type

DIFFER = "the elements of the list differ in shape"
EMPTY = "the list is empty: its elements have no shape"


class EmptyAttrs(Attrs, frozen=True):
    """Element type of the list, float32 by default."""

    dtype: int | None = None


class OptionalAttrs(Attrs, frozen=True):
    """`type`: what an empty optional would hold, as stored."""

    type: bytes | None = None


class SplitAttrs(Attrs, frozen=True):
    """Axis to split, and whether parts of size 1 keep it."""

    axis: int = 0
    keepdims: int = 1


class JoinAttrs(Attrs, frozen=True):
    """Axis to join along, and whether it is a new one."""

    axis: int
    new_axis: int = 0


def listed(dtype: DType | None, shape: Shape | None, length: Dim | None, reason: str = DIFFER) -> Tensor:
    """A list of tensors."""
    return Tensor(
        "", dtype=dtype, shape=shape, container=SEQUENCE, length=length, reason="" if shape is not None else reason
    )


def a_list(call: Call) -> Tensor:
    """Input 0, which must be a list where it is known."""
    t = call.x(0)
    require(t.container == SEQUENCE or t.shape is None, "the input is a tensor: its type is not a sequence")
    return t


def construct_shape(call: Call) -> tuple[Tensor, ...]:
    """x1, …, xn -> a list of n."""
    given = [t for t in call.inputs if t is not None]
    shapes = {t.shape for t in given}
    shape = shapes.pop() if len(shapes) == 1 else None
    return (listed(given[0].dtype if given else None, shape, len(given)),)


def empty_shape(call: Call) -> tuple[Tensor, ...]:
    """-> a list of none."""
    code = call.attrs.dtype
    return (listed(element_type(1 if code is None else code, "dtype"), None, 0, EMPTY),)


def insert_shape(call: Call) -> tuple[Tensor, ...]:
    """A list of n, x, position -> a list of n + 1."""
    items, x = a_list(call), call.x(1)
    position(call, 2, items.length, extra=1)
    shape = x.shape if items.length == 0 or items.shape == x.shape else None
    return (listed(items.dtype or x.dtype, shape, None if items.length is None else items.length + 1),)


def erase_shape(call: Call) -> tuple[Tensor, ...]:
    """A list of n, position -> a list of n - 1."""
    items = a_list(call)
    position(call, 1, items.length)
    left = None if items.length is None else items.length - 1
    return (listed(items.dtype, items.shape, left, items.reason),)


def at_shape(call: Call) -> tuple[Tensor, ...]:
    """A list, position -> the element."""
    items = a_list(call)
    position(call, 1, items.length)
    return (Tensor("", dtype=items.dtype, shape=items.shape, reason=items.reason or DIFFER, needs=items.needs),)


def position(call: Call, slot: int, length: Dim | None, extra: int = 0) -> None:
    """A position that is known lies in the list."""
    t = call.optional(slot)
    if t is None or t.value is None or not isinstance(length, int):
        return
    (i,) = numbers(t, "position")
    require(-length <= i < length + extra, f"index {i} is out of range for a list of {length}")


def length_shape(call: Call) -> tuple[Tensor, ...]:
    """A list -> its length, a scalar."""
    n = a_list(call).length
    return (Tensor("", dtype=DType.INT64, shape=(), value=None if n is None else (n,)),)


def split_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, d, …), sizes: a scalar or (n) -> a list of parts; without sizes d parts of size 1."""
    x, a = call.x(0), call.attrs
    axis = axis_of(a.axis, x.rank)
    d = x.dims[axis]
    before, after = x.dims[:axis], x.dims[axis + 1 :]
    if not call.has(1):
        return (listed(x.dtype, (*before, 1, *after) if a.keepdims else before + after, d),)
    sizes = numbers(call.x(1), "split")
    require(all(s >= 0 for s in sizes), "split has a negative size")
    if call.x(1).rank == 0:
        require(sizes[0] > 0, "split has the size zero")
        even = isinstance(d, int) and d % sizes[0] == 0
        return (listed(x.dtype, (*before, sizes[0], *after) if even else None, ceildiv(d, sizes[0])),)
    require(not isinstance(d, int) or sum(sizes) == d, f"the sizes of split sum to {sum(sizes)}, the axis has size {d}")
    shape = (*before, sizes[0], *after) if len(set(sizes)) == 1 else None
    return (listed(x.dtype, shape, len(sizes)),)


def join_shape(call: Call) -> tuple[Tensor, ...]:
    """A list of n tensors -> one tensor, joined along `axis` or stacked along a new one."""
    items, a = a_list(call), call.attrs
    dims = items.dims
    if items.length is None:
        raise Unknown("the length of the list depends on data")
    if a.new_axis:
        axis = axis_of(a.axis, len(dims) + 1)
        return (Tensor("", dtype=items.dtype, shape=(*dims[:axis], items.length, *dims[axis:])),)
    axis = axis_of(a.axis, len(dims))
    joined = product((dims[axis], items.length))
    return (Tensor("", dtype=items.dtype, shape=(*dims[:axis], joined, *dims[axis + 1 :])),)


def optional_shape(call: Call) -> tuple[Tensor, ...]:
    """X or nothing -> an optional that holds it."""
    x = call.optional(0)
    if x is None:
        return (Tensor("", container=OPTIONAL, reason="the optional value is empty", length=0),)
    return (Tensor("", dtype=x.dtype, shape=x.shape, container=OPTIONAL, length=x.length, reason=x.reason),)


def has_element_shape(_: Call) -> tuple[Tensor, ...]:
    """An optional -> whether it holds something, a scalar."""
    return (Tensor("", dtype=DType.BOOL, shape=()),)


def fold_has_element(call: Call) -> tuple[Value | None, ...]:
    """False for nothing at all, true for what is not an optional."""
    x = call.optional(0)
    if x is None:
        return ((0,),)
    return ((1,) if x.container != OPTIONAL and x.shape is not None else None,)


def get_element_shape(call: Call) -> tuple[Tensor, ...]:
    """An optional, or its content -> the content."""
    x = call.x(0)
    if x.container == OPTIONAL and x.length == 0 and x.shape is None and x.dtype is None:
        raise ShapeError("the optional value is empty: nothing to take out, shape unknown")
    kept = x.container if x.container != OPTIONAL else TENSOR if x.length is None else SEQUENCE
    return (Tensor("", dtype=x.dtype, shape=x.shape, container=kept, length=x.length, reason=x.reason, needs=x.needs),)


def holder(name: str, shape: Any, inputs: tuple[int, int], attrs: type[Attrs] = NoAttrs, **more: Any) -> Op:
    """The record of an operator that holds and hands on."""
    return Op(name=name, attrs=attrs, shape=shape, cost=free, kind="sequence", inputs=inputs, **more)


OPS = (
    holder("SequenceConstruct", construct_shape, (1, MANY)),
    holder("SequenceEmpty", empty_shape, (0, 0), EmptyAttrs),
    holder("SequenceInsert", insert_shape, (2, 3)),
    holder("SequenceErase", erase_shape, (1, 2)),
    holder("SequenceAt", at_shape, (2, 2)),
    holder("SequenceLength", length_shape, (1, 1)),
    holder("SplitToSequence", split_shape, (1, 2), SplitAttrs),
    holder("ConcatFromSequence", join_shape, (1, 1), JoinAttrs),
    holder("Optional", optional_shape, (0, 1), OptionalAttrs),
    holder("OptionalHasElement", has_element_shape, (0, 1), fold=fold_has_element),
    holder("OptionalGetElement", get_element_shape, (1, 1)),
)
