"""The same network in the numbers of other tools, so that a figure found elsewhere can be compared.

Each convention is a factor on the products and a few additions by operator, as the tool's published source and
examples have it. The figures are for graphs whose BatchNormalization nodes are still there; an exporter that folds
them takes their share away.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from convcost.record import Figure, Layer, Model

NORMALISING = frozenset({"BatchNormalization", "InstanceNormalization", "LayerNormalization", "GroupNormalization"})


class Convention(msgspec.Struct, frozen=True):
    """How a tool counts: products × `factor`, plus for each operator a share.

    norm   operations for each input element of a normalisation
    pool   operations for each input element of a global average pool
    pooled operations for each output element of a global average pool
    """

    name: str
    says: str
    factor: int
    norm: int = 0
    pool: int = 0
    pooled: int = 0
    bias: int = 0


CONVENTIONS = (
    Convention("products", "multiply-accumulates of products only (ours, torchvision)", 1),
    Convention("thop", "plus 4 for each normalised element, (k+1) for each globally pooled output", 1, 4, 1, 1),
    Convention("fvcore", "plus 2 for each normalised element, 1 for each globally pooled input", 1, 2, 1),
    Convention("mmengine", "training mode: plus 5 for each normalised element, 1 for each pooled input", 1, 5, 1),
    Convention("torch", "flop_counter: 2 FLOPs for each product", 2),
    Convention("products+bias", "multiply-accumulates and one for each biased output", 1, bias=1),
    Convention("flops+bias", "2 FLOPs for each product and one for each biased output", 2, bias=1),
)
"""Sources: the tools' repositories: ultralytics/thop (README, expected output), facebookresearch/fvcore,
open-mmlab/mmengine (model_analysis.md), pytorch/pytorch (torch/utils/flop_counter.py)."""


def find(name: str) -> Convention | None:
    """The convention called `name`."""
    return next((c for c in CONVENTIONS if c.name == name), None)


def size(shapes: list[list[int | str] | None], slot: int = 0) -> int:
    """Elements of one tensor of a layer; 0 where they are not known."""
    if slot >= len(shapes):
        return 0
    out = 1
    for d in shapes[slot] or (0,):
        if not isinstance(d, int):
            return 0
        out *= d
    return out


def biased(layer: Layer) -> int:
    """Outputs of a convolution or matrix product that get a bias."""
    products = layer.op in ("Conv", "ConvTranspose", "Gemm", "FusedConv") and len(layer.inputs) > 2
    return size(layer.outputs) if products and layer.inputs[2] is not None else 0


def averages_all(layer: Layer) -> bool:
    """A global average pool, also when an exporter writes it with a window of the whole input."""
    if layer.op == "GlobalAveragePool":
        return True
    out = layer.outputs[0] if layer.outputs else None
    return layer.op == "AveragePool" and out is not None and all(d == 1 for d in out[2:])


def total(layers: Iterable[Layer], c: Convention) -> int:
    """What the tool would print for these layers."""
    out = 0
    for layer in layers:
        out += c.factor * (layer.cost.macs or 0)
        if layer.op in NORMALISING:
            out += c.norm * size(layer.inputs)
        if averages_all(layer):
            out += c.pool * size(layer.inputs) + c.pooled * size(layer.outputs)
        if c.bias:
            out += c.bias * biased(layer)
    return out


def figure(model: Model, c: Convention) -> Figure:
    """The model's total in one convention."""
    return Figure(convention=c.name, says=c.says, figure=total(model.layers, c))


def explain(model: Model, number: int) -> list[Figure]:
    """Every convention's figure, nearest to `number` first; some also doubled, for tools that count FLOPs."""
    figures = [figure(model, c) for c in CONVENTIONS]
    extra = (
        ("multiplications", "all scalar multiplications", model.totals.multiplications),
        ("flops", "all scalar work", model.totals.flops),
        ("macs_effective", "multiply-accumulates without those on padding zeros", model.totals.macs_effective),
    )
    figures += [Figure(convention=name, says=says, figure=n) for name, says, n in extra if n is not None]
    figures += [
        Figure(convention=f"2 × {f.convention}", says=f"twice: {f.says}", figure=2 * f.figure)
        for f in figures
        if f.convention in ("thop", "fvcore", "mmengine", "macs_effective")
    ]
    known = [msgspec.structs.replace(f, difference=number - f.figure) for f in figures]
    return sorted(known, key=lambda f: (abs(f.difference or 0), f.convention))
