"""Normalisation over batches, channels, groups, layers and neighbours."""

from __future__ import annotations

from convcost.errors import ShapeError
from convcost.ir import Dim, DType, Shape, Tensor, product
from convcost.ops.base import Attrs, Call, Op, Work, alike, axis_of, joins, may_equal, require, show, typed
from convcost.ops.pool import norms_of


class BatchNormAttrs(Attrs, frozen=True):
    """Attributes of BatchNormalization; `spatial` = 0 (before opset 9) normalises each position by itself."""

    epsilon: float = 1e-5
    momentum: float = 0.9
    training_mode: int = 0
    spatial: int = 1


class EpsilonAttrs(Attrs, frozen=True):
    """Attributes of InstanceNormalization."""

    epsilon: float = 1e-5


class LayerNormAttrs(Attrs, frozen=True):
    """Attributes of LayerNormalization and RMSNormalization; `stash_type` is the type of the statistics."""

    axis: int = -1
    epsilon: float = 1e-5
    stash_type: int = 1


class GroupNormAttrs(Attrs, frozen=True):
    """Attributes of GroupNormalization."""

    num_groups: int
    epsilon: float = 1e-5
    stash_type: int = 1


class LrnAttrs(Attrs, frozen=True):
    """Attributes of LRN."""

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    bias: float = 1.0


class MeanVarianceAttrs(Attrs, frozen=True):
    """Attributes of MeanVarianceNormalization."""

    axes: tuple[int, ...] = (0, 2, 3)


class LpNormAttrs(Attrs, frozen=True):
    """Attributes of LpNormalization."""

    axis: int = -1
    p: int = 2


def standardized(groups: Dim, m: Dim) -> Work:
    """(x - mean) / sqrt(variance + ε) of `groups` sets of m elements, the variance as E[x²] - E[x]²."""
    n = groups * m
    return Work(
        multiplications=n + groups,
        additions=groups * joins(m) * 2 + groups * 2 + n,
        divisions=groups * 2 + n,
        special=groups,
    )


def scaled_by_rms(groups: Dim, m: Dim) -> Work:
    """X / sqrt(E[x²] + ε) of `groups` sets of m elements."""
    n = groups * m
    return Work(multiplications=n, additions=groups * joins(m) + groups, divisions=groups + n, special=groups)


def affine(n: Dim, *, shift: bool = True) -> Work:
    """N · scale + shift."""
    return Work(multiplications=n, additions=n if shift else 0)


def statistics_size(call: Call, x: Shape) -> Shape:
    """The shape of the scale: (C), or (C, *I) where each position is normalised by itself."""
    require(len(x) >= 1, "BatchNormalization needs an input of at least 1 dimension")
    c: Dim = x[1] if len(x) > 1 else 1
    return (c,) if call.attrs.spatial else (c, *x[2:])


def batch_norm_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), scale, shift, mean, variance: (C) -> y: (N, C, *I), running mean and variance: (C)."""
    x = call.x(0)
    size = statistics_size(call, x.dims)
    for i, what in enumerate(("scale", "B", "input_mean", "input_var"), 1):
        vector(call.optional(i), size, what)
    stats = typed(call.optional(3) or x, size)
    return typed(x, x.dims), stats, stats, stats, stats


def vector(t: Tensor | None, size: Shape, what: str) -> None:
    """A statistic has one element for each channel."""
    if t is None or t.shape is None:
        return
    if not alike(t.shape, size):
        raise ShapeError(f"the {what} has the shape {show(t.shape)}, not {show(size)}: one element for each channel")


def batch_norm_cost(call: Call) -> Work:
    """BatchNormalization. x: (N, C, *I), scale, shift, mean, variance: (C) -> y: (N, C, *I).

    Counted: one multiplication and one addition for each element. In training mode the statistics are made from the
    batch: y as in InstanceNormalization with C groups, and for each of the two running statistics C times two
    multiplications and one addition.
    Not counted: scale and shift folded from the four statistics, once for a model.
    Source: ONNX operator BatchNormalization.
    """
    n = call.y().size
    if not call.attrs.training_mode:
        return affine(n)
    x = call.x(0).dims
    c = product(statistics_size(call, x))
    m = x[0] * product(x[2:]) if call.attrs.spatial else x[0]
    return standardized(c, m) + affine(n) + Work(multiplications=c * 4, additions=c * 2)


def instance_norm_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), scale and shift: (C) -> y: (N, C, *I)."""
    x = call.x(0)
    require(x.rank >= 3, f"InstanceNormalization needs an input of at least 3 dimensions, not {show(x.dims)}")
    vector(call.x(1), (x.dims[1],), "scale")
    vector(call.x(2), (x.dims[1],), "B")
    return (typed(x, x.dims),)


