"""The other paddings: full, same and valid."""

from __future__ import annotations

import msgspec

from convcost.alternatives.chain import number, sizes_after, written
from convcost.alternatives.idea import Form, Idea
from convcost.alternatives.layer import ConvLayer, Skip, need
from convcost.window import effective_kernel, same_padding, transposed_size

Pads = tuple[tuple[int, int], ...]


def modes(layer: ConvLayer) -> tuple[tuple[str, Pads], ...]:
    """(before, after) along each axis for each mode."""
    axes = list(zip(layer.spatial, layer.kernel, layer.strides, layer.dilations, strict=True))
    most = [number(effective_kernel(k, d)) - 1 for _, k, _, d in axes]
    same = [tuple(map(number, same_padding(*axis))) for axis in axes]
    return (
        ("valid", tuple((0, 0) for _ in axes)),
        ("same", tuple((p[0], p[1]) for p in same)),
        ("full", tuple((p, p) for p in most)),
    )


def mode_of(layer: ConvLayer) -> str:
    """The name of a layer's padding, nothing where it has none. A 1×1 kernel counts as same."""
    names = [name for name, pads in modes(layer) if tuple(zip(layer.before, layer.after, strict=True)) == pads]
    return "same" if names and not layer.large else names[0] if names else ""


def like(layer: ConvLayer, other: ConvLayer) -> ConvLayer:
    """`other` with the padding of `layer`, by its name where it has one, and the output that follows."""
    mode = "" if layer.transposed else mode_of(layer)
    if mode:
        pads = dict(modes(other))[mode]
        other = msgspec.structs.replace(other, before=tuple(b for b, _ in pads), after=tuple(e for _, e in pads))
    if not layer.transposed:
        return msgspec.structs.replace(other, out=sizes_after(other.spatial, other.window))
    columns = (other.spatial, other.kernel, other.strides, other.dilations, other.before, other.after, other.extra)
    return msgspec.structs.replace(
        other, out=tuple(number(transposed_size(*axis)) for axis in zip(*columns, strict=True))
    )


def propose(layer: ConvLayer) -> tuple[Form, ...]:
    """The layer with each padding that is not its own; all change the output's size."""
    need(layer.large, "a 1×1 kernel needs no padding")
    forms = []
    for name, pads in modes(layer):
        if tuple(zip(layer.before, layer.after, strict=True)) == pads:
            continue
        other = msgspec.structs.replace(layer, before=tuple(b for b, _ in pads), after=tuple(e for _, e in pads))
        try:
            other = msgspec.structs.replace(other, out=sizes_after(layer.spatial, other.window))
        except Skip:
            continue
        forms.append(Form(f"padding: {name}", written(other), extra=True))
    return tuple(forms)


IDEA = Idea(
    name="padding",
    summary="valid takes windows inside the input only, same keeps its size, full takes every window that touches it",
    when="a kernel larger than 1",
    becomes="I -(k×k×C×M valid | same | full)-> I-k+1 | I | I+k-1",
    cost="k²·C·M for each output: (I-k+1)², I² or (I+k-1)² of them",
    keeps=("receptive field", "parameters"),
    loses="the output shape",
    source="V. Dumoulin, F. Visin, arXiv:1603.07285, section 2",
    example="5x1 -(3x1x1)->",
    propose=propose,
)
