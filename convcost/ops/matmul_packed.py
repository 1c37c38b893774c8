"""Matrix products of quantised, packed and fused weights, as onnxruntime's quantiser and optimiser make them; Det."""

from __future__ import annotations

from convcost.ir import DType, Tensor, floordiv, product
from convcost.ops.base import (
    Attrs,
    Call,
    NoAttrs,
    Op,
    Work,
    agree,
    axis_of,
    integers,
    joins,
    products,
    require,
    show,
    typed,
)
from convcost.ops.fused import activation, requantize
from convcost.ops.matmul import FusedGemmAttrs, GemmAttrs, gemm_operands, matmul_macs, matmul_shape, matmul_shape_of

MS = "com.microsoft"


class Float8Attrs(FusedGemmAttrs, frozen=True):
    """Attributes of GemmFloat8."""

    beta: float = 0.0
    dtype: int = 1


class OrderAttrs(Attrs, frozen=True):
    """QOrderedMatMul: orders of storage, which change no count."""


def qgemm_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (M, K), b: (K, N) of integers -> y: (M, N), with the type of the output's zero point, else of the scale."""
    m, n, _ = gemm_operands(call.attrs, call.x(0).dims, call.x(3).dims)
    return (typed(call.optional(8) or call.x(1), (m, n)),)


def qgemm_cost(call: Call) -> Work:
    """QGemm. a: (M, K), b: (K, N) of integers with scales and zero points, c -> y: (M, N).

    Counted: M·N·K multiply-accumulates, and M·N additions for c; one multiplication for each output (scale), and with
    an output zero point one addition.
    Not counted: subtraction of the operands' zero points, rounding and saturation.
    Source: onnxruntime operator QGemm.
    """
    m, n, k = gemm_operands(call.attrs, call.x(0).dims, call.x(3).dims)
    y = call.y()
    work = products(m * n * k, plus=m * n if call.has(6) else 0)
    return work + (requantize(y) if call.has(8) else Work(multiplications=y.size))


def dynamic_cost(call: Call) -> Work:
    """DynamicQuantizeMatMul. a: (…, M, K) of floats, b: (K, N) of integers with scale and zero point -> y: (…, M, N).

    Counted: |y| · K multiply-accumulates; one multiplication for each output (scale), one addition for a bias; to
    quantise a 2|a| comparisons (range), |a| divisions and |a| additions.
    Not counted: subtraction of the zero points, rounding and saturation.
    Source: onnxruntime operator DynamicQuantizeMatMul.
    """
    a, y = call.x(0), call.y()
    work = products(matmul_macs(a, call.x(1)), plus=y.size if call.has(4) else 0)
    return work + Work(multiplications=y.size, comparisons=a.size * 2, divisions=a.size, additions=a.size)


def to_float_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (…, M, K), b: (…, K, N) of integers -> y: (…, M, N), with the type of the scales."""
    y, _ = matmul_shape_of(call.x(0).dims, call.x(1).dims)
    return (typed(call.x(2), y),)


def to_float_cost(call: Call) -> Work:
    """MatMulIntegerToFloat. a: (…, M, K), b: (…, K, N) of integers with scales and zero points, bias -> y: (…, M, N).

    Counted: |y| · K multiply-accumulates; one multiplication for each output (scale), one addition for a bias.
    Not counted: subtraction of the zero points.
    Source: onnxruntime operator MatMulIntegerToFloat.
    """
    n = call.y().size
    work = products(matmul_macs(call.x(0), call.x(1)), plus=n if call.has(6) else 0)
    return work + Work(multiplications=n)


def integer16_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (…, M, K), b: (…, K, N) of 16-bit integers -> y: (…, M, N) of 32 bits."""
    a = call.x(0)
    wide = DType.UINT32 if a.dtype is DType.UINT16 else DType.INT32
    return (typed(a, matmul_shape_of(a.dims, call.x(1).dims)[0], dtype=wide),)


def integer16_cost(call: Call) -> Work:
    """MatMulInteger16. a: (…, M, K), b: (…, K, N) of 16-bit integers -> y: (…, M, N) of 32 bits.

    Counted: |y| · K multiply-accumulates.
    Source: onnxruntime operator MatMulInteger16.
    """
    return products(matmul_macs(call.x(0), call.x(1)))


def fast_gelu_cost(call: Call) -> Work:
    """GemmFastGelu. x: (…, M, K), w: (K, N), bias: (N) -> y: FastGelu(x·w + bias).

    Counted: |y| · K multiply-accumulates, |y| additions for a bias, FastGelu.
    Source: onnxruntime operator GemmFastGelu.
    """
    y = call.y()
    work = products(matmul_macs(call.x(0), call.x(1)), plus=y.size if call.has(2) else 0)
    return work + activation("FastGelu", y, MS)


