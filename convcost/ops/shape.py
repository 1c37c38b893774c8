"""Operators that read or change a shape and leave the elements in their order, and those that repeat them."""

from __future__ import annotations

from typing import Any

from convcost.errors import ShapeError, Unknown
from convcost.ir import Dim, DType, Expr, Shape, Tensor, Value, floordiv, product
from convcost.ops.base import (
    CARRY_FIRST,
    Attrs,
    Call,
    NoAttrs,
    Op,
    Work,
    axis_of,
    free,
    integers,
    numbers,
    require,
    show,
    typed,
)

MAX_SHAPE = 64
"""A shape that is a tensor of more elements is refused: no tensor has that rank."""


class ShapeAttrs(Attrs, frozen=True):
    """First axis and the one after the last."""

    start: int = 0
    end: int | None = None


class ReshapeAttrs(Attrs, frozen=True):
    """`allowzero` 1: a 0 is a size, not a copy. `shape`: the attribute it was below operator set 5."""

    allowzero: int = 0
    shape: tuple[int, ...] | None = None


class FlattenAttrs(Attrs, frozen=True):
    """First axis of the second dimension of the result."""

    axis: int = 1


class AxesAttrs(Attrs, frozen=True):
    """`axes` as an attribute (below operator set 13); later it is an input."""

    axes: tuple[int, ...] | None = None


class DropoutAttrs(Attrs, frozen=True):
    """`train`: whether elements are dropped (an attribute below operator set 7)."""

    train: bool = False


def contents(call: Call) -> tuple[Value | None, ...]:
    """The elements of input 0, unchanged."""
    return (call.x(0).value, *(None for _ in call.outputs[1:]))


def shape_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: (r), the dimensions of x from `start` to `end`."""
    part = shape_part(call)
    return (Tensor("", dtype=DType.INT64, shape=(len(part),), value=part),)


def shape_part(call: Call) -> Shape:
    """x.shape[start:end], ends clamped."""
    return call.x(0).dims[call.attrs.start : call.attrs.end]


def size_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: scalar, the number of elements of x."""
    return (Tensor("", dtype=DType.INT64, shape=(), value=(call.x(0).size,)),)


def target(t: Tensor, what: str) -> Shape:
    """The shape that a tensor holds; a dimension below -1 is checked by the caller."""
    if t.shape is not None:
        if t.rank != 1:
            raise ShapeError(f"{what} is a tensor of rank {t.rank}, not 1")
        n = t.dims[0]
        if isinstance(n, int) and n > MAX_SHAPE:
            raise ShapeError(f"{what} has {n} values, over the limit of rank {MAX_SHAPE}")
    return integers(t, what)


def reshape_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, shape: (r) -> y: the shape, 0 copied from x, -1 worked out from |x|."""
    x, a = call.x(0), call.attrs
    if call.has(1):
        wanted = target(call.x(1), "the shape")
    else:
        require(a.shape is not None, "the shape is missing")
        wanted = a.shape
    out: list[Dim] = []
    for i, d in enumerate(wanted):
        if isinstance(d, int) and d < -1:
            raise ShapeError(f"the shape {show(wanted)} has the negative size {d}")
        if d == 0 and not a.allowzero:
            require(i < x.rank, f"the shape {show(wanted)} copies dimension {i}, the input {show(x.dims)} has none")
            d = x.dims[i]  # noqa: PLW2901 - the copied dimension is the dimension
        out.append(d)
    return (typed(x, deduced(x.dims, out)),)


def deduced(x: Shape, wanted: list[Dim]) -> Shape:
    """`wanted` with its -1 worked out, checked against the number of elements of `x`."""
    open_axes = [i for i, d in enumerate(wanted) if d == -1]
    if len(open_axes) > 1:
        raise ShapeError(f"the shape {show(tuple(wanted))} has {len(open_axes)} sizes of -1")
    have = product(x)
    if not open_axes:
        need = product(wanted)
        if isinstance(have, int) and isinstance(need, int) and have != need:
            shown = show(tuple(wanted))
            raise ShapeError(f"mismatch: {show(x)} has {have} elements, the shape {shown} has {need}")
        return tuple(wanted)
    rest = product(d for d in wanted if d != -1)
    if rest == 0:
        raise ShapeError(f"the shape {show(tuple(wanted))} leaves the size of -1 open")
    size = cancelled(x, [d for d in wanted if d != -1])
    if isinstance(have, int) and isinstance(rest, int):
        require(have % rest == 0, f"mismatch: the {have} elements of {show(x)} do not fill {show(tuple(wanted))}")
    wanted[open_axes[0]] = size
    return tuple(wanted)


def cancelled(x: Shape, by: list[Dim]) -> Dim:
    """Π x / Π by, dimensions that are in both cancelled first, so that formulas stay short."""
    rest = list(x)
    over: list[Dim] = []
    for d in by:
        if isinstance(d, Expr) and d in rest:
            rest.remove(d)
        else:
            over.append(d)
    return floordiv(product(rest), product(over))


def flatten_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (d0, …) -> y: (Π d before `axis`, Π d from `axis`)."""
    x, axis = call.x(0), call.attrs.axis
    require(-x.rank <= axis <= x.rank, f"axis {axis} is out of range for a tensor of {x.rank} dimensions")
    axis = axis + x.rank if axis < 0 else axis
    return (typed(x, (product(x.dims[:axis]), product(x.dims[axis:]))),)


