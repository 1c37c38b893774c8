"""The geometry of a counted convolution, read back from its record."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from convcost.alternatives import ConvLayer
from convcost.alternatives.layer import numbers
from convcost.ir import DType
from convcost.ops.conv import ConvAttrs, ConvTransposeAttrs, transposed_window
from convcost.ops.windows import window_of
from convcost.record import Layer

CONVOLUTIONS = {
    ("", "Conv"): (1, 2),
    ("", "ConvTranspose"): (1, 2),
    ("", "ConvInteger"): (1, None),
    ("", "QLinearConv"): (3, 8),
    ("com.microsoft", "FusedConv"): (1, 2),
}
"""Operators that are convolutions channels first, and their inputs that are the weight and the bias."""


def convolution_of(layer: Layer) -> ConvLayer | None:
    """The convolution that a row of the report stands for; None for other layers and where a size is open."""
    if (layer.domain, layer.op) not in CONVOLUTIONS:
        return None
    weight, bias = CONVOLUTIONS[layer.domain, layer.op]
    x, w, y = whole(at(layer.inputs, 0)), whole(at(layer.inputs, weight)), whole(at(layer.outputs, 0))
    if len(x) < 3 or len(w) != len(x) or len(y) != len(x):
        return None
    transposed = layer.op == "ConvTranspose"
    extra: tuple[int, ...] = ()
    if transposed:
        wide = msgspec.convert(layer.attributes, ConvTransposeAttrs)
        window, extra = transposed_window(wide, x[2:], w[2:])
        group = wide.group
    else:
        attrs = msgspec.convert(layer.attributes, ConvAttrs)
        window, group = window_of(attrs, x[2:], w[2:]), attrs.group
    return ConvLayer(
        spatial=x[2:],
        c=x[1],
        m=y[1],
        kernel=w[2:],
        group=group,
        strides=window.strides,
        dilations=window.dilations,
        before=numbers(window.before),
        after=numbers(window.after),
        out=y[2:],
        bias=bias is not None and at(layer.inputs, bias) is not None,
        transposed=transposed,
        extra=extra,
        batch=x[0],
        dtype=(DType.from_label(layer.dtype) if layer.dtype else None) or DType.FLOAT32,
    )


def at(shapes: Sequence[list[int | str] | None], i: int) -> list[int | str] | None:
    """Shape i, where there is one."""
    return shapes[i] if i < len(shapes) else None


def whole(shape: list[int | str] | None) -> tuple[int, ...]:
    """A shape of positive numbers, or nothing."""
    found = tuple(d for d in shape or () if isinstance(d, int) and d > 0)
    return found if shape is not None and len(found) == len(shape) else ()


def groups_of_axes(conv: ConvLayer) -> list[tuple[int, ...]]:
    """Axes that look alike, together: a square layer has one group."""
    extra = conv.extra or (0,) * len(conv.kernel)
    keys = list(
        zip(
            conv.spatial, conv.kernel, conv.strides, conv.dilations, conv.before, conv.after, conv.out, extra,
            strict=True,
        )
    )  # fmt: skip
    return [tuple(a for a, k in enumerate(keys) if k == key) for key in dict.fromkeys(keys)]