def float8_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (M, K), b: (K, N) -> y: (M, N) of the type that `dtype` names."""
    m, n, _ = gemm_operands(call.attrs, call.x(0).dims, call.x(1).dims)
    return (typed(call.x(0), (m, n), dtype=DType.from_code(call.attrs.dtype)),)


def float8_cost(call: Call) -> Work:
    """GemmFloat8. a: (M, K), b: (K, N), c: (M, N), scales of a, b and y -> y: f(α·A·B + β·C).

    Counted: M·N·K multiply-accumulates; M·N multiplications for α other than 1; with c M·N additions, and M·N
    multiplications for β other than 1; the activation function f.
    Source: onnxruntime operator GemmFloat8.
    """
    a: GemmAttrs = call.attrs
    m, n, k = gemm_operands(a, call.x(0).dims, call.x(1).dims)
    work = products(m * n * k, plus=m * n if call.has(2) else 0) + activation(call.attrs.activation, call.y())
    scales = (1 if a.alpha != 1 else 0) + (1 if call.has(2) and a.beta != 1 else 0)
    return work + Work(multiplications=m * n * scales)


def ordered_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (…, M, K), b: (K, N) of 8-bit integers -> y: (…, M, N)."""
    return (typed(call.x(0), matmul_shape_of(call.x(0).dims, call.x(2).dims)[0]),)


def ordered_cost(call: Call) -> Work:
    """QOrderedMatMul. a: (…, M, K), b: (K, N) of 8-bit integers with scales, bias, c -> y: (…, M, N).

    Counted: |y| · K multiply-accumulates, |y| additions each for a bias and for c; one multiplication for each output
    (scale).
    Source: onnxruntime operator QOrderedMatMul.
    """
    n = call.y().size
    plus = n * ((1 if call.has(5) else 0) + (1 if call.has(6) else 0))
    return products(matmul_macs(call.x(0), call.x(2)), plus=plus) + Work(multiplications=n)


def shaped_weight(call: Call) -> tuple[int, int]:
    """(K, N) as the third input of MatMulFpQ4 says."""
    k, n = (v if isinstance(v, int) else -1 for v in pair(integers(call.x(2), "the shape of the weight")))
    require(k >= 1 and n >= 1, "the shape of the weight must be two positive numbers")
    return k, n


def pair(values: tuple[object, ...]) -> tuple[object, object]:
    """Exactly two values."""
    require(len(values) == 2, f"the shape of the weight has {len(values)} values, not 2")
    return values[0], values[1]


def fpq4_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (…, K), packed weight and its shape (K, N) -> y: (…, N)."""
    a = call.x(0)
    k, n = shaped_weight(call)
    agree(a.dims[-1], k, f"the inner dimensions differ: {show(a.dims)} against K {k}")
    return (typed(a, (*a.dims[:-1], n)),)


def fpq4_cost(call: Call) -> Work:
    """MatMulFpQ4. a: (…, K), b: K × N in blocks of 4 bits -> y: (…, N).

    Counted: |y| · K multiply-accumulates.
    Not counted: unpacking the weight.
    Source: onnxruntime operator MatMulFpQ4.
    """
    return products(call.y().size * shaped_weight(call)[0])


def det_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, M, M) -> y: (…)."""
    x = call.x(0)
    require(x.rank >= 2, f"Det needs square matrices, not {show(x.dims)}")
    agree(x.dims[-1], x.dims[-2], f"Det needs square matrices, not {show(x.dims)}")
    return (typed(x, x.dims[:-2]),)


def det_cost(call: Call) -> Work:
    """Det. x: (…, M, M) -> y: (…).

    Counted: elimination, for each matrix M(M-1)/2 divisions, M(M-1)(2M-1)/6 multiplications and as many subtractions;
    then M - 1 multiplications along the diagonal.
    Not counted: the search for pivots.
    Source: ONNX operator Det; Gaussian elimination.
    """
    x = call.x(0).dims
    batch, m = product(x[:-2]), x[axis_of(-1, len(x))]
    inner = floordiv(m * (m - 1) * (m * 2 - 1), 6)
    return Work(
        multiplications=batch * (inner + joins(m)), additions=batch * inner, divisions=batch * floordiv(m * (m - 1), 2)
    )


OPS = (
    Op("QGemm", GemmAttrs, qgemm_shape, qgemm_cost, "matmul", (6, 9), domain=MS, weights=(0, 3, 6)),
    Op("DynamicQuantizeMatMul", NoAttrs, matmul_shape, dynamic_cost, "matmul", (3, 5), domain=MS, weights=(1, 4)),
    Op("MatMulIntegerToFloat", NoAttrs, to_float_shape, to_float_cost, "matmul", (4, 7), domain=MS, weights=(0, 1, 6)),
    Op("MatMulInteger16", NoAttrs, integer16_shape, integer16_cost, "matmul", (2, 2), domain=MS, weights=(0, 1)),
    Op("GemmFastGelu", NoAttrs, matmul_shape, fast_gelu_cost, "matmul", (2, 3), domain=MS, weights=(1, 2)),
    Op("GemmFloat8", Float8Attrs, float8_shape, float8_cost, "matmul", (2, 6), domain=MS, weights=(0, 1, 2)),
    Op("QOrderedMatMul", OrderAttrs, ordered_shape, ordered_cost, "matmul", (5, 8), domain=MS, weights=(2, 5)),
    Op(
        "MatMulFpQ4",
        NoAttrs,
        fpq4_shape,
        fpq4_cost,
        "matmul",
        (3, 3),
        domain=MS,
        weights=(1,),
        logical_weight=lambda call: shaped_weight(call)[0] * shaped_weight(call)[1],
    ),
    Op("Det", NoAttrs, det_shape, det_cost, "matmul", (1, 1)),
)
