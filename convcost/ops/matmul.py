"""Matrix products: MatMul, Gemm, and their fused, integer and packed forms."""

from __future__ import annotations

from convcost.ir import Dim, DType, Shape, Tensor, product
from convcost.ops.base import Attrs, Call, NoAttrs, Op, Work, agree, broadcast, products, require, show, typed
from convcost.ops.fused import activation, requantize


class GemmAttrs(Attrs, frozen=True):
    """Attributes of Gemm; any number but 0 means transposed."""

    alpha: float = 1.0
    beta: float = 1.0
    transA: int = 0  # noqa: N815 - ONNX's name
    transB: int = 0  # noqa: N815 - ONNX's name


class FusedGemmAttrs(GemmAttrs, frozen=True):
    """Gemm with an activation function."""

    activation: str = ""


class FusedMatMulAttrs(Attrs, frozen=True):
    """MatMul with a scale, transposed operands and an activation function."""

    alpha: float = 1.0
    transA: int = 0  # noqa: N815 - onnxruntime's name
    transB: int = 0  # noqa: N815 - onnxruntime's name
    transBatchA: int = 0  # noqa: N815 - onnxruntime's name
    transBatchB: int = 0  # noqa: N815 - onnxruntime's name
    activation: str = ""


class PackedAttrs(Attrs, frozen=True):
    """A weight of K × N in blocks of few bits."""

    K: int
    N: int


def matmul_shape_of(a: Shape, b: Shape) -> tuple[Shape, Dim]:
    """The shape of A·B, as NumPy's matmul has it, and the inner size K."""
    require(
        len(a) >= 1 and len(b) >= 1, f"a matrix product needs operands of rank 1 or more, not {show(a)} and {show(b)}"
    )
    inner, *columns = b[-2:]
    k = agree(a[-1], inner, f"the inner dimensions of {show(a)} and {show(b)} differ: {a[-1]} and {inner}")
    return (*broadcast(a[:-2], b[:-2]), *a[-2:-1], *columns), k


def matmul_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (…, M, K), b: (…, K, N) -> y: (…, M, N)."""
    return (typed(call.x(0), matmul_shape_of(call.x(0).dims, call.x(1).dims)[0]),)


def matmul_macs(a: Tensor, b: Tensor) -> Dim:
    """|y| · K."""
    y, k = matmul_shape_of(a.dims, b.dims)
    return product(y) * k


def matmul_cost(call: Call) -> Work:
    """MatMul. a: (…, M, K), b: (…, K, N), leading dimensions broadcast -> y: (…, M, N).

    Counted: |y| · K multiply-accumulates.
    Source: ONNX operator MatMul.
    """
    return products(matmul_macs(call.x(0), call.x(1)))


def gemm_operands(a: GemmAttrs, left: Shape, right: Shape) -> tuple[Dim, Dim, Dim]:
    """(M, N, K) of two matrices, transposed as the attributes say."""
    require(len(left) == 2 and len(right) == 2, f"Gemm needs matrices (rank 2), not {show(left)} and {show(right)}")
    m, k1 = left[::-1] if a.transA else left
    k2, n = right[::-1] if a.transB else right
    k = agree(k1, k2, f"the inner dimensions of {show(left)} and {show(right)} differ: {k1} and {k2}")
    return m, n, k


def gemm_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (M, K), b: (K, N), c broadcast to (M, N) -> y: (M, N)."""
    a = call.x(0)
    m, n, _ = gemm_operands(call.attrs, a.dims, call.x(1).dims)
    c = call.optional(2)
    if c is not None and c.shape is not None:
        require(broadcast(c.shape, (m, n)) == (m, n), f"C {show(c.shape)} does not broadcast to {show((m, n))}")
    return (typed(a, (m, n)),)


def gemm_cost(call: Call) -> Work:
    """Gemm. a: (M, K), b: (K, N), c broadcast to (M, N) -> y: α·A·B + β·C.

    Counted: M·N·K multiply-accumulates; M·N multiplications for α other than 1; with c M·N additions, and |c|
    multiplications for β other than 1.
    Source: ONNX operator Gemm.
    """
    a = call.attrs
    m, n, k = gemm_operands(a, call.x(0).dims, call.x(1).dims)
    work = products(m * n * k, plus=m * n if call.has(2) else 0)
    if a.alpha != 1:
        work += Work(multiplications=m * n)
    if call.has(2) and a.beta != 1:
        work += Work(multiplications=call.x(2).size)
    return work


def integer_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (…, M, K), b: (…, K, N) -> y: (…, M, N) of int32."""
    return (typed(call.x(0), matmul_shape_of(call.x(0).dims, call.x(1).dims)[0], dtype=DType.INT32),)


def integer_cost(call: Call) -> Work:
    """MatMulInteger. a: (…, M, K), b: (…, K, N) of integers -> y: (…, M, N) of int32.

    Counted: |y| · K multiply-accumulates.
    Not counted: subtraction of the zero points.
    Source: ONNX operator MatMulInteger.
    """
    return products(matmul_macs(call.x(0), call.x(1)))


def qlinear_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (…, M, K), b: (…, K, N) -> y: (…, M, N), with the type of the output's zero point."""
    zero = call.x(7)
    return (typed(zero, matmul_shape_of(call.x(0).dims, call.x(3).dims)[0]),)


