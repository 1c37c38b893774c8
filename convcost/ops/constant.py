"""Tensors made from attributes or sizes: constants, ranges, random numbers, window functions."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, isfinite
from typing import Any

from convcost.errors import ShapeError, Unknown
from convcost.ir import MAX_VALUE, Dim, DType, Expr, Scalar, Tensor, Value, ceildiv, maximum
from convcost.ops.base import Attrs, Call, NoAttrs, Op, Work, free, integers, require, show, typed
from convcost.ops.cast import element_type
from convcost.ops.folding import compatible, fitted, numeric, positions
from convcost.ops.pointwise import text
from convcost.ops.scalars import summed, times
from convcost.ops.shape import target


class ConstantAttrs(Attrs, frozen=True):
    """Exactly one is given. `value` is an `ir.Tensor`, `sparse_value` too: its dense shape, and `nonzeros`."""

    value: Any = None
    sparse_value: Any = None
    value_float: float | None = None
    value_floats: tuple[float, ...] | None = None
    value_int: int | None = None
    value_ints: tuple[int, ...] | None = None
    value_string: Any = None
    value_strings: Any = None


class ConstantOfShapeAttrs(Attrs, frozen=True):
    """`value`: an `ir.Tensor` of one element, float32 0 by default."""

    value: Any = None


class RandomAttrs(Attrs, frozen=True):
    """Shape and element type of random numbers; below the type is the input's where it is None."""

    shape: tuple[int, ...] | None = None
    dtype: int | None = None


class MultinomialAttrs(Attrs, frozen=True):
    """Samples for each row, and their type (int32)."""

    sample_size: int = 1
    dtype: int = 6


class EyeLikeAttrs(Attrs, frozen=True):
    """Which diagonal holds the ones."""

    k: int = 0
    dtype: int | None = None


class WindowAttrs(Attrs, frozen=True):
    """Element type of a window function."""

    output_datatype: int = 1
    periodic: int = 1


def constant_shape(call: Call) -> tuple[Tensor, ...]:
    """-> y: the attribute."""
    a: ConstantAttrs = call.attrs
    for given in (a.value, a.sparse_value):
        if isinstance(given, Tensor):
            return (given,)
    for single, several, dtype in (
        (a.value_float, a.value_floats, DType.FLOAT32),
        (a.value_int, a.value_ints, DType.INT64),
        (a.value_string, a.value_strings, DType.STRING),
    ):
        if single is not None:
            return (literal((), (single,), dtype),)
        if several is not None:
            return (literal((len(several),), tuple(several), dtype),)
    require(condition=False, message="the attribute value is missing")
    raise AssertionError


def literal(shape: tuple[int, ...], given: tuple[Any, ...], dtype: DType) -> Tensor:
    """A stored constant; its content where it is finite, small and a number."""
    value: Value | None = None
    if len(given) <= MAX_VALUE and dtype is DType.INT64:
        value = given
    elif len(given) <= MAX_VALUE and dtype is DType.FLOAT32 and all(isfinite(v) for v in given):
        value = fitted([Fraction(v) for v in given], dtype)
    return Tensor("", dtype=dtype, shape=shape, value=value, stored=True)


def constant_of_shape_shape(call: Call) -> tuple[Tensor, ...]:
    """shape: (r) -> y: that shape, filled with one value."""
    wanted = target(call.x(0), "the shape")
    for d in wanted:
        if isinstance(d, int) and d < 0:
            raise ShapeError(f"the shape {show(wanted)} has the negative size {d}")
    filler = call.attrs.value
    dtype = filler.dtype if isinstance(filler, Tensor) else DType.FLOAT32
    return (Tensor("", dtype=dtype, shape=wanted),)


def fold_constant_of_shape(call: Call) -> tuple[Value | None, ...]:
    """The one value, repeated."""
    filler = call.attrs.value
    value = filler.content if isinstance(filler, Tensor) else (Fraction(0),)
    size = call.y().size
    assert isinstance(size, int)
    return (value[:1] * size,)


def range_shape(call: Call) -> tuple[Tensor, ...]:
    """start, limit, delta: scalars -> y: (max(⌈(limit - start) / delta⌉, 0))."""
    start, limit, delta = (one(call.x(i), what) for i, what in enumerate(("start", "limit", "delta")))
    require(delta != 0, "delta is zero: the range has no end")
    return (typed(call.x(0), (range_length(start, limit, delta),)),)


def one(t: Tensor, what: str) -> Scalar:
    """The single element of a tensor."""
    if t.shape is not None and isinstance(t.size, int):
        require(t.size == 1, f"{what} is not a scalar: its shape is {show(t.dims)}")
    if t.value is None:
        raise Unknown(f"{what} is computed from data (or not finite) and is not known before running")
    return t.value[0]


def range_length(start: Scalar, limit: Scalar, delta: Scalar) -> Dim:
    """max(⌈(limit - start) / delta⌉, 0)."""
    start, limit, delta = compatible((start, limit, delta))
    if isinstance(start, Fraction) or isinstance(limit, Fraction) or isinstance(delta, Fraction):
        return max(ceil((limit - start) / Fraction(delta)), 0)  # type: ignore[arg-type, operator]
    steps = ceildiv(limit - start, delta)
    if isinstance(steps, Expr) and start == 0 and delta == 1:
        return steps
    return maximum(steps, 0)


def range_cost(call: Call) -> Work:
    """Range. start, limit, delta: scalars -> y: (n), y_i = start + i · delta.

    Counted: 1 multiplication and 1 addition for each element of y.
    Source: ONNX operator Range.
    """
    return Work(multiplications=1, additions=1).times(call.y().size)


