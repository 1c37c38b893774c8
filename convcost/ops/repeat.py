"""Operators that repeat elements along axes. Nothing is counted."""

from __future__ import annotations

from convcost.ir import Tensor, Value
from convcost.ops.base import CARRY_FIRST, Call, NoAttrs, axis_of, broadcast, integers, numbers, require, show, typed
from convcost.ops.folding import numeric, positions, spread, strides_of
from convcost.ops.move import moving
from convcost.ops.shape import target


def expand_shape(call: Call) -> tuple[Tensor, ...]:
    """x: any, shape: (r) -> y: x broadcast with the shape."""
    x, wanted = call.x(0), target(call.x(1), "the shape")
    for d in wanted:
        require(not isinstance(d, int) or d >= 0, f"the shape {show(wanted)} has the negative size {d}")
    return (typed(x, broadcast(x.dims, wanted)),)


def fold_expand(call: Call) -> tuple[Value | None, ...]:
    """The elements, repeated."""
    return (spread(call.x(0).content, call.x(0).dims, call.y().dims),)


def tile_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (d0, …), repeats: (r) -> y: (d0 · repeats0, …)."""
    x = call.x(0)
    repeats = integers(call.x(1), "repeats")
    if call.has(2):
        axis = numbers(call.x(2), "axis")
        require(len(repeats) == len(axis) == 1, "tiles and axis are not one value each: mismatch")
        at = axis_of(axis[0], x.rank)
        repeats = tuple(repeats[0] if i == at else 1 for i in range(x.rank))
    require(len(repeats) == x.rank, f"repeats has {len(repeats)} values for a shape of {x.rank} dimensions")
    for n in repeats:
        require(not isinstance(n, int) or n >= 0, f"repeats has the negative value {n}")
    return (typed(x, tuple(d * n for d, n in zip(x.dims, repeats, strict=True))),)


def fold_tile(call: Call) -> tuple[Value | None, ...]:
    """The elements, tiled."""
    value, own = call.x(0).content, numeric(call.x(0).dims)
    steps = strides_of(own)
    walk = positions(numeric(call.y().dims))
    return (tuple(value[sum(i % d * s for i, d, s in zip(at, own, steps, strict=True))] for at in walk),)


OPS = (
    moving("Expand", NoAttrs, expand_shape, (2, 2), carry=CARRY_FIRST, fold=fold_expand),
    moving("Tile", NoAttrs, tile_shape, (2, 3), carry=CARRY_FIRST, fold=fold_tile),
)
