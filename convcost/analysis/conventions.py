"""The same network in the numbers of other tools, so that a figure found elsewhere can be compared.

Each convention is a factor on the products and a few additions by operator, as the tool's published source and
examples have it. The figures are for graphs whose BatchNormalization nodes are still there; an exporter that folds
them takes their share away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from convcost.record import Figure, Layer, Model

NORMALISING = frozenset({"BatchNormalization", "InstanceNormalization", "LayerNormalization", "GroupNormalization"})


class Convention(msgspec.Struct, frozen=True):
    """How a tool counts: `quantity` × `factor`, plus for each operator a share.

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
    quantity: str = "macs"

    def twice(self) -> Convention:
        """The same for tools that count FLOPs."""
        terms = {name: 2 * getattr(self, name) for name in ("factor", "norm", "pool", "pooled", "bias")}
        return replace(self, name=f"2 × {self.name}", says=f"twice: {self.says}", **terms)


TOOLS = (
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

OURS = (
    Convention("multiplications", "all scalar multiplications", 1, quantity="multiplications"),
    Convention("flops", "all scalar work", 1, quantity="flops"),
    Convention("macs_effective", "multiply-accumulates without those on padding zeros", 1, quantity="macs_effective"),
)
"""Our own quantities, which somebody may have published."""

DOUBLED = ("thop", "fvcore", "mmengine", "macs_effective")

CONVENTIONS = (*TOOLS, *OURS, *(c.twice() for c in (*TOOLS, *OURS) if c.name in DOUBLED))
"""All that a figure can be asked in or explained by."""


def find(name: str) -> Convention | None:
    """The convention called `name`, its case aside; `2x thop` and `2*thop` are `2 × thop`."""
    wanted = plain(name)
    return next((c for c in CONVENTIONS if plain(c.name) == wanted), None)


def plain(name: str) -> str:
    """A name without what people write differently."""
    return TWICE.sub("2×", "".join(name.split()).lower())


TWICE = re.compile(r"^2[x*×]?(?=[a-z])")


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
        out += c.factor * (getattr(layer.cost, c.quantity) or 0)
        if layer.op in NORMALISING:
            out += c.norm * size(layer.inputs)
        if averages_all(layer):
            out += c.pool * size(layer.inputs) + c.pooled * size(layer.outputs)
        if c.bias:
            out += c.bias * biased(layer)
    return out


def figure(model: Model, c: Convention) -> Figure | None:
    """The model's total in one convention; None where it is not known because sizes are open."""
    if getattr(model.totals, c.quantity) is None:
        return None
    return Figure(convention=c.name, says=c.says, figure=total(model.layers, c))


def explain(model: Model, number: int) -> list[Figure]:
    """Every convention's figure that is known, nearest to `number` first."""
    figures = [one for c in CONVENTIONS if (one := figure(model, c)) is not None]
    known = [replace(one, difference=number - one.figure) for one in figures]
    return sorted(known, key=lambda one: (abs(one.difference or 0), one.convention))
