"""Causal convolution that carries its state from one call to the next."""

from __future__ import annotations

from convcost.errors import Unknown
from convcost.ir import Dim, Tensor
from convcost.ops.base import Attrs, Call, Kind, Op, Work, agree, products, require, show, typed
from convcost.ops.fused import activation
from convcost.window import taps_inside


class CausalAttrs(Attrs, frozen=True):
    """Attributes of CausalConvWithState; onnxruntime's own has more than ONNX's."""

    activation: str = "none"
    channels_last: int = 0
    dilation: int = 1
    ndim: int = 1
    state_window: int = 0


def causal_sizes(call: Call) -> tuple[Dim, Dim, Dim, Dim]:
    """(B, C, L, k) of x: (B, C, L) and w: (C, 1, k), checked."""
    a, x, w = call.attrs, call.x(0).dims, call.x(1).dims
    if a.ndim != 1 or a.channels_last or a.state_window:
        raise Unknown("this form of CausalConvWithState has no rule: more than one axis, channels last, or a window")
    require(len(x) == 3 and len(w) == 3, f"the input {show(x)} and the weight {show(w)} need rank 3")
    require(a.dilation >= 1, f"the dilation {a.dilation} is less than 1")
    c = agree(x[1], w[0], f"the weight {show(w)} is for {w[0]} channels, the input {show(x)} has {x[1]}")
    agree(w[1], 1, f"the weight {show(w)} is not depthwise")
    require(w[2] != 0, "the kernel has a size of zero")
    return x[0], c, x[2], w[2]


def causal_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (B, C, L), w: (C, 1, k), state: (B, C, k-1) -> y: (B, C, L), state: (B, C, d(k-1))."""
    x = call.x(0)
    b, c, _, k = causal_sizes(call)
    return typed(x, x.dims), typed(x, (b, c, (k - 1) * call.attrs.dilation))


def causal_cost(call: Call) -> Work:
    """CausalConvWithState. x: (B, C, L), w: (C, 1, k), b: (C), state: (B, C, k-1) -> y: (B, C, L), state.

    Counted: B·C·L·k multiply-accumulates, and |y| additions for a bias; SiLU: Sigmoid and one multiplication for each
    element.
    Effective: without the products with the zeros that stand for an absent state.
    Source: ONNX operator CausalConvWithState.
    """
    a, y = call.attrs, call.y()
    b, c, length, k = causal_sizes(call)
    macs = y.size * k
    plus = y.size if call.has(2) else 0
    work = products(macs, plus=plus)
    if not call.has(3):
        try:
            inside = taps_inside(length, k, 1, a.dilation, (k - 1) * a.dilation, 0, length)
            work = products(macs, effective=b * c * inside, plus=plus)
        except Unknown:
            work = products(macs, plus=plus, effective_unknown=True)
    if a.activation in ("silu", "swish"):
        return work + activation("Sigmoid", y) + Work(multiplications=y.size)
    require(a.activation == "none", f"activation '{a.activation[:40]}' is not none, silu or swish")
    return work


def causal_kind(call: Call) -> Kind:
    """Depthwise, of one axis."""
    return Kind("depthwise", ("1d", *(("dilated",) if call.attrs.dilation > 1 else ())))


MS = "com.microsoft"

OPS = (
    Op("CausalConvWithState", CausalAttrs, causal_shape, causal_cost, causal_kind, (2, 4), (1, 2), weights=(1, 2)),
    Op(
        "CausalConvWithState",
        CausalAttrs,
        causal_shape,
        causal_cost,
        causal_kind,
        (2, 4),
        (1, 2),
        domain=MS,
        weights=(1, 2),
    ),
)
