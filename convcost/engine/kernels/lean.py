"""Kernels for inputs whose shapes and, in part, contents are known: what they say of attributes is worked out once.

`bind` gives a kernel that does the same as the usual one of its operator, or None. Small arrays are what it is for: on
those the usual kernels take longer to read attributes, axes and bounds than to compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convcost.engine.kernels import Bound, Simple
from convcost.engine.kernels.convolution.workspace import aligned
from convcost.engine.kernels.elementwise import BINARY, UNARY
from convcost.engine.kernels.move import axes_of, bounds
from convcost.engine.values import Array, Value
from convcost.ir import DType, Node, Tensor

ROOM = 8 << 20
"""Bytes that copies of weights may take in a session at most."""
VIEWS = {"Reshape", "Flatten", "Squeeze", "Unsqueeze"}
PRODUCTS = {"MatMul", "Gemm"}
FLOATS = {DType.FLOAT32, DType.FLOAT64}

Known = Sequence[Tensor | None]
Maker = Callable[[Node, Known, Tensor, list[Value]], Any]


class Copies:
    """Weights laid out for the matrix library, for all plans of a session, up to `room` bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.made: dict[tuple[int, bool], tuple[Array, Array]] = {}

    def of(self, b: Array, *, transposed: bool) -> Array | None:
        """B, or its transpose, in rows the first of which begins at a multiple of 64 bytes; None without room."""
        if not transposed and b.flags.c_contiguous and not b.ctypes.data % 64:
            return b
        key = id(b), transposed
        if key not in self.made:
            if b.nbytes > self.room:
                return None
            self.room -= b.nbytes
            source = b.T if transposed else b
            copy = aligned(source.shape, b.dtype)
            np.copyto(copy, source)
            self.made[key] = b, copy  # with b, so that no other array gets its identity
        return self.made[key][1]


def bind(
    node: Node, inputs: Known, outputs: Known, constants: list[Value], usual: Bound, copies: Copies
) -> Bound | None:
    """A kernel for `node`, whose tensors have these types and exact shapes; None where the usual one stays."""
    y = outputs[0] if len(outputs) == 1 and not node.domain else None
    if not isinstance(usual, Simple) or y is None or not inputs or inputs[0] is None:
        return None
    if node.op in PRODUCTS:
        fn = product(node, inputs, y, constants, copies)
    else:
        maker = MAKERS.get(node.op)
        fn = None if maker is None else maker(node, inputs, y, constants)
    return None if fn is None else Simple(usual.algorithm, fn, None, 1)


def shape_of(t: Tensor) -> tuple[int, ...]:
    """The shape of a tensor that has an exact one."""
    return tuple(d for d in t.dims if isinstance(d, int))


def view(_: Node, __: Known, y: Tensor, ___: list[Value]) -> Any:
    """X in the shape of the output."""
    shape = shape_of(y)
    return lambda _a, given, _n: [given[0].reshape(shape)]


def binary(node: Node, inputs: Known, y: Tensor, _: list[Value]) -> Any:
    """F(a, b), where NumPy's own broadcasting and types are those of the operator."""
    a, b = (inputs[0], inputs[1]) if len(inputs) == 2 else (None, None)
    if a is None or b is None or not y.dims or getattr(node.attrs, "axis", None) is not None:
        return None
    if a.dtype is not b.dtype or a.dtype not in FLOATS:
        return None
    f = np.divide if node.op == "Div" else BINARY[node.op]
    return lambda _a, given, _n: [f(given[0], given[1])]


def unary(node: Node, inputs: Known, y: Tensor, _: list[Value]) -> Any:
    """F(x) of numbers in single or double precision."""
    assert inputs[0] is not None
    if not y.dims or inputs[0].dtype not in FLOATS:
        return None
    f = UNARY[node.op]
    return lambda _a, given, _n: [f(given[0])]


def power(_: Node, inputs: Known, y: Tensor, constants: list[Value]) -> Any:
    """Squares, which a product gives."""
    assert inputs[0] is not None
    exponent = constants[1]
    if inputs[0].dtype not in FLOATS or exponent is None or exponent.size != 1 or float(exponent.reshape(())) != 2:
        return None
    shape = shape_of(y)
    return (lambda _a, given, _n: [np.multiply(given[0], given[0])]) if shape == shape_of(inputs[0]) and shape else None


def relu(_: Node, inputs: Known, y: Tensor, __: list[Value]) -> Any:
    """max(x, 0)."""
    assert inputs[0] is not None
    zero = np.float32(0)
    return (lambda _a, given, _n: [np.maximum(given[0], zero)]) if y.dims and inputs[0].dtype is FLOAT else None