def qlinear_cost(call: Call) -> Work:
    """QLinearMatMul. a: (…, M, K), b: (…, K, N) of integers with scales and zero points -> y: (…, M, N).

    Counted: |y| · K multiply-accumulates; to requantise one multiplication and one addition for each output.
    Not counted: subtraction of the operands' zero points, rounding and saturation.
    Source: ONNX operator QLinearMatMul.
    """
    return products(matmul_macs(call.x(0), call.x(3))) + requantize(call.y())


def transposed(x: Shape, *, last: bool, batch: bool) -> Shape:
    """`x` with its last two dimensions exchanged, or its first brought before the last (transBatch)."""
    if batch:
        require(len(x) >= 2, f"a transposed batch needs 2 dimensions or more, not {show(x)}")
        x = (*x[1:-1], x[0], x[-1])
    return (*x[:-2], x[-1], x[-2]) if last and len(x) > 1 else x


def fused_operands(call: Call) -> tuple[Shape, Dim]:
    """The shape of A·B with the operands transposed, and K."""
    a = call.attrs
    left = transposed(call.x(0).dims, last=a.transA != 0, batch=a.transBatchA != 0)
    right = transposed(call.x(1).dims, last=a.transB != 0, batch=a.transBatchB != 0)
    return matmul_shape_of(left, right)


def fused_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (…, M, K), b: (…, K, N), each transposed if so said -> y: (…, M, N)."""
    return (typed(call.x(0), fused_operands(call)[0]),)


def fused_cost(call: Call) -> Work:
    """FusedMatMul. a: (…, M, K), b: (…, K, N), each transposed if so said -> y: f(α·A·B).

    Counted: |y| · K multiply-accumulates; |y| multiplications for α other than 1; the activation function f.
    Source: onnxruntime operators FusedMatMul, TransposeMatMul, FusedMatMulActivation.
    """
    y, k = fused_operands(call)
    work = products(product(y) * k) + activation(call.attrs.activation, call.y())
    return work + Work(multiplications=product(y)) if call.attrs.alpha != 1 else work


def fused_gemm_cost(call: Call) -> Work:
    """FusedGemm. a: (M, K), b: (K, N), c broadcast to (M, N) -> y: f(α·A·B + β·C).

    Counted: as Gemm, and the activation function f.
    Source: onnxruntime operator FusedGemm.
    """
    return gemm_cost(call) + activation(call.attrs.activation, call.y())


def packed_shape(call: Call) -> tuple[Tensor, ...]:
    """a: (…, K), packed weight -> y: (…, N)."""
    a, k, n = call.x(0), call.attrs.K, call.attrs.N
    require(a.rank >= 1, "the input needs at least 1 dimension")
    require(k >= 1 and n >= 1, f"K {k} and N {n} must be at least 1")
    agree(a.dims[-1], k, f"the inner dimensions differ: {show(a.dims)} against K {k}")
    return (typed(a, (*a.dims[:-1], n)),)


def packed_cost(call: Call) -> Work:
    """MatMulNBits. a: (…, K), b: K × N in blocks of few bits -> y: (…, N).

    Counted: |y| · K multiply-accumulates, and |y| additions for a bias.
    Not counted: unpacking the weight.
    Source: onnxruntime operators MatMulNBits and MatMulBnb4.
    """
    return products(call.y().size * call.attrs.K, plus=call.y().size if call.has(5) else 0)


def packed_weight(call: Call) -> Dim:
    """K · N, which the packed bytes stand for."""
    k: int = call.attrs.K
    n: int = call.attrs.N
    return k * n


MS = "com.microsoft"

OPS = (
    Op("MatMul", NoAttrs, matmul_shape, matmul_cost, "matmul", (2, 2), weights=(0, 1)),
    Op("Gemm", GemmAttrs, gemm_shape, gemm_cost, "matmul", (2, 3), weights=(0, 1, 2)),
    Op("MatMulInteger", NoAttrs, integer_shape, integer_cost, "matmul", (2, 4), weights=(0, 1)),
    Op("QLinearMatMul", NoAttrs, qlinear_shape, qlinear_cost, "matmul", (8, 8), weights=(0, 3)),
    Op("FusedMatMul", FusedMatMulAttrs, fused_shape, fused_cost, "matmul", (2, 2), domain=MS, weights=(0, 1)),
    Op("TransposeMatMul", FusedMatMulAttrs, fused_shape, fused_cost, "matmul", (2, 2), domain=MS, weights=(0, 1)),
    Op("FusedMatMulActivation", FusedMatMulAttrs, fused_shape, fused_cost, "matmul", (2, 2), domain=MS, weights=(0, 1)),
    Op("FusedGemm", FusedGemmAttrs, gemm_shape, fused_gemm_cost, "matmul", (2, 3), domain=MS, weights=(0, 1, 2)),
    Op(
        "MatMulNBits",
        PackedAttrs,
        packed_shape,
        packed_cost,
        "matmul",
        (3, 6),
        domain=MS,
        weights=(1, 5),
        logical_weight=packed_weight,
    ),
    Op(
        "MatMulBnb4",
        PackedAttrs,
        packed_shape,
        packed_cost,
        "matmul",
        (3, 3),
        domain=MS,
        weights=(1,),
        logical_weight=packed_weight,
    ),
)
