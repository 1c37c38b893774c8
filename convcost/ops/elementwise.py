"""Arithmetic, comparison and logic, element by element. Each row: name, formula, work for each element of the result.

A change of sign and a selection by a known truth value cost nothing; a logical or bit operation counts as a
comparison; rounding, a root, a power or a transcendental function is one `special`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Any

from convcost.errors import Unknown
from convcost.ir import DType, Expr, Scalar, Tensor, Value
from convcost.ops.base import (
    CARRY_LARGER,
    MANY,
    Attrs,
    Call,
    NoAttrs,
    Op,
    Work,
    broadcast,
    free,
    may_equal,
    require,
    show,
    typed,
)
from convcost.ops.folding import combined
from convcost.ops.pointwise import (
    aligned,
    binary,
    broadcast_shape,
    relation_shape,
    same_types,
    test_shape,
    text,
    unary,
)
from convcost.ops.scalars import (
    absolute,
    bits,
    divided,
    larger,
    power,
    reciprocal,
    remainder,
    root,
    same,
    smaller,
    summed,
    times,
    whole,
)

ADD = Work(additions=1)
MULTIPLY = Work(multiplications=1)
DIVIDE = Work(divisions=1)
COMPARE = Work(comparisons=1)
SPECIAL = Work(special=1)


class ModAttrs(Attrs, frozen=True):
    """`fmod` 1: the quotient truncates towards zero, else it is rounded down."""

    fmod: int = 0


class BitShiftAttrs(Attrs, frozen=True):
    """`direction` LEFT or RIGHT."""

    direction: str


class ClipAttrs(Attrs, frozen=True):
    """Bounds that are attributes (below operator set 11); later they are inputs."""

    min: float | None = None
    max: float | None = None


class IsInfAttrs(Attrs, frozen=True):
    """Which infinities count."""

    detect_negative: int = 1
    detect_positive: int = 1


def fold_div(call: Call) -> tuple[Value | None, ...]:
    """Integers truncate; a symbol of a float type divides only without a rest."""
    real = call.y().dtype is not None and call.y().dtype.is_float  # type: ignore[union-attr]

    def divide(a: Scalar, b: Scalar) -> Scalar:
        q = divided(a, b)
        if real and isinstance(a, int | Expr) and isinstance(b, int | Expr) and not same(q * b, a):  # type: ignore[operator]
            raise Unknown("a symbol divided with a rest is not followed")
        return q

    return combined(call, divide, aligned(call))


def fold_mod(call: Call) -> tuple[Value | None, ...]:
    """Remainders, by floor or by truncation."""
    return combined(call, partial(remainder, truncate=bool(call.attrs.fmod)), aligned(call))


def fold_shift(call: Call) -> tuple[Value | None, ...]:
    """Shifts of numbers by fewer bits than the type has; bits that leave the type are unknown."""

    def shift(a: Scalar, b: Scalar) -> Scalar:
        if not isinstance(a, int) or not isinstance(b, int) or not 0 <= b < 64:
            raise Unknown("a shift by this many bits is not followed")
        return a << b if call.attrs.direction == "LEFT" else a >> b

    return combined(call, shift)


def variadic_cost(each: Work, last: Work, name: str, formula: str, counted: str) -> Any:
    """(n - 1) · `each` + `last` for each element of y, for n inputs."""

    def cost(call: Call) -> Work:
        n = sum(t is not None for t in call.inputs)
        return (each.times(n - 1) + last).times(call.y().size)

    cost.__doc__ = text(name, formula, f"{counted} for each element of y, for n inputs")
    return cost


def variadic(name: str, formula: str, each: Work, counted: str, **more: Any) -> Op:
    """The record of y = f(x1, x2, …), with broadcasting."""
    f = more.pop("f", None)
    return Op(
        name=name,
        attrs=NoAttrs,
        shape=broadcast_shape,
        cost=variadic_cost(each, more.pop("last", Work()), name, formula, counted),
        kind="elementwise",
        inputs=(1, MANY),
        carry=CARRY_LARGER,
        fold=None if f is None else lambda call: combined(call, f),
        **more,
    )


def where_shape(call: Call) -> tuple[Tensor, ...]:
    """condition, x, y: shapes that broadcast -> z: their common shape, of x's type."""
    condition, x, y = call.x(0), call.x(1), call.x(2)
    require(condition.dtype in (None, DType.BOOL), "the condition is not of type bool")
    same_types([x, y])
    return (typed(x, broadcast(condition.dims, x.dims, y.dims)),)


def fold_where(call: Call) -> tuple[Value | None, ...]:
    """The chosen elements."""
    return combined(call, lambda c, x, y: x if c else y)


def clip_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, min, max: scalars -> y: like x."""
    for slot, what in ((1, "min"), (2, "max")):
        bound = call.optional(slot)
        if bound is not None and bound.shape is not None:
            require(may_equal(bound.size, 1), f"{what} is not a scalar: its shape is {show(bound.dims)}")
    same_types([t for t in call.inputs if t is not None])
    return (typed(call.x(0), call.x(0).dims),)


def clip_cost(call: Call) -> Work:
    """Clip. y = min(max(x, low), high).

    Counted: 1 comparison for each element of y and each bound that is there.
    Source: ONNX operator Clip.
    """
    bounds = (call.has(1) or call.attrs.min is not None) + (call.has(2) or call.attrs.max is not None)
    return Work(comparisons=bounds * call.y().size)


def fold_clip(call: Call) -> tuple[Value | None, ...]:
    """min(max(x, low), high), with bounds from inputs or attributes."""
    a = call.attrs
    low = call.x(1).content[0] if call.has(1) else None if a.min is None else Fraction(a.min)
    high = call.x(2).content[0] if call.has(2) else None if a.max is None else Fraction(a.max)

    def clip(x: Scalar) -> Scalar:
        x = x if low is None else larger(x, low)
        return x if high is None else smaller(x, high)

    inner = Call(a, call.inputs[:1], call.outputs)
    return combined(inner, clip)


def clip_attrs(version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Below operator set 11 the bounds are attributes; the widest finite numbers stand for none."""
    if version >= 11:
        return {}
    return {k: v for k, v in raw.items() if k in ("min", "max") and isinstance(v, float | int) and abs(v) < 3.4e38}