def instance_norm_cost(call: Call) -> Work:
    """InstanceNormalization. x: (N, C, *I), scale and shift: (C) -> y: (N, C, *I). G = N·C groups of m = ΠI.

    Counted: for each group mean and mean square (2(m-1) additions, m + 1 multiplications, 2 divisions), variance + ε (2
    additions) and one root; for each element one subtraction, division, multiplication and addition.
    Source: ONNX operator InstanceNormalization.
    """
    x = call.x(0).dims
    return standardized(x[0] * x[1], product(x[2:])) + affine(product(x))


def layer_norm_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (*G, *M) from `axis` on, scale and shift broadcast to it -> y as x; mean and 1/deviation: (*G, 1, …)."""
    x = call.x(0)
    axis = axis_of(call.attrs.axis, x.rank)
    for i in (1, 2):
        t = call.optional(i)
        if t is not None and t.shape is not None:
            normal_shape(t.shape, x.dims[axis:])
    stats = typed(x, x.dims[:axis] + (1,) * (x.rank - axis), dtype=DType.from_code(call.attrs.stash_type))
    return typed(x, x.dims), stats, stats


def normal_shape(scale: Shape, m: Shape) -> None:
    """A scale or shift broadcasts to the normalised dimensions."""
    ok = all(a == 1 or may_equal(a, b) for a, b in zip(reversed(scale), reversed(m), strict=False))
    require(ok, f"the scale or shift {show(scale)} does not broadcast to the normalised dimensions {show(m)}")


def groups_from(axis: int, x: Shape) -> tuple[Dim, Dim]:
    """(ΠG, ΠM): how many groups there are before `axis`, and the size of each."""
    axis = axis_of(axis, len(x))
    return product(x[:axis]), product(x[axis:])


def layer_norm_cost(call: Call) -> Work:
    """LayerNormalization. x: (*G, *M) from `axis` on, scale and shift: (*M) -> y as x.

    Counted: for each of the ΠG groups of m = ΠM elements mean and mean square (2(m-1) additions, m + 1 multiplications,
    2 divisions), variance + ε (2 additions) and one root; for each element one subtraction, division and
    multiplication, and one addition for a shift; one division a group where 1/deviation is an output.
    Source: ONNX operator LayerNormalization and its function body.
    """
    groups, m = groups_from(call.attrs.axis, call.x(0).dims)
    asked = call.n_outputs > 2 and call.outputs[2] is not None
    inverse = Work(divisions=groups if asked else 0)
    return standardized(groups, m) + affine(groups * m, shift=call.has(2)) + inverse


def rms_norm_cost(call: Call) -> Work:
    """RMSNormalization. x: (*G, *M) from `axis` on, scale: (*M) -> y as x.

    Counted: for each of the ΠG groups of m = ΠM elements m multiplications, m additions (mean square + ε), one division
    and one root; for each element one division and one multiplication.
    Source: ONNX operator RMSNormalization and its function body.
    """
    groups, m = groups_from(call.attrs.axis, call.x(0).dims)
    return scaled_by_rms(groups, m) + affine(groups * m, shift=call.has(2))


def group_norm_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I), scale and shift: (C), or (groups) before opset 21 -> y: (N, C, *I)."""
    x, groups = call.x(0), call.attrs.num_groups
    require(x.rank >= 2, f"GroupNormalization needs an input of at least 2 dimensions, not {show(x.dims)}")
    require(groups >= 1, f"num_groups {groups} is less than 1")
    c = x.dims[1]
    if isinstance(c, int):
        require(c % groups == 0, f"{c} channels cannot be divided into {groups} groups")
    return (typed(x, x.dims),)


