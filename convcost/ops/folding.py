"""Arithmetic on the small known contents of tensors, as the element types would do it, without floats.

Integers that leave the range of their type are unknown, fractions round to the nearest number of the type (ties to
even), infinities are unknown. Symbols stand for themselves; mixed with a true fraction they are unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import product as pairs

from convcost.errors import Unknown
from convcost.ir import MAX_VALUE, DType, Expr, Scalar, Shape, Tensor, Value, known
from convcost.ops.base import Call

Combine = Callable[..., Scalar]

FORMATS = {
    DType.FLOAT16: (11, -14, 15),
    DType.BFLOAT16: (8, -126, 127),
    DType.FLOAT32: (24, -126, 127),
    DType.FLOAT64: (53, -1022, 1023),
}
"""Bits of the significand, smallest and largest exponent (IEEE 754 binary formats; bfloat16 likewise)."""


def rounded(x: Fraction, dtype: DType) -> Fraction:
    """The number of the format `dtype` that is nearest to `x`, ties to even. `Unknown` where it overflows."""
    if dtype not in FORMATS:
        raise Unknown(f"contents of type {dtype.label} are not followed")
    if x == 0:
        return Fraction(0)
    bits, low, high = FORMATS[dtype]
    n, d = abs(x.numerator), x.denominator
    exponent = n.bit_length() - d.bit_length()
    if n << max(-exponent, 0) < d << max(exponent, 0):
        exponent -= 1
    unit = Fraction(2) ** (max(exponent, low) - bits + 1)
    out = round(x / unit) * unit
    if abs(out) >= Fraction(2) ** (high + 1):
        raise Unknown(f"a content overflows {dtype.label}")
    return out


def fitted(values: Iterable[Scalar], dtype: DType | None) -> Value:
    """`values` as elements of `dtype`; `Unknown` where one does not fit."""
    if dtype is None or dtype is DType.STRING:
        raise Unknown("contents of this type are not followed")
    if dtype.is_float:
        return tuple(v if isinstance(v, Expr) else rounded(Fraction(v), dtype) for v in values)
    if dtype is DType.BOOL:
        return tuple(int(bool(v)) for v in values)
    if not dtype.is_integer:
        raise Unknown(f"contents of type {dtype.label} are not followed")
    low, high = limits(dtype)
    out: list[Scalar] = []
    for v in values:
        if isinstance(v, Fraction):
            raise Unknown("a fraction does not fit an integer type")
        if isinstance(v, int) and not low <= v <= high:
            raise Unknown(f"a content is out of the range of {dtype.label}")
        out.append(v)
    return tuple(out)


def limits(dtype: DType) -> tuple[int, int]:
    """Smallest and largest number of an integer type."""
    if dtype.name.startswith("U"):
        return 0, 2**dtype.bits - 1
    return -(2 ** (dtype.bits - 1)), 2 ** (dtype.bits - 1) - 1


def numeric(shape: Shape) -> tuple[int, ...]:
    """`shape` as numbers, for contents that are walked through element by element."""
    return tuple(known(d, "a dimension of a tensor whose content is followed") for d in shape)


def strides_of(shape: tuple[int, ...]) -> list[int]:
    """Elements from one index to the next along each axis, row-major."""
    out, step = [], 1
    for d in reversed(shape):
        out.append(step)
        step *= d
    return out[::-1]


def positions(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every index of a tensor, row-major."""
    return iter(()) if 0 in shape else pairs(*(range(d) for d in shape))


def spread(value: Value, shape: Shape, to: Shape) -> Value:
    """The elements of a tensor of `shape`, broadcast to the shape `to`."""
    own, out = numeric(shape), numeric(to)
    if own == out:
        return value
    if len(value) == 1:
        n = 1
        for d in out:
            n *= d
        return value * n
    own = (1,) * (len(out) - len(own)) + own
    steps = [0 if d == 1 else s for d, s in zip(own, strides_of(own), strict=True)]
    return tuple(value[sum(i * s for i, s in zip(at, steps, strict=True))] for at in positions(out))


def taken(value: Value, indices: Iterable[int]) -> Value:
    """The elements at `indices`."""
    return tuple(value[i] for i in indices)


def combined(call: Call, f: Combine, shapes: tuple[Shape, ...] | None = None) -> tuple[Value, ...]:
    """`f` of the inputs' elements, broadcast against each other, as elements of the output's type."""
    y = call.y()
    given = [t for t in call.inputs if t is not None]
    own = shapes or tuple(t.dims for t in given)
    columns = [spread(t.content, s, y.dims) for t, s in zip(given, own, strict=True)]
    return (fitted([f(*compatible(row)) for row in zip(*columns, strict=True)], y.dtype),)


def compatible(row: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """Operands that can be put together: beside a symbol, whole fractions become integers."""
    if not any(isinstance(v, Expr) for v in row):
        return row
    out: list[Scalar] = []
    for v in row:
        if isinstance(v, Fraction):
            if v.denominator != 1:
                raise Unknown("a symbol times a fraction is not followed")
            out.append(v.numerator)
        else:
            out.append(v)
    return tuple(out)


def small(t: Tensor) -> bool:
    """Whether the contents of such a tensor are carried."""
    return t.shape is not None and isinstance(t.size, int) and t.size <= MAX_VALUE
