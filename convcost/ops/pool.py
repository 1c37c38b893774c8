"""Pooling: windows, whole images, their inverse and their quantised and channels-last forms."""

from __future__ import annotations

from typing import Any

from convcost.ir import Dim, DType, Shape, Tensor, product
from convcost.ops.base import (
    Attrs,
    Call,
    CostRule,
    NoAttrs,
    Op,
    Work,
    free,
    integers,
    joins,
    require,
    show,
    typed,
)
from convcost.ops.windows import MAX_SPATIAL, Window, WindowAttrs, per_axis, window_of, window_sizes
from convcost.window import transposed_size


class PoolAttrs(WindowAttrs, frozen=True):
    """Attributes of pooling windows; `p` is the norm of LpPool."""

    ceil_mode: int = 0
    count_include_pad: int = 0
    storage_order: int = 0
    p: int = 2
    channels_last: int = 0


class GlobalAttrs(Attrs, frozen=True):
    """Attributes of pooling over whole images."""

    p: int = 2
    channels_last: int = 0


def whole_p(_: int, raw: dict[str, Any]) -> dict[str, Any]:
    """The first version of LpPool stores its norm as a float."""
    if isinstance(raw.get("p"), float):
        raw["p"] = int(raw["p"])
    return raw


def channels_first(x: Shape, *, last: bool) -> Shape:
    """(N, *I, C) as (N, C, *I)."""
    return (x[0], x[-1], *x[1:-1]) if last else x


def channels_back(y: Shape, *, last: bool) -> Shape:
    """(N, C, *O) as (N, *O, C)."""
    return (y[0], *y[2:], y[1]) if last else y


def pool_window(a: PoolAttrs, x: Shape) -> Window:
    """The window over x: (N, C, *I), checked."""
    require(len(x) >= 3, f"pooling needs an input of at least 3 dimensions (N, C, D1 …), not {show(x)}")
    require(len(x) - 2 <= MAX_SPATIAL, f"{len(x) - 2} spatial dimensions are over the limit of {MAX_SPATIAL}")
    require(bool(a.kernel_shape), "the attribute kernel_shape is missing")
    return window_of(a, x[2:], per_axis(a.kernel_shape, len(x) - 2, 1, 1, "kernel_shape"))


def pool_output(a: PoolAttrs, x: Shape) -> Shape:
    """(N, C, *O) of a window over x: (N, C, *I)."""
    last = a.channels_last != 0
    first = channels_first(x, last=last)
    win = pool_window(a, first)
    return channels_back((first[0], first[1], *window_sizes(a, first[2:], win, ceil=a.ceil_mode != 0)), last=last)