def group_norm_cost(call: Call) -> Work:
    """GroupNormalization. x: (N, C, *I), g groups, scale and shift: (C) -> y: (N, C, *I).

    Counted: as InstanceNormalization with N·g groups of C/g·ΠI elements.
    Source: ONNX operator GroupNormalization and its function body.
    """
    x = call.x(0).dims
    groups = x[0] * call.attrs.num_groups
    return standardized(groups, x[1] // call.attrs.num_groups * product(x[2:])) + affine(product(x))


def lrn_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (N, C, *I) -> y: (N, C, *I)."""
    x = call.x(0)
    require(x.rank >= 2, f"LRN needs an input of at least 2 dimensions, not {show(x.dims)}")
    require(call.attrs.size >= 1, f"size {call.attrs.size} is less than 1")
    return (typed(x, x.dims),)


def lrn_cost(call: Call) -> Work:
    """LRN. x: (N, C, *I), s channels around each -> y: x / (bias + α/s · Σ x²)^β.

    Counted: for each element its square, s - 1 additions (windows at the first and last channels in full), one
    multiplication, one addition, one power and one division.
    Source: ONNX operator LRN.
    """
    n = call.y().size
    return Work(multiplications=n * 2, additions=n * call.attrs.size, divisions=n, special=n)


def mean_variance_shape(call: Call) -> tuple[Tensor, ...]:
    """X -> y of the same shape, normalised over `axes`."""
    x = call.x(0)
    for axis in call.attrs.axes:
        axis_of(axis, x.rank)
    return (typed(x, x.dims),)


def mean_variance_cost(call: Call) -> Work:
    """MeanVarianceNormalization. x, normalised over `axes`: G groups of m elements -> y: (x - mean) / (std + ε).

    Counted: for each group mean and mean square (2(m-1) additions, m + 1 multiplications, 2 divisions), variance and
    + ε (2 additions) and one root; for each element one subtraction and one division.
    Source: ONNX operator MeanVarianceNormalization and its function body.
    """
    x = call.x(0).dims
    axes = {axis_of(axis, len(x)) for axis in call.attrs.axes}
    m = product(d for i, d in enumerate(x) if i in axes)
    return standardized(product(d for i, d in enumerate(x) if i not in axes), m)


def lp_norm_shape(call: Call) -> tuple[Tensor, ...]:
    """X -> y of the same shape."""
    x = call.x(0)
    axis_of(call.attrs.axis, x.rank)
    require(call.attrs.p in (1, 2), f"p {call.attrs.p} is not 1 or 2")
    return (typed(x, x.dims),)


def lp_norm_cost(call: Call) -> Work:
    """LpNormalization. x, G groups of m elements along `axis` -> y: x / (Σ|x|^p)^(1/p).

    Counted: for each group m - 1 additions, and for p = 2 m multiplications and one root, for p = 1 m comparisons
    (absolute values); one division for each element.
    Source: ONNX operator LpNormalization.
    """
    x = call.x(0).dims
    axis = axis_of(call.attrs.axis, len(x))
    return norms_of(product(x[:axis] + x[axis + 1 :]), x[axis], call.attrs.p) + Work(divisions=product(x))


OPS = (
    Op("BatchNormalization", BatchNormAttrs, batch_norm_shape, batch_norm_cost, "norm", (5, 5), (1, 5), weights=(1, 2)),
    Op("InstanceNormalization", EpsilonAttrs, instance_norm_shape, instance_norm_cost, "norm", (3, 3), weights=(1, 2)),
    Op("LayerNormalization", LayerNormAttrs, layer_norm_shape, layer_norm_cost, "norm", (2, 3), (1, 3), weights=(1, 2)),
    Op("RMSNormalization", LayerNormAttrs, layer_norm_shape, rms_norm_cost, "norm", (2, 2), weights=(1,)),
    Op("GroupNormalization", GroupNormAttrs, group_norm_shape, group_norm_cost, "norm", (3, 3), weights=(1, 2)),
    Op("LRN", LrnAttrs, lrn_shape, lrn_cost, "norm", (1, 1)),
    Op("MeanVarianceNormalization", MeanVarianceAttrs, mean_variance_shape, mean_variance_cost, "norm", (1, 1)),
    Op("LpNormalization", LpNormAttrs, lp_norm_shape, lp_norm_cost, "norm", (1, 1)),
)
