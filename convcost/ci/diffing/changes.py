"""What is different about one layer: its window, its channels, its input, its type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convcost.record import COUNTED, Change, Cost, Delta, Layer

TITLES = {
    "kernel_shape": "kernel",
    "strides": "stride",
    "dilations": "dilation",
    "pads": "padding",
    "auto_pad": "padding mode",
    "group": "groups",
}
"""Attributes by the names that people know them by."""

SIZES = ("kernel_shape", "strides", "dilations", "output_shape")
"""Attributes that are sizes, one for each axis."""

STANDARD = "ai.onnx"

SPATIAL = ("Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "MaxPool", "AveragePool", "FusedConv")
"""Operators whose inputs are batch × channels × sizes."""

LONGEST = 80
"""Characters of a value that is shown; the two models in the report have all."""

NOTHING = Cost(
    multiplications=0,
    macs=0,
    macs_effective=0,
    additions=0,
    divisions=0,
    comparisons=0,
    special=0,
    flops=0,
    params=0,
    buffers=0,
    weight_bytes=0,
    read_bytes=0,
    write_bytes=0,
    peak_memory_bytes=None,
    intensity=None,
)
"""The cost of a layer that is not there."""


def changes(old: Layer, new: Layer) -> list[Change]:
    """The properties in which two layers differ."""
    out = list(words("op", old.op, new.op))
    out += words("domain", old.domain or STANDARD, new.domain or STANDARD)
    out += words("kind", old.kind, new.kind)
    for name in dict.fromkeys([*TITLES, *old.attributes, *new.attributes]):
        before, after = old.attributes.get(name), new.attributes.get(name)
        sign = "×" if name in SIZES else ","
        out += words(TITLES.get(name, name), value(before, sign), value(after, sign))
    out += shapes("input", old, new, first(old.inputs), first(new.inputs))
    out += shapes("output", old, new, first(old.outputs), first(new.outputs))
    out += words("type", old.dtype, new.dtype)
    out += words("repeats", value(old.repeats), value(new.repeats))
    out += words("weights", sharing(old), sharing(new))
    if not out:
        out += words("inputs", every(old.inputs), every(new.inputs))
        out += words("outputs", every(old.outputs), every(new.outputs))
    return out


def words(what: str, old: str | None, new: str | None) -> Iterator[Change]:
    """A change, if there is one."""
    if old != new:
        yield Change(what=what, old=old, new=new)


def sharing(layer: Layer) -> str:
    """Whose weights a layer uses."""
    return "shared" if layer.shared_weights else "own"


def first(shapes: list[list[int | str] | None]) -> list[int | str] | None:
    """The shape of the data: a layer's first input or output."""
    return shapes[0] if shapes else None


def shapes(
    side: str, old: Layer, new: Layer, before: list[int | str] | None, after: list[int | str] | None
) -> Iterator[Change]:
    """Batch, channels and size apart where both have them; else the whole shape."""
    spatial = old.op in SPATIAL and new.op in SPATIAL
    if spatial and before and after and len(before) == len(after) > 2:
        yield from words(f"{side} batch", str(before[0]), str(after[0]))
        yield from words(f"{side} channels", str(before[1]), str(after[1]))
        yield from words(f"{side} size", value(before[2:]), value(after[2:]))
    else:
        yield from words(side, value(before), value(after))


def every(shapes: list[list[int | str] | None]) -> str:
    """All shapes."""
    return ", ".join(value(shape) or "?" for shape in shapes)


def value(what: Any, sign: str = "×") -> str | None:
    """3×3 for a list, else the value; long ones lose their middle."""
    if what is None:
        return None
    text = sign.join(map(str, what)) if isinstance(what, list) else str(what)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 + 1 :]}"


def delta(metric: str, old: int | None, new: int | None, *, exact: bool = True) -> Delta:
    """One quantity, before and after."""
    change = new - old if old is not None and new is not None else None
    relative = change / old if change is not None and old else None
    return Delta(metric=metric, old=old, new=new, change=change, relative=relative, exact=exact)


def cost_deltas(old: Cost, new: Cost) -> list[Delta]:
    """The quantities of a layer that differ, or that are not known on one side."""
    pairs = ((name, getattr(old, name), getattr(new, name)) for name in COUNTED)
    return [
        delta(name, before, after)
        for name, before, after in pairs
        if before != after or (before is None and old.symbolic.get(name) != new.symbolic.get(name))
    ]