def is_inf_cost(call: Call) -> Work:
    """IsInf. y = (x = ∞) or (x = -∞).

    Counted: 1 comparison for each element and each sign that is looked for.
    Source: ONNX operator IsInf.
    """
    signs = bool(call.attrs.detect_negative) + bool(call.attrs.detect_positive)
    return Work(comparisons=signs * call.y().size)


def as_given(_: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Attributes that never changed."""
    return raw


def power_shape(call: Call) -> tuple[Tensor, ...]:
    """a, b: shapes that broadcast, of any two types -> y: their common shape, of a's type."""
    return (typed(call.x(0), broadcast(*aligned(call))),)


FUNCTIONS = (
    "Exp", "Log", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Erf",
)  # fmt: skip

UNARY = (
    unary("Abs", "y = |x|", COMPARE, f=absolute),
    unary("Neg", "y = -x", Work(), f=lambda x: -x, note="the change of sign"),
    unary("Sign", "y = 1, 0 or -1 as x > 0, x = 0 or x < 0", Work(comparisons=2), f=lambda x: (x > 0) - (x < 0)),
    unary("Floor", "y = ⌊x⌋", SPECIAL, f=partial(whole, how="floor")),
    unary("Ceil", "y = ⌈x⌉", SPECIAL, f=partial(whole, how="ceil")),
    unary("Round", "y = x rounded to the nearest integer, ties to even", SPECIAL, f=partial(whole, how="round")),
    unary("Sqrt", "y = √x", SPECIAL, f=root),
    unary("Reciprocal", "y = 1 / x", DIVIDE, f=reciprocal),
    unary("Not", "y = not x", COMPARE, f=lambda x: 0 if x else 1),
    unary("BitwiseNot", "y = every bit of x turned", COMPARE),
    unary("IsNaN", "y = x is not a number", COMPARE, shape=test_shape),
    *(unary(name, f"y = {name.lower()}(x)", SPECIAL) for name in FUNCTIONS),
)

BINARY = (
    binary("Add", "y = a + b", ADD, f=summed, operand=True),
    binary("Sub", "y = a - b", ADD, f=lambda a, b: a - b, operand=True),
    binary("Mul", "y = a · b", MULTIPLY, f=times, operand=True),
    binary("Div", "y = a / b", DIVIDE, fold=fold_div, operand=True),
    binary("Pow", "y = a^b", SPECIAL, f=power, operand=True, shape=power_shape),
    binary("Mod", "y = a - b · ⌊a / b⌋", DIVIDE, fold=fold_mod, attrs=ModAttrs, upgrade=as_given),
    binary("BitShift", "y = a shifted by b bits", COMPARE, fold=fold_shift, attrs=BitShiftAttrs, upgrade=as_given),
    binary("BitwiseAnd", "y = a and b, bit by bit", COMPARE, f=partial(bits, how="and")),
    binary("BitwiseOr", "y = a or b, bit by bit", COMPARE, f=partial(bits, how="or")),
    binary("BitwiseXor", "y = a exclusive or b, bit by bit", COMPARE, f=partial(bits, how="xor")),
    binary("And", "y = a and b", COMPARE, shape=relation_shape, f=lambda a, b: int(bool(a and b))),
    binary("Or", "y = a or b", COMPARE, shape=relation_shape, f=lambda a, b: int(bool(a or b))),
    binary("Xor", "y = a exclusive or b", COMPARE, shape=relation_shape, f=lambda a, b: int(bool(a) != bool(b))),
    binary("Equal", "y = (a = b)", COMPARE, shape=relation_shape, f=lambda a, b: int(same(a, b))),
    binary("Less", "y = (a < b)", COMPARE, shape=relation_shape, f=lambda a, b: int(a < b)),
    binary("Greater", "y = (a > b)", COMPARE, shape=relation_shape, f=lambda a, b: int(a > b)),
    binary("LessOrEqual", "y = (a ≤ b)", COMPARE, shape=relation_shape, f=lambda a, b: int(a <= b)),
    binary("GreaterOrEqual", "y = (a ≥ b)", COMPARE, shape=relation_shape, f=lambda a, b: int(a >= b)),
)


OPS = (
    *UNARY,
    *BINARY,
    variadic("Sum", "y = x1 + x2 + …", ADD, "n - 1 additions", f=summed),
    variadic("Mean", "y = (x1 + x2 + …) / n", ADD, "n - 1 additions and 1 division", last=DIVIDE),
    variadic("Max", "y = the largest of x1, x2, …", COMPARE, "n - 1 comparisons", f=larger, operand=True),
    variadic("Min", "y = the smallest of x1, x2, …", COMPARE, "n - 1 comparisons", f=smaller, operand=True),
    Op(name="Where", attrs=NoAttrs, shape=where_shape, cost=free, kind="elementwise", inputs=(3, 3), fold=fold_where),
    Op(
        name="Clip",
        attrs=ClipAttrs,
        shape=clip_shape,
        cost=clip_cost,
        kind="activation",
        inputs=(1, 3),
        fold=fold_clip,
        upgrade=clip_attrs,
    ),
    Op(name="IsInf", attrs=IsInfAttrs, shape=test_shape, cost=is_inf_cost, kind="elementwise", inputs=(1, 1)),
)