def cut(node: Node, inputs: Known, _: Tensor, constants: list[Value]) -> Any:
    """x[start:end:step], all of it known."""
    assert inputs[0] is not None
    given: list[Any] = [None, *constants[1:]]
    if len(node.inputs) < 2:
        starts, ends = list(node.attrs.starts), list(node.attrs.ends)
        axes: Any = tuple(node.attrs.axes or ()) or range(len(starts))
        steps = [1] * len(starts)
    else:
        if any(name and given[i] is None for i, name in enumerate(node.inputs) if i):
            return None
        starts, ends = given[1].tolist(), given[2].tolist()
        axes = axes_of(node.attrs, given, 3) or range(len(starts))
        steps = given[4].tolist() if len(given) > 4 and given[4] is not None else [1] * len(starts)
    dims = shape_of(inputs[0])
    places = [slice(None)] * len(dims)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        places[axis] = bounds(start, end, step, dims[axis])
    key = tuple(places)
    return lambda _a, x, _n: [x[0][key]]


def pick(node: Node, inputs: Known, y: Tensor, constants: list[Value]) -> Any:
    """One slice of x along an axis."""
    assert inputs[0] is not None
    dims, index = shape_of(inputs[0]), constants[1]
    axis = node.attrs.axis % max(len(dims), 1)
    if index is None or index.ndim or not y.dims or not -dims[axis] <= int(index) < dims[axis]:
        return None
    key = (slice(None),) * axis + (int(index),)
    return lambda _a, x, _n: [x[0][key]]


def mean(node: Node, inputs: Known, y: Tensor, constants: list[Value]) -> Any:
    """Σ x / n over axes that are known."""
    assert inputs[0] is not None
    dims = shape_of(inputs[0])
    if node.op == "GlobalAveragePool":
        axes, keep = tuple(range(2, len(dims))), True
    else:
        if len(node.inputs) > 1 and node.inputs[1] and constants[1] is None:
            return None
        axes = axes_of(node.attrs, constants) or ()
        if not axes and node.attrs.noop_with_empty_axes:
            return None
        axes, keep = axes or tuple(range(len(dims))), bool(node.attrs.keepdims)
    if inputs[0].dtype is not FLOAT or not y.dims:
        return None
    n = np.float32(np.prod([dims[a] for a in axes]))

    def run(_a: Any, given: list[Value], _n: int) -> list[Value]:
        total = given[0].sum(axes, None, None, keep)
        return [np.divide(total, n, total)]

    return run


def product(node: Node, inputs: Known, y: Tensor, constants: list[Value], copies: Copies) -> Any:
    """A @ B and Gemm in single precision; a constant B is laid out for the matrix library."""
    attrs, gemm = node.attrs, node.op == "Gemm"
    if any(t is not None and t.dtype is not FLOAT for t in inputs) or not y.dims or inputs[1] is None:
        return None
    if gemm and (attrs.alpha != 1 or attrs.transA):
        return None
    trans = gemm and bool(attrs.transB)
    c = 2 if gemm and len(inputs) > 2 and inputs[2] is not None and attrs.beta != 0 else 0
    if c and (attrs.beta != 1):
        return None
    b = constants[1]
    ready = None if b is None else copies.of(b, transposed=trans)

    def run(_a: Any, given: list[Value], _n: int) -> list[Value]:
        second = ready
        if second is None:
            second = given[1].T if trans else given[1]
        out = np.matmul(given[0], second)
        if c:
            np.add(out, given[c], out)
        return [out]

    return run


def mirrored(node: Node, inputs: Known, y: Tensor, constants: list[Value]) -> Any:
    """Pad by numbers that are known: with constants, or with elements of x."""
    assert inputs[0] is not None
    if (
        len(node.inputs) < 2
        or constants[1] is None
        or any(node.inputs[2:])
        or node.attrs.mode not in ("reflect", "edge")
    ):
        return None
    dims = shape_of(inputs[0])
    pads = [int(p) for p in constants[1]]
    if len(pads) != 2 * len(dims) or min(pads, default=0) < 0 or 0 in dims:
        return None
    places = [
        (axis, np.pad(np.arange(n), (pads[axis], pads[axis + len(dims)]), mode=node.attrs.mode))
        for axis, n in enumerate(dims)
        if pads[axis] or pads[axis + len(dims)]
    ]
    if shape_of(y) != tuple(n + pads[i] + pads[i + len(dims)] for i, n in enumerate(dims)) or not places:
        return None

    def run(_a: Any, given: list[Value], _n: int) -> list[Value]:
        out = given[0]
        for axis, index in places:
            out = out.take(index, axis)
        return [out]

    return run


FLOAT = DType.FLOAT32

MAKERS: dict[str, Maker] = {
    **dict.fromkeys(VIEWS, view),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), binary),
    **dict.fromkeys(("Abs", "Neg", "Sqrt", "Exp", "Log"), unary),
    "Pow": power,
    "Relu": relu,
    "Slice": cut,
    "Gather": pick,
    "ReduceMean": mean,
    "GlobalAveragePool": mean,
    "Pad": mirrored,
}
