"""Matrix products: MatMul, Gemm, and products of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.kernels import Binder, Bound, Kernel, Options, Simple
from convcost.engine.values import Array, Value
from convcost.ir import Node


def product(a: Array, b: Array) -> Array:
    """A @ b. Short floats are summed in float32."""
    if a.dtype.itemsize < 4 and a.dtype.kind not in "iu":
        return np.asarray(np.matmul(a.astype(np.float32), b.astype(np.float32))).astype(a.dtype)
    return np.asarray(np.matmul(a, b))


def integer_product(a: Array, b: Array) -> Array:
    """A @ b in int32 for factors of at most 9 bits: float32 is exact up to 2^24, float64 beyond."""
    wide = np.float32 if a.shape[-1] * (1 << 16) <= 1 << 24 else np.float64
    return np.asarray(np.matmul(a.astype(wide), b.astype(wide))).astype(np.int32)


def matmul(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """a: (…, M, K), b: (…, K, N) -> (…, M, N)."""
    return [product(*inputs)]


def gemm(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """Alpha · A' B' + beta · C."""
    a = inputs[0].T if attrs.transA else inputs[0]
    b = inputs[1].T if attrs.transB else inputs[1]
    y = product(a, b)
    if attrs.alpha != 1:
        y = (y * y.dtype.type(attrs.alpha)).astype(y.dtype, copy=False)
    if len(inputs) > 2 and inputs[2] is not None and attrs.beta != 0:
        c = inputs[2] if attrs.beta == 1 else (inputs[2] * y.dtype.type(attrs.beta)).astype(y.dtype, copy=False)
        y = y + c
    return [y]


def shifted(x: Array, zero: Array | None, axis: int) -> Array:
    """X minus its zero point (a scalar, or one for each slice along `axis`), in int32."""
    wide = x.astype(np.int32)
    if zero is None:
        return wide
    z = zero.astype(np.int32)
    if z.ndim == 1 and z.size > 1:
        z = z.reshape((-1, 1) if axis == -2 else (1, -1))
    elif z.size == 1:
        z = z.reshape(())
    return np.asarray(wide - z)


def matmul_integer(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """(A - a0) (B - b0) in int32; zero points by row of A and column of B."""
    a0 = inputs[2] if len(inputs) > 2 else None
    b0 = inputs[3] if len(inputs) > 3 else None
    return [integer_product(shifted(inputs[0], a0, -2), shifted(inputs[1], b0, -1))]


def bind_matmul(node: Node, constants: list[Value], _: Options) -> Bound:
    """MatMul; a constant second factor in half precision is widened once."""
    b = constants[1] if len(constants) > 1 else None
    if b is None or b.dtype != np.float16:
        return Simple("gemm", matmul, node.attrs, 1)
    wide = b.astype(np.float32)

    def run(_: Any, inputs: list[Value], __: int) -> list[Value]:
        return [np.asarray(np.matmul(inputs[0].astype(np.float32), wide)).astype(np.float16)]

    return Simple("gemm", run, node.attrs, 1)


def bind_integers(node: Node, constants: list[Value], _: Options) -> Bound:
    """MatMulInteger; a constant second factor is brought into single precision once, where sums stay exact there."""
    b = constants[1] if len(constants) > 1 else None
    zero = constants[3] if len(constants) > 3 else None
    if b is None or b.dtype.itemsize != 1 or (len(node.inputs) > 3 and node.inputs[3] and zero is None):
        return Simple("gemm", matmul_integer, node.attrs, 1)
    wide = shifted(b, zero, -1)
    if b.ndim < 2 or np.abs(wide).sum(axis=-2).max(initial=0) * 255 > 1 << 24:
        return Simple("gemm", matmul_integer, node.attrs, 1)
    factor = wide.astype(np.float32)

    def run(_: Any, inputs: list[Value], __: int) -> list[Value]:
        a = shifted(inputs[0], inputs[2] if len(inputs) > 2 else None, -2).astype(np.float32)
        return [np.asarray(np.matmul(a, factor)).astype(np.int32)]

    return Simple("gemm", run, node.attrs, 1)


BINDERS: dict[tuple[str, str], Binder] = {
    ("", "MatMul"): bind_matmul,
    ("", "MatMulInteger"): bind_integers,
}

KERNELS: dict[tuple[str, str, str], Kernel] = {
    ("", "MatMul", "gemm"): matmul,
    ("", "Gemm", "gemm"): gemm,
    ("", "MatMulInteger", "gemm"): matmul_integer,
}