def fold_range(call: Call) -> tuple[Value | None, ...]:
    """Start + i · delta."""
    start, delta = compatible((call.x(0).content[0], call.x(2).content[0]))
    n = call.y().size
    assert isinstance(n, int)
    return (fitted([summed(start, times(delta, i)) for i in range(n)], call.y().dtype),)


def random_shape(call: Call) -> tuple[Tensor, ...]:
    """-> y: the attribute `shape`."""
    a: RandomAttrs = call.attrs
    if a.shape is None:
        require(condition=False, message="the attribute shape is missing")
    shape = a.shape or ()
    for d in shape:
        require(d >= 0, f"the shape {show(shape)} has the negative size {d}")
    return (Tensor("", dtype=element_type(1 if a.dtype is None else a.dtype, "dtype"), shape=shape),)


def random_like_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any -> y: like x, or of type `dtype`."""
    x, code = call.x(0), call.attrs.dtype
    return (typed(x, x.dims, dtype=None if code is None else element_type(code, "dtype")),)


def multinomial_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, classes) -> y: (N, samples)."""
    x, a = call.x(0), call.attrs
    require(x.rank == 2, f"the input {show(x.dims)} has rank {x.rank}, not 2")
    require(a.sample_size >= 0, f"sample_size {a.sample_size} is negative")
    return (typed(x, (x.dims[0], a.sample_size), dtype=element_type(a.dtype, "dtype")),)


def eye_like_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (rows, columns) -> y: like x."""
    require(call.x(0).rank == 2, f"the input has rank {call.x(0).rank}, not 2")
    return random_like_shape(call)


def fold_eye_like(call: Call) -> tuple[Value | None, ...]:
    """Ones on diagonal k, zeros elsewhere."""
    rows = numeric(call.y().dims)
    return (fitted([int(j - i == call.attrs.k) for i, j in positions(rows)], call.y().dtype),)


def window_shape(call: Call) -> tuple[Tensor, ...]:
    """size: scalar -> y: (size)."""
    size = integers(call.x(0), "size")
    require(len(size) == 1, f"size is not a scalar but has {len(size)} values: wrong shape")
    require(not isinstance(size[0], int) or size[0] >= 0, f"size {size[0]} is negative")
    dtype = element_type(call.attrs.output_datatype, "output_datatype")
    return (Tensor("", dtype=dtype, shape=(size[0],)),)


def drawn(name: str, drawn_from: str, each: Work | None = None) -> Any:
    """The cost rule of a random operator: the generator itself is not counted."""
    per = each or Work()

    def cost(call: Call) -> Work:
        return per.times(call.y().size)

    counted = "1 comparison for each element of y" if per.comparisons else "nothing"
    cost.__doc__ = text(name, f"y = {drawn_from}", counted, "the generator of random numbers")
    return cost


def window(name: str, formula: str) -> Op:
    """A window function, as its function body computes it."""

    def cost(call: Call) -> Work:
        return Work(multiplications=5, additions=3, special=2).times(call.y().size)

    counted = "as in the function body, for each element of y 5 multiplications, 3 additions, 2 cosines"
    cost.__doc__ = text(name, formula, counted, "work on single numbers before it", f"ONNX operator {name}")
    return Op(name=name, attrs=WindowAttrs, shape=window_shape, cost=cost, kind="constant", inputs=(1, 1))


def random(name: str, drawn_from: str, shape: Any, *, inputs: int, attrs: Any = RandomAttrs, each: Any = None) -> Op:
    """A random operator: never a constant."""
    return Op(
        name=name,
        attrs=attrs,
        shape=shape,
        cost=drawn(name, drawn_from, each),
        kind="random",
        inputs=(inputs, inputs),
        constant=False,
    )


OPS = (
    Op(name="Constant", attrs=ConstantAttrs, shape=constant_shape, cost=free, kind="constant", inputs=(0, 0)),
    Op(
        name="ConstantOfShape",
        attrs=ConstantOfShapeAttrs,
        shape=constant_of_shape_shape,
        cost=free,
        kind="constant",
        inputs=(1, 1),
        fold=fold_constant_of_shape,
    ),
    Op(
        name="Range",
        attrs=NoAttrs,
        shape=range_shape,
        cost=range_cost,
        kind="constant",
        inputs=(3, 3),
        fold=fold_range,
    ),
    Op(
        name="EyeLike",
        attrs=EyeLikeAttrs,
        shape=eye_like_shape,
        cost=free,
        kind="constant",
        inputs=(1, 1),
        fold=fold_eye_like,
    ),
    window("HannWindow", "y_i = 1/2 - 1/2 · cos(2πi/n)"),
    window("HammingWindow", "y_i = 25/46 - 21/46 · cos(2πi/n)"),
    window("BlackmanWindow", "y_i = 0.42 - 1/2 · cos(2πi/n) + 0.08 · cos(4πi/n)"),
    random("RandomNormal", "normal random numbers", random_shape, inputs=0),
    random("RandomUniform", "uniform random numbers", random_shape, inputs=0),
    random("RandomNormalLike", "normal random numbers", random_like_shape, inputs=1),
    random("RandomUniformLike", "uniform random numbers", random_like_shape, inputs=1),
    random("Bernoulli", "1 with probability x, else 0", random_like_shape, inputs=1, each=Work(comparisons=1)),
    random(
        "Multinomial", "classes drawn by their log-probabilities", multinomial_shape, inputs=1, attrs=MultinomialAttrs
    ),
)