def axes_given(call: Call, slot: int, what: str = "axes") -> tuple[int, ...] | None:
    """The axes, from an input or from the attribute; None where there are none."""
    if call.has(slot):
        t = call.x(slot)
        if t.shape is not None:
            require(t.rank <= 1, f"{what} is a tensor of rank {t.rank}, not 1")
        return numbers(t, what)
    return call.attrs.axes  # type: ignore[no-any-return]


def distinct(axes: tuple[int, ...], rank: int) -> set[int]:
    """The axes counted from the front, each at most once."""
    out = {axis_of(axis, rank) for axis in axes}
    if len(out) < len(axes):
        raise ShapeError(f"an axis stands twice in axes {axes[:8]}")
    return out


def squeeze_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, axes: (k) -> y: x without these axes of size 1; without axes, without any of size 1."""
    x = call.x(0)
    axes = axes_given(call, 1)
    if axes is None:
        if any(isinstance(d, Expr) for d in x.dims):
            symbols = sorted({s for d in x.dims if isinstance(d, Expr) for s in d.symbols})
            raise Unknown("which dimensions are 1 is not known", needs=tuple(symbols))
        return (typed(x, tuple(d for d in x.dims if d != 1)),)
    gone = distinct(axes, x.rank)
    for axis in gone:
        d = x.dims[axis]
        require(d == 1 or isinstance(d, Expr), f"axis {axis} of the shape {show(x.dims)} has size {d}, not 1")
    return (typed(x, tuple(d for i, d in enumerate(x.dims) if i not in gone)),)


def unsqueeze_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, axes: (k) -> y: x with axes of size 1 so that they stand at these places of y."""
    x = call.x(0)
    axes = axes_given(call, 1)
    if axes is None:
        raise ShapeError("axes are missing: neither an input nor an attribute")
    rank = x.rank + len(axes)
    new = distinct(axes, rank)
    old = iter(x.dims)
    return (typed(x, tuple(1 if i in new else next(old) for i in range(rank))),)


def axes_attrs(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """`axes` is an attribute below operator set 13, an input from there on."""
    require(version < 13 or "axes" not in raw, "the attribute axes was removed in opset 13, where axes is an input")
    return raw


def identity_shape(call: Call) -> tuple[Tensor, ...]:
    """x: anything -> y: the same."""
    x = call.x(0)
    return (
        Tensor(
            "",
            dtype=x.dtype,
            shape=x.shape,
            container=x.container,
            length=x.length,
            reason=x.reason,
            needs=x.needs,
        ),
    )


def dropout_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x, mask: like x, of truth values."""
    x = call.x(0)
    return (typed(x, x.dims), typed(x, x.dims, dtype=DType.BOOL))


def dropout_cost(call: Call) -> Work:
    """Dropout. x: any, ratio, training mode -> y: like x.

    Counted: nothing when it does not train: y = x. In training 1 comparison and 1 multiplication for each element.
    Not counted: the random numbers.
    Source: ONNX operator Dropout.
    """
    mode = call.optional(2)
    training = call.attrs.train
    if mode is not None:
        training = mode.value is None or bool(mode.value[0])
    return Work(multiplications=1, comparisons=1).times(call.y().size) if training else Work()


def dropout_attrs(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Below operator set 7 `is_test` 0, the default, means training."""
    return {"train": not raw.get("is_test", 0)} if version < 7 else {}


def mover(name: str, attrs: type[Attrs], shape: Any, inputs: tuple[int, int], **more: Any) -> Op:
    """The record of an operator without work."""
    return Op(name=name, attrs=attrs, shape=shape, cost=free, kind="shape", inputs=inputs, **more)


OPS = (
    mover("Shape", ShapeAttrs, shape_shape, (1, 1)),
    mover("Size", NoAttrs, size_shape, (1, 1)),
    mover("Reshape", ReshapeAttrs, reshape_shape, (1, 2), carry=CARRY_FIRST, fold=contents),
    mover("Flatten", FlattenAttrs, flatten_shape, (1, 1), carry=CARRY_FIRST, fold=contents),
    mover("Squeeze", AxesAttrs, squeeze_shape, (1, 2), carry=CARRY_FIRST, fold=contents, upgrade=axes_attrs),
    mover("Unsqueeze", AxesAttrs, unsqueeze_shape, (1, 2), carry=CARRY_FIRST, fold=contents, upgrade=axes_attrs),
    mover("Identity", NoAttrs, identity_shape, (1, 1), carry=CARRY_FIRST, fold=contents),
    Op(
        name="Dropout",
        attrs=DropoutAttrs,
        shape=dropout_shape,
        cost=dropout_cost,
        kind="random",
        inputs=(1, 3),
        outputs=(1, 2),
        carry=CARRY_FIRST,
        upgrade=dropout_attrs,
    ),
)
