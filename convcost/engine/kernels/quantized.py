"""Integers with scales: quantisation, and the products and sums of quantised tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convcost.engine.kernels import Binder, Bound, Kernel, Options, Simple
from convcost.engine.kernels.matmul import integer_product, product
from convcost.engine.values import Array, Value
from convcost.ir import Node

SHORT_TYPES = 19
"""Since this version the integers may be of types that NumPy lacks; the zero point tells them."""


def along(v: Any, rank: int, axis: int) -> Any:
    """A scale or zero point as it broadcasts: a scalar, or one for each slice along `axis`."""
    if v.ndim == 0 or v.size == 1:
        return v.reshape(())
    if v.ndim > 1:
        return v
    return v.reshape((1,) * (axis % rank) + (-1,) + (1,) * (rank - 1 - axis % rank))


def saturated(x: Any, dtype: Any) -> Array:
    """Rounded to the nearest (ties to even) and kept within an integer type."""
    info = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(x), info.min, info.max)).astype(dtype)


def plain(*dtypes: Any) -> bool:
    """Whether all are integer types that NumPy has."""
    return all(np.dtype(d).kind in "iu" for d in dtypes)


def quantize(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """round(x / scale) + zero point, saturated."""
    x, scale = inputs[0], inputs[1]
    zero = inputs[2] if len(inputs) > 2 and inputs[2] is not None else np.array(0, np.uint8)
    s, z = (along(v, x.ndim, attrs.axis) for v in (scale, zero))
    info = np.iinfo(zero.dtype)
    y = np.rint(x / s.astype(x.dtype, copy=False))
    y += z
    return [np.clip(y, info.min, info.max).astype(zero.dtype)]


def dequantize(attrs: Any, inputs: list[Value], _: int) -> list[Value]:
    """(x - zero point) · scale."""
    x, scale = inputs[0], inputs[1]
    s = along(scale, x.ndim, attrs.axis)
    wide = x.astype(np.int32) if x.dtype.itemsize < 4 else x
    if len(inputs) > 2 and inputs[2] is not None:
        wide = wide - along(inputs[2], x.ndim, attrs.axis).astype(wide.dtype)
    return [(wide * s).astype(scale.dtype)]


def simple_linear(node: Node, constants: list[Value], _: Options) -> Bound | None:
    """Quantisation by tensor or axis to plain integers; blocks and short types are left to the reference."""
    if node.attrs.block_size or node.attrs.output_dtype:
        return None
    if node.since_version >= SHORT_TYPES:
        zero = constants[2] if len(constants) > 2 else None
        given = len(node.inputs) > 2 and bool(node.inputs[2])
        if (given or node.op == "DequantizeLinear") and (zero is None or not plain(zero.dtype)):
            return None
    kernel = quantize if node.op == "QuantizeLinear" else dequantize
    return Simple("ufunc", kernel, node.attrs, len(node.outputs))


def requantized(exact: Any, scale: Any, zero: Any) -> Array:
    """Int32 sums times a scale, plus a zero point, rounded and saturated to the type of the zero point."""
    return saturated(np.rint(exact * scale) + zero.astype(np.float32), zero.dtype)


def shifted(x: Array, zero: Any) -> Array:
    """X minus its zero point as int32."""
    return np.asarray(x.astype(np.int32) - zero.astype(np.int32))


def qlinear_matmul(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """A B with scales: a, a scale, a zero, b, b scale, b zero, y scale, y zero."""
    a, sa, za, b, sb, zb, sy, zy = inputs
    rows = [v.reshape(-1, 1) if v.ndim == 1 and v.size > 1 else v for v in (sa, za)]
    sums = integer_product(shifted(a, rows[1]), shifted(b, zb))
    return [requantized(sums, rows[0] * sb / sy, zy)]


def qlinear_binary(op: Any) -> Kernel:
    """F of two quantised tensors: a, a scale, a zero, b, b scale, b zero, y scale, y zero (or none)."""

    def run(_: Any, inputs: list[Value], __: int) -> list[Value]:
        a, sa, za, b, sb, zb, sy = inputs[:7]
        zy = inputs[7] if len(inputs) > 7 and inputs[7] is not None else np.array(0, a.dtype)
        za, zb = (np.array(0, a.dtype) if z is None else z for z in (za, zb))
        real = op(shifted(a, za) * sa, shifted(b, zb) * sb)
        return [saturated(np.rint(real / sy) + zy.astype(np.float32), a.dtype)]

    return run


def matmul_n_bits(node: Node, constants: list[Value], _: Options) -> Bound | None:
    """MatMulNBits: A (…, K) by a weight of N rows in blocks of a few bits with scales; unpacked once."""
    raw = dict(node.raw)
    k, n, bits, block = (
        int(raw.get(name, default)) for name, default in (("K", 0), ("N", 0), ("bits", 4), ("block_size", 32))
    )
    packed, scales = constants[1], constants[2]
    zeros = constants[3] if len(constants) > 3 else None
    has_zeros = len(node.inputs) > 3 and bool(node.inputs[3])
    if packed is None or scales is None or (has_zeros and zeros is None) or (len(node.inputs) > 4 and node.inputs[4]):
        return None
    blocks = -(-k // block)
    q = unpack(packed.reshape(n, blocks, -1), bits, block).astype(np.float32)
    if zeros is None:
        z: Any = np.float32(1 << (bits - 1))
    elif zeros.dtype == scales.dtype:
        z = zeros.reshape(n, blocks, 1)
    else:
        z = unpack(zeros.reshape(n, -1), bits, blocks)[:, :, None].astype(np.float32)
    weight = ((q - z) * scales.reshape(n, blocks, 1).astype(np.float32)).reshape(n, -1)[:, :k]
    matrix = np.ascontiguousarray(weight.T)

    def run(_: Any, inputs: list[Value], __: int) -> list[Value]:
        bias = inputs[5] if len(inputs) > 5 else None
        y = product(inputs[0], matrix.astype(inputs[0].dtype, copy=False))
        return [y if bias is None else y + bias]

    return Simple("gemm, unpacked", run, node.attrs, 1)


def unpack(packed: Array, bits: int, count: int) -> Array:
    """The last axis of bytes as `count` unsigned integers of a few bits, the first in the lowest."""
    flat = np.unpackbits(packed.astype(np.uint8), axis=-1, bitorder="little")
    flat = flat[..., : count * bits].reshape(*packed.shape[:-1], count, bits)
    weights = (1 << np.arange(bits)).astype(np.uint16)
    return np.asarray((flat * weights).sum(axis=-1, dtype=np.uint16))


def quant(node: Node, _: list[Value], __: Options) -> Bound | None:
    """Quant of QONNX: x in steps of a scale, within the range of a bit width, as floats."""
    raw = dict(node.raw)
    mode = str(raw.get("rounding_mode", "ROUND")).upper()
    rounders: dict[str, Any] = {"ROUND": np.rint, "FLOOR": np.floor, "CEIL": np.ceil, "ROUND_TO_ZERO": np.trunc}
    if mode not in rounders:
        return None
    signed, narrow = bool(raw.get("signed", 1)), bool(raw.get("narrow", 0))

    def run(_: Any, inputs: list[Value], __: int) -> list[Value]:
        x, scale, zero, width = inputs
        high = 2.0 ** (float(width.reshape(-1)[0]) - signed) - 1 - (narrow and not signed)
        low = (-high - (not narrow)) if signed else 0.0
        steps = np.clip(rounders[mode](x / scale + zero), low, high)
        return [((steps - zero) * scale).astype(x.dtype, copy=False)]

    return Simple("ufunc", run, node.attrs, 1)


def float_product(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """MatMulIntegerToFloat: a, b, a scale, b scale, a zero, b zero, bias."""
    a, b, sa, sb = inputs[:4]
    rest: list[Any] = [*inputs[4:], *[None] * (7 - len(inputs))]
    za, zb, bias = rest
    sums = integer_product(shifted(a, np.array(0) if za is None else za), shifted(b, np.array(0) if zb is None else zb))
    y = sums * (sa * sb)
    return [(y if bias is None else y + bias).astype(sa.dtype, copy=False)]


def dynamic_matmul(_: Any, inputs: list[Value], __: int) -> list[Value]:
    """DynamicQuantizeMatMul: a float A is quantised to uint8, then multiplied."""
    a, b, sb = inputs[:3]
    rest: list[Any] = [*inputs[3:], *[None] * (5 - len(inputs))]
    zb, bias = rest
    q, scale, zero = dynamic(a)
    y = integer_product(shifted(q, zero), shifted(b, np.array(0) if zb is None else zb)) * (scale * sb)
    return [(y if bias is None else y + bias).astype(a.dtype, copy=False)]


def dynamic(x: Array) -> tuple[Array, Array, Array]:
    """(uint8, scale, zero point) of DynamicQuantizeLinear."""
    low, high = min(float(x.min(initial=0)), 0.0), max(float(x.max(initial=0)), 0.0)
    scale = np.float32(high - low) / np.float32(255)
    if not scale or not math.isfinite(scale):
        scale = np.float32(1)
    zero = saturated(np.float32(-low) / scale, np.uint8)
    return saturated(np.rint(x / scale) + zero, np.uint8), np.asarray(scale, np.float32), zero


KERNELS: dict[tuple[str, str, str], Kernel] = {
    ("", "DynamicQuantizeLinear", "ufunc"): lambda _, inputs, __: list(dynamic(inputs[0])),
    ("", "QLinearMatMul", "gemm"): qlinear_matmul,
    ("com.microsoft", "QLinearAdd", "ufunc"): qlinear_binary(np.add),
    ("com.microsoft", "QLinearMul", "ufunc"): qlinear_binary(np.multiply),
    ("com.microsoft", "MatMulIntegerToFloat", "gemm"): float_product,
    ("com.microsoft", "DynamicQuantizeMatMul", "gemm"): dynamic_matmul,
}

BINDERS: dict[tuple[str, str], Binder] = {
    ("", "QuantizeLinear"): simple_linear,
    ("", "DequantizeLinear"): simple_linear,
    ("com.microsoft", "MatMulNBits"): matmul_n_bits,
    ("onnx.brevitas", "Quant"): quant,
    ("qonnx.custom_op.general", "Quant"): quant,
    ("qonnx.custom_op.general", "IntQuant"): quant,
}
