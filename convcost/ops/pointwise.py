"""Rows: how a table line with a formula and a work per element becomes an operator's record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convcost.errors import ShapeError
from convcost.ir import DType, Shape, Tensor
from convcost.ops.base import (
    CARRY_LARGER,
    Attrs,
    Call,
    CostRule,
    FoldRule,
    NoAttrs,
    Op,
    Work,
    broadcast,
    require,
    typed,
)
from convcost.ops.folding import Combine, combined

QUANTITIES = ("multiplications", "additions", "divisions", "comparisons", "special")


class AxisAttrs(Attrs, frozen=True):
    """`axis` as binary operators had it below operator set 7: where the second shape begins inside the first."""

    axis: int | None = None


def per_element(name: str, formula: str, each: Work, note: str = "", source: str = "") -> CostRule:
    """The cost rule `each` · |y|, with a docstring that says so."""

    def cost(call: Call) -> Work:
        return each.times(call.y().size)

    cost.__doc__ = text(
        name, formula, f"{described(each)} for each element of y" if each.flops else "nothing", note, source
    )
    return cost


def text(name: str, formula: str, counted: str, note: str = "", source: str = "") -> str:
    """The docstring of a cost rule that is made from a table row."""
    lines = [f"{name}. {formula}.", "", f"Counted: {counted}."]
    lines += [f"Not counted: {note}."] if note else []
    return "\n".join([*lines, f"Source: {source or f'ONNX operator {name}'}."])


def described(each: Work) -> str:
    """`2 multiplications, 1 addition`."""
    said = []
    for what in QUANTITIES:
        n = getattr(each, what)
        if n:
            said.append(f"{n} {what if n == 1 and what == 'special' else what[:-1] if n == 1 else what}")
    return ", ".join(said)


def unary_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x."""
    x = call.x(0)
    return (typed(x, x.dims),)


def same_types(tensors: Sequence[Tensor]) -> None:
    """The element types that are known agree."""
    seen = {t.dtype for t in tensors if t.dtype is not None}
    if len(seen) > 1:
        raise ShapeError(f"mismatch of the input types: {' and '.join(sorted(d.label for d in seen))}")


def aligned(call: Call) -> tuple[Shape, ...]:
    """The shapes of the inputs that are there, with an old `axis` attribute spelled out by trailing ones."""
    shapes = [t.dims for t in call.inputs if t is not None]
    axis = getattr(call.attrs, "axis", None)
    if axis is not None and len(shapes) == 2:
        a, b = shapes
        start = axis + len(a) if axis < 0 else axis
        require(start >= 0 and start + len(b) <= len(a), f"axis {axis} is out of range for the shapes")
        shapes[1] = b + (1,) * (len(a) - start - len(b))
    return tuple(shapes)


def broadcast_shape(call: Call) -> tuple[Tensor, ...]:
    """a, b, …: shapes that broadcast -> y: their common shape."""
    same_types([t for t in call.inputs if t is not None])
    return (typed(call.x(0), broadcast(*aligned(call))),)


def relation_shape(call: Call) -> tuple[Tensor, ...]:
    """a, b: shapes that broadcast -> y: their common shape, of truth values."""
    same_types([t for t in call.inputs if t is not None])
    return (typed(call.x(0), broadcast(*aligned(call)), dtype=DType.BOOL),)


def test_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x, of truth values."""
    return (typed(call.x(0), call.x(0).dims, dtype=DType.BOOL),)


def old_axis(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """`broadcast` and `axis` mean something below operator set 7 only."""
    if version >= 7 or not raw.get("broadcast"):
        return {}
    return {"axis": raw["axis"]} if "axis" in raw else {}


def fold_by(f: Combine | None) -> FoldRule | None:
    """The folding rule that applies `f` element by element."""
    if f is None:
        return None
    return lambda call: combined(call, f, aligned(call))


def unary(
    name: str, formula: str, each: Work, *, kind: str = "elementwise", f: Combine | None = None, **more: Any
) -> Op:
    """The record of y = f(x)."""
    note = more.pop("note", "")
    return Op(
        name=name,
        attrs=more.pop("attrs", NoAttrs),
        shape=more.pop("shape", unary_shape),
        cost=per_element(name, formula, each, note),
        kind=kind,
        inputs=(1, 1),
        fold=fold_by(f),
        **more,
    )


def binary(name: str, formula: str, each: Work, *, f: Combine | None = None, **more: Any) -> Op:
    """The record of y = f(a, b), with broadcasting."""
    return Op(
        name=name,
        attrs=more.pop("attrs", AxisAttrs),
        shape=more.pop("shape", broadcast_shape),
        cost=per_element(name, formula, each, more.pop("note", "")),
        kind="elementwise",
        inputs=(2, 2),
        carry=CARRY_LARGER,
        fold=more.pop("fold", None) or fold_by(f),
        upgrade=more.pop("upgrade", old_axis),
        **more,
    )
