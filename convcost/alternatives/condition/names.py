"""What a condition may ask of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from convcost.ops.base import KINDS

Value = int | Fraction | str | tuple[str, ...] | None
"""A fact; several words at once are a layer's kind and its traits, of which one must fit."""

Facts = Mapping[str, Value]

NUMBERS = {
    "kernel": "the largest size of the kernel",
    "kernel_d": "depth of a 3-D kernel",
    "kernel_h": "height of the kernel",
    "kernel_w": "width of the kernel",
    "cin": "input channels",
    "cout": "output channels",
    "stride": "the largest stride",
    "dilation": "the largest dilation",
    "groups": "groups",
    "d": "depth of a 3-D input",
    "h": "height of the input",
    "w": "width of the input",
    "macs": "multiply-accumulates",
    "params": "weights and biases",
    "bytes": "bytes read and written",
    "share": "part of the model's MACs: 0.1 or 10%",
    "index": "number in the table of layers",
}
TEXTS = {
    "kind": "kind or one trait, as the report says: standard, pointwise, depthwise, grouped, transposed, dilated …",
    "name": "name of the layer",
    "op": "operator: Conv, ConvTranspose …",
}
NAMES = NUMBERS | TEXTS
"""What a condition may ask for."""

TRAITS = ("1d", "2d", "3d", "dilated", "strided", "same", "same_lower", "valid", "full", "multiplier", "shuffled")
WORDS = frozenset({*(name for name, _ in KINDS), *TRAITS})
