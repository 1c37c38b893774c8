"""How far one kernel comes apart: singular values of its unfoldings, what each rank keeps and costs, the best pair."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from convcost.alternatives.fitting.halves import Layer, channels, halves, macs_of, params_of, partitions, priced
from convcost.alternatives.fitting.kernels import Kernel
from convcost.alternatives.fitting.unfold import Values, epsilon, grouped, too_large, unfolded, values_of
from convcost.alternatives.layer import Skip, need
from convcost.errors import ShapeError
from convcost.ir import Node, Tensor
from convcost.ops.conv import ConvAttrs
from convcost.record.separations import Form, RankCost, Separation, Split, Unfolding

SHOWN_VALUES = 16
"""Singular values of one unfolding in a report."""

SHOWN_RANKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Ranks in a report, besides those that matter: the exact one and the last that pays."""

MAX_LARGE = 3

TOLERANCE = (
    "a rank keeps all where what it leaves, as a root of squares, is at most eps + max(rows, columns) * 2^-52 of the "
    "matrix, eps that of the stored float type: rounding moves a matrix by eps/2"
)


class Wanted(msgspec.Struct, frozen=True):
    """Which pairs to take besides exact ones: of `rank`, or the cheapest that keeps `energy`."""

    rank: int | None = None
    energy: float | None = None


class Found(msgspec.Struct, frozen=True):
    """What an analysis found: the record, and the spectra by form and first axes."""

    record: Separation
    values: dict[tuple[Form, tuple[int, ...]], Values]


