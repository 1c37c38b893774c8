"""Normalisation fused with additions and embeddings, as onnxruntime's optimiser makes it."""

from __future__ import annotations

from convcost.ir import Dim, Shape, Tensor, product
from convcost.ops.base import Attrs, Call, Op, Work, agree, broadcast, require, show, typed
from convcost.ops.fused import activation
from convcost.ops.norm import (
    EpsilonAttrs,
    LayerNormAttrs,
    affine,
    layer_norm_shape,
    rms_norm_cost,
    scaled_by_rms,
    standardized,
)
from convcost.ops.pool import channels_first

MS = "com.microsoft"


class EmbedAttrs(Attrs, frozen=True):
    """Attributes of EmbedLayerNormalization."""

    epsilon: float = 1e-12
    mask_index_type: int = 1


class GroupNormAttrs(Attrs, frozen=True):
    """Attributes of GroupNorm; `activation` 1 is SiLU."""

    groups: int
    activation: int = 0
    channels_last: int = 1
    epsilon: float = 1e-5


def rows_of(x: Shape) -> tuple[Dim, Dim]:
    """(rows, m) of a normalisation over the last dimension."""
    require(len(x) >= 1, "the input needs at least 1 dimension")
    return product(x[:-1]), x[-1]


def skip_shape(call: Call) -> tuple[Tensor, ...]:
    """X and skip: (…, M), scale: (M) -> y, mean and 1/deviation: (…, 1), the sum that is normalised."""
    x, skip = call.x(0), call.x(1)
    require(broadcast(x.dims, skip.dims) == x.dims, f"the skip {show(skip.dims)} does not fit the input {show(x.dims)}")
    stats = typed(x, (*x.dims[:-1], 1))
    return typed(x, x.dims), stats, stats, typed(x, x.dims)


def skip_layer_cost(call: Call) -> Work:
    """SkipLayerNormalization. x and skip: (…, M), scale, shift and bias: (M) -> y: LayerNormalization(x + skip + bias).

    Counted: one addition for each element for the skip, one for a bias; LayerNormalization over the last dimension.
    Source: onnxruntime operator SkipLayerNormalization.
    """
    rows, m = rows_of(call.x(0).dims)
    sums = Work(additions=rows * m * (2 if call.has(4) else 1))
    return sums + standardized(rows, m) + affine(rows * m, shift=call.has(3))


def skip_rms_cost(call: Call) -> Work:
    """SkipSimplifiedLayerNormalization. x and skip: (…, M), scale and bias: (M) -> y: RMS norm of x + skip + bias.

    Counted: one addition for each element for the skip, one for a bias; RMSNormalization over the last dimension.
    Source: onnxruntime operator SkipSimplifiedLayerNormalization.
    """
    rows, m = rows_of(call.x(0).dims)
    sums = Work(additions=rows * m * (2 if call.has(3) else 1))
    return sums + scaled_by_rms(rows, m) + affine(rows * m, shift=False)


def embed_shape(call: Call) -> tuple[Tensor, ...]:
    """ids: (B, S), word table: (V, M), position table: (P, M) -> y: (B, S, M), mask index: (B), the sum."""
    ids, table = call.x(0), call.x(2)
    require(ids.rank == 2, f"the ids {show(ids.dims)} need rank 2 (batch, length)")
    require(table.rank == 2, f"the table {show(table.dims)} needs rank 2")
    for slot in (3, 4):
        t = call.optional(slot)
        if t is not None:
            agree(t.dims[-1], table.dims[1], f"the tables {show(t.dims)} and {show(table.dims)} differ in width")
    y = typed(table, (*ids.dims, table.dims[1]))
    return y, typed(ids, (ids.dims[0],)), y


def embed_cost(call: Call) -> Work:
    """EmbedLayerNormalization. ids: (B, S), tables of words, positions and segments, each of width M -> y: (B, S, M).

    Counted: one addition for each element for the positions, one for segments; LayerNormalization over M.
    Not counted: looking up the rows.
    Source: onnxruntime operator EmbedLayerNormalization.
    """
    rows, m = rows_of(call.y().dims)
    return Work(additions=rows * m * (2 if call.has(4) else 1)) + standardized(rows, m) + affine(rows * m)


def group_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, *I, C) or (N, C, *I) -> y as x, and the sum that is normalised."""
    x, groups = call.x(0), call.attrs.groups
    require(x.rank >= 3, f"GroupNorm needs an input of at least 3 dimensions, not {show(x.dims)}")
    c = channels_first(x.dims, last=call.attrs.channels_last != 0)[1]
    require(groups >= 1, f"groups {groups} is less than 1")
    if isinstance(c, int):
        require(c % groups == 0, f"{c} channels cannot be divided into {groups} groups")
    return typed(x, x.dims), typed(x, x.dims)


def group_cost(call: Call) -> Work:
    """GroupNorm. x: (N, *I, C) or (N, C, *I), g groups, scale and shift: (C) -> y: f(normalised x).

    Counted: InstanceNormalization with N·g groups of C/g·ΠI elements; SiLU: Sigmoid and one multiplication for each
    element; SkipGroupNorm: one addition for each element for the skip, one for a bias.
    Source: onnxruntime operators GroupNorm and SkipGroupNorm.
    """
    a, y = call.attrs, call.y()
    x = channels_first(call.x(0).dims, last=a.channels_last != 0)
    work = standardized(x[0] * a.groups, x[1] // a.groups * product(x[2:])) + affine(product(x))
    if a.activation:
        work += activation("Sigmoid", y) + Work(multiplications=y.size)
    sums = sum(1 for slot in (3, 4) if call.has(slot))
    return work + Work(additions=y.size * sums)


OPS = (
    Op(
        "SimplifiedLayerNormalization",
        LayerNormAttrs,
        layer_norm_shape,
        rms_norm_cost,
        "norm",
        (2, 2),
        (1, 2),
        weights=(1,),
    ),
    Op(
        "SkipLayerNormalization",
        EpsilonAttrs,
        skip_shape,
        skip_layer_cost,
        "norm",
        (3, 5),
        (1, 4),
        domain=MS,
        weights=(2, 3, 4),
    ),
    Op(
        "SkipSimplifiedLayerNormalization",
        EpsilonAttrs,
        skip_shape,
        skip_rms_cost,
        "norm",
        (3, 4),
        (1, 4),
        domain=MS,
        weights=(2, 3),
    ),
    Op(
        "EmbedLayerNormalization",
        EmbedAttrs,
        embed_shape,
        embed_cost,
        "norm",
        (7, 9),
        (1, 3),
        domain=MS,
        weights=(2, 3, 4, 5, 6),
    ),
    Op("GroupNorm", GroupNormAttrs, group_shape, group_cost, "norm", (3, 3), domain=MS, weights=(1, 2)),
    Op("SkipGroupNorm", GroupNormAttrs, group_shape, group_cost, "norm", (4, 5), (1, 2), domain=MS, weights=(1, 2, 4)),
)