def pool_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I) -> y: (N, C, *O), O = floor or ceil((I + pb + pe - k') / s) + 1."""
    x = call.x(0)
    return (typed(x, pool_output(call.attrs, x.dims)),)


def max_pool_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I) -> y: (N, C, *O) and the indices of the maxima, of the same shape."""
    x = call.x(0)
    out = pool_output(call.attrs, x.dims)
    return typed(x, out), typed(x, out, dtype=DType.INT64)


def max_pool_cost(call: Call) -> Work:
    """MaxPool. x: (N, C, *I), window *K -> y: (N, C, *O).

    Counted: ΠK - 1 comparisons for each output, windows at the border in full.
    Source: ONNX operator MaxPool.
    """
    return Work(comparisons=call.y().size * (product(call.attrs.kernel_shape) - 1))


def average_pool_cost(call: Call) -> Work:
    """AveragePool. x: (N, C, *I), window *K -> y: (N, C, *O).

    Counted: ΠK - 1 additions and one division for each output, windows at the border in full.
    Source: ONNX operator AveragePool.
    """
    return average_of(call.y().size, product(call.attrs.kernel_shape))


def average_of(groups: Dim, k: Dim) -> Work:
    """The means of `groups` sets of k elements."""
    return Work(additions=groups * joins(k), divisions=groups)


def norms_of(groups: Dim, k: Dim, p: int) -> Work:
    """The p-norms of `groups` sets of k elements: (Σ|x|^p)^(1/p)."""
    sums = Work(additions=groups * joins(k))
    if p == 1:
        return sums + Work(comparisons=groups * k)
    if p == 2:
        return sums + Work(multiplications=groups * k, special=groups)
    return sums + Work(comparisons=groups * k, special=groups * k + groups)


def lp_pool_cost(call: Call) -> Work:
    """LpPool. x: (N, C, *I), window *K, norm p -> y: (N, C, *O).

    Counted: for each output ΠK - 1 additions; p = 2: ΠK multiplications and one root; p = 1: ΠK comparisons (absolute
    values); else ΠK comparisons, ΠK powers and one root.
    Source: ONNX operator LpPool.
    """
    return norms_of(call.y().size, product(call.attrs.kernel_shape), call.attrs.p)


def global_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I) -> y: (N, C, 1, …)."""
    x = call.x(0)
    require(x.rank >= 2, f"global pooling needs an input of at least 2 dimensions, not {show(x.dims)}")
    last = getattr(call.attrs, "channels_last", 0) != 0
    first = channels_first(x.dims, last=last)
    return (typed(x, channels_back((first[0], first[1]) + (1,) * (x.rank - 2), last=last)),)


def global_window(call: Call) -> tuple[Dim, Dim]:
    """(N·C, ΠI): how many images are pooled, and their size."""
    x = channels_first(call.x(0).dims, last=getattr(call.attrs, "channels_last", 0) != 0)
    return x[0] * x[1], product(x[2:])


def global_average_cost(call: Call) -> Work:
    """GlobalAveragePool. x: (N, C, *I) -> y: (N, C, 1, …).

    Counted: ΠI - 1 additions and one division for each output.
    Source: ONNX operator GlobalAveragePool.
    """
    return average_of(*global_window(call))


def global_max_cost(call: Call) -> Work:
    """GlobalMaxPool. x: (N, C, *I) -> y: (N, C, 1, …).

    Counted: ΠI - 1 comparisons for each output.
    Source: ONNX operator GlobalMaxPool.
    """
    images, size = global_window(call)
    return Work(comparisons=images * joins(size))


def global_lp_cost(call: Call) -> Work:
    """GlobalLpPool. x: (N, C, *I), norm p -> y: (N, C, 1, …).

    Counted: as LpPool with a window of the whole image.
    Source: ONNX operator GlobalLpPool.
    """
    return norms_of(*global_window(call), call.attrs.p)


def max_unpool_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I) and its indices -> y: (N, C, *O), O = s(I-1) + k - pb - pe, or as the third input says."""
    x = call.x(0)
    if call.has(2):
        return (typed(x, integers(call.x(2), "the output shape of MaxUnpool")),)
    win = pool_window(call.attrs, x.dims)
    out = [
        transposed_size(i, k, s, 1, pb, pe)
        for i, k, s, pb, pe in zip(x.dims[2:], win.kernel, win.strides, win.before, win.after, strict=True)
    ]
    for o in out:
        require(not isinstance(o, int) or o >= 0, f"the padding exceeds the output size {o}")
    return (typed(x, (x.dims[0], x.dims[1], *out)),)


def quantized_average_cost(call: Call) -> Work:
    """QLinearAveragePool. x: (N, C, *I) or (N, *I, C) of integers, window *K -> y: (N, C, *O) or (N, *O, C).

    Counted: ΠK - 1 additions and one division for each output, and to requantise one multiplication and one addition.
    Not counted: rounding and saturation.
    Source: onnxruntime operator QLinearAveragePool.
    """
    n = call.y().size
    return average_pool_cost(call) + Work(multiplications=n, additions=n)


def quantized_global_average_cost(call: Call) -> Work:
    """QLinearGlobalAveragePool. x: (N, C, *I) or (N, *I, C) of integers -> y: (N, C, 1, …) or (N, 1, …, C).

    Counted: as GlobalAveragePool, and to requantise one multiplication and one addition for each output.
    Not counted: rounding and saturation.
    Source: onnxruntime operator QLinearGlobalAveragePool.
    """
    n = call.y().size
    return global_average_cost(call) + Work(multiplications=n, additions=n)


def always_last(_: int, raw: dict[str, Any]) -> dict[str, Any]:
    """Nhwc operators have their channels last."""
    return raw | {"channels_last": 1}


def _window(name: str, cost: CostRule, **more: Any) -> Op:
    given: dict[str, Any] = {"attrs": PoolAttrs, "shape": pool_shape, "kind": "pool", "inputs": (1, 1)} | more
    return Op(name=name, cost=cost, **given)


def _whole(name: str, cost: CostRule, **more: Any) -> Op:
    given: dict[str, Any] = {"attrs": NoAttrs, "shape": global_shape, "kind": "pool", "inputs": (1, 1)} | more
    return Op(name=name, cost=cost, **given)


MS = "com.microsoft"
NCHWC = "com.microsoft.nchwc"

OPS = (
    _window("MaxPool", max_pool_cost, shape=max_pool_shape, outputs=(1, 2)),
    _window("AveragePool", average_pool_cost),
    _window("LpPool", lp_pool_cost, upgrade=whole_p),
    _window("MaxUnpool", free, shape=max_unpool_shape, inputs=(2, 3)),
    _whole("GlobalAveragePool", global_average_cost),
    _whole("GlobalMaxPool", global_max_cost),
    _whole("GlobalLpPool", global_lp_cost, attrs=GlobalAttrs, upgrade=whole_p),
    _window("NhwcMaxPool", max_pool_cost, domain=MS, upgrade=always_last),
    _window("MaxpoolWithMask", max_pool_cost, domain=MS, inputs=(2, 2)),
    _window("QLinearAveragePool", quantized_average_cost, domain=MS, inputs=(4, 5)),
    _whole("QLinearGlobalAveragePool", quantized_global_average_cost, domain=MS, attrs=GlobalAttrs, inputs=(5, 5)),
    _window("MaxPool", max_pool_cost, domain=NCHWC),
    _window("AveragePool", average_pool_cost, domain=NCHWC),
    _whole("GlobalAveragePool", global_average_cost, domain=NCHWC),
    _whole("GlobalMaxPool", global_max_cost, domain=NCHWC),
)