def layer_in(node: Node, x: Tensor, weight: tuple[int, ...], bias: str) -> Layer:
    """The convolution of `node` with a kernel of shape `weight`; `Skip` where there is nothing to take apart."""
    a = node.attrs
    assert isinstance(a, ConvAttrs)
    need(len(weight) >= 3 and a.group >= 1 and weight[0] % a.group == 0, "its kernel does not fit its groups")
    n, per, *kernel = weight
    transposed = node.op == "ConvTranspose"
    m, c = (per, n // a.group) if transposed else (n // a.group, per)
    layer = Layer(node, x, a.group, m, c, tuple(kernel), bias)
    size = "x".join(map(str, kernel))
    need(layer.large, f"pointwise: a {size} kernel has no spatial extent")
    need(len(layer.large) > 1, f"one-dimensional: a {size} kernel is larger than 1 along one axis only")
    need(len(layer.large) <= MAX_LARGE, f"a {size} kernel has more than {MAX_LARGE} spatial axes")
    return layer


def analysed(name: str, layer: Layer, kernel: Kernel) -> tuple[Found, Any]:
    """Everything about one layer, and its kernel in groups."""
    eps = epsilon(kernel.array.dtype)
    parts = grouped(kernel.array, layer.groups, transposed=layer.transposed)
    whole = own_macs(layer)
    values: dict[tuple[Form, tuple[int, ...]], Values] = {}
    for form, first in looked_at(layer):
        matrices = unfolded(parts, form, first)
        if not too_large(matrices.shape):
            values[form, first] = values_of(matrices, eps)
    unfoldings = [described(layer, form, first, found, whole) for (form, first), found in values.items()]
    exact, reason = best_exact(layer, values, whole)
    record = Separation(
        name=name,
        op=layer.node.op,
        weight=list(layer.weight),
        group=layer.groups,
        dtype=layer.x.dtype.label if layer.x.dtype else kernel.array.dtype.name,
        macs=whole,
        params=math.prod(layer.weight),
        separable=all(v.rank <= 1 for (form, _), v in values.items() if form == "slices"),
        unfoldings=unfoldings,
        exact=exact,
        reason=reason,
    )
    return Found(record, values), parts


def looked_at(layer: Layer) -> list[tuple[Form, tuple[int, ...]]]:
    """Unfoldings that differ: of one input or one output channel for each group several are the same."""
    sides = partitions(layer)
    # the slices of a side and of the other axes are each other's transposes
    out: list[tuple[Form, tuple[int, ...]]] = [
        ("slices", side) for side in sides if len(set(side) & set(layer.large)) == 1
    ]
    if len(layer.large) == 2:
        out = out[:1]
    forms: list[Form] = ["joint"]
    forms += ["by_output"] if layer.m > 1 else []
    forms += ["by_input"] if layer.c > 1 else []
    out += [(form, side) for form in forms for side in sides]
    everything = tuple(range(len(layer.kernel)))
    out += [("outputs", everything)] if layer.m > 1 else []
    out += [("inputs", everything)] if layer.c > 1 else []
    return out


def own_macs(layer: Layer) -> int | None:
    """MACs of the layer itself; None where its shapes are not numbers."""
    if layer.x.shape is None:
        return None
    try:
        macs, _ = macs_of(layer.node.op, layer.x, layer.weight, layer.node.attrs)
    except ShapeError:
        return None
    return macs if isinstance(macs, int) else None


def described(layer: Layer, form: Form, first: tuple[int, ...], found: Values, whole: int | None) -> Unfolding:
    """One unfolding in the report's form."""
    unit = cost_of(layer, form, first, 1)
    pays = None if unit is None or whole is None else min((whole - 1) // unit, len(found.squares)) if unit else 0
    most = len(found.squares)
    ranks = sorted({r for r in (*SHOWN_RANKS, found.rank, pays or 1, (pays or 0) + 1) if 1 <= r <= most})
    return Unfolding(
        form=form,
        first=list(first) if form not in ("outputs", "inputs") else [],
        matrices=found.matrices,
        rows=found.rows,
        columns=found.columns,
        rank=found.rank,
        tolerance=found.tolerance,
        singular_values=shown(found),
        ranks=[
            RankCost(
                rank=r,
                energy=round(found.energy(r), 9),
                macs=None if unit is None else r * unit,
                saved=None if unit is None or whole is None else whole - r * unit,
            )
            for r in ranks
        ],
        pays_to=pays,
    )


def shown(found: Values) -> list[float]:
    """Singular values to six digits; those that count as zero are 0, as their digits are rounding."""
    zero = found.tolerance * math.sqrt(math.fsum(found.squares))
    roots = [math.sqrt(s) for s in found.squares[:SHOWN_VALUES]]
    return [float(f"{root / math.sqrt(found.matrices):.6g}") if root > zero else 0.0 for root in roots]


def cost_of(layer: Layer, form: Form, first: tuple[int, ...], rank: int) -> int | None:
    """MACs of the steps that a form stands for; None where it is no pair, or shapes are not numbers."""
    if form == "slices" or layer.x.shape is None:
        return None
    if form in ("outputs", "inputs"):
        return across(layer, form, rank)
    try:
        return priced(layer, form, first, rank)
    except Skip:
        return None


def across(layer: Layer, form: Form, rank: int) -> int | None:
    """MACs of the kernel to `rank` channels of each group and a pointwise step after it, or before it."""
    m, c = layer.m, layer.c
    whole = own_macs(layer)
    y = None
    if whole is not None:
        _, y = macs_of(layer.node.op, layer.x, layer.weight, layer.node.attrs)
    inner = layer.x.size
    outer = y.size if y is not None else None
    if whole is None or not isinstance(inner, int) or not isinstance(outer, int):
        return None
    # the kernel's own work is linear in the channels that it makes or reads; a pointwise step is |x| or |y| times rank
    if form == "outputs":
        return whole * rank // m + outer * rank
    return whole * rank // c + inner * rank


def best_exact(
    layer: Layer, values: dict[tuple[Form, tuple[int, ...]], Values], whole: int | None
) -> tuple[Split | None, str]:
    """The exact pair with the fewest MACs, or why there is none."""
    if whole is None:
        return None, "its shapes are not numbers: --dim or --input gives them"
    pairs = [
        split
        for (form, first), found in values.items()
        if form in ("joint", "by_output", "by_input")
        and (split := split_of(layer, form, first, found, found.rank, whole, exact=True)) is not None
    ]
    if not pairs:
        return None, "its pairs cannot be written"
    best = min(pairs, key=lambda s: (s.macs, s.params))
    if best.saved > 0:
        return best, ""
    slices = max(v.rank for (form, _), v in values.items() if form == "slices")
    return None, f"its slices have rank {slices}: the cheapest exact pair needs {best.macs:,} MACs, the layer {whole:,}"


def split_of(
    layer: Layer, form: Form, first: tuple[int, ...], found: Values, rank: int, whole: int, *, exact: bool
) -> Split | None:
    """One pair of steps; None where it cannot be written or priced."""
    rank = max(rank, 1)
    try:
        steps, macs = halves(layer, form, first, rank), priced(layer, form, first, rank)
    except Skip:
        return None
    if macs is None:
        return None
    groups, outputs, _ = channels(layer, form, rank)[0]
    return Split(
        form=form,
        first=list(first),
        kernels=[list(step.kernel) for step in steps],
        rank=rank,
        inner=groups * outputs,
        energy=round(found.energy(rank), 9),
        exact=exact,
        macs=macs,
        saved=whole - macs,
        params=params_of(layer, form, first, rank),
    )


def approximate(layer: Layer, found: Found, wanted: Wanted) -> Split | None:
    """The pair that `wanted` asks for, if it saves MACs: of one rank the closest, for an energy the cheapest."""
    whole = found.record.macs
    if whole is None:
        return None
    pairs = []
    for (form, first), values in found.values.items():
        if form in ("joint", "by_output", "by_input"):
            rank = wanted.rank if wanted.rank is not None else values.needed(wanted.energy or 1.0)
            rank = min(rank, values.rank)
            split = split_of(layer, form, first, values, rank, whole, exact=rank == values.rank)
            if split is not None and split.saved > 0:
                pairs.append(split)
    if wanted.rank is not None:
        return max(pairs, key=lambda s: (s.energy, -s.macs), default=None)
    return min(pairs, key=lambda s: (s.macs, s.params), default=None)
