"""Attention with its projections, caches and rotary positions in one node, as onnxruntime's optimiser makes it."""

from __future__ import annotations

import msgspec

from convcost.ir import Dim, Tensor, maximum, product
from convcost.ops.attention import Heads, attention_products, rotated, scores_work, split_heads
from convcost.ops.base import NOTHING, Attrs, Call, Op, Work, agree, products, require, show, typed

MS = "com.microsoft"


class MergedAttrs(Attrs, frozen=True):
    """Attributes of Attention and QAttention."""

    num_heads: int
    do_rotary: int = 0
    past_present_share_buffer: int = 0
    qkv_hidden_sizes: tuple[int, ...] = ()
    rotary_embedding_dim: int = 0
    unidirectional: int = 0


class MultiHeadAttrs(Attrs, frozen=True):
    """Attributes of MultiHeadAttention."""

    num_heads: int
    unidirectional: int = 0


class GroupQueryAttrs(Attrs, frozen=True):
    """Attributes of GroupQueryAttention."""

    kv_num_heads: int
    num_heads: int
    do_rotary: int = 0
    local_window_size: int = -1
    smooth_softmax: int = -1
    softcap: float = 0.0


class RotaryAttrs(Attrs, frozen=True):
    """Attributes of RotaryEmbedding; 0 stands for the whole head."""

    interleaved: int = 0
    num_heads: int = 0
    rotary_embedding_dim: int = 0


class Merged(msgspec.Struct, frozen=True):
    """The sizes of an Attention with merged projection: heads, input width, and widths of q, k and v."""

    heads: Heads
    width: Dim
    parts: tuple[Dim, Dim, Dim]


def merged_sizes(call: Call, past_slot: int) -> Merged:
    """x: (B, S, D), w: (D, Hq + Hk + Hv), past: (2, B, H, P, Dk)."""
    a, x, w = call.attrs, call.x(0).dims, call.x(1).dims
    require(len(x) == 3, f"the input {show(x)} needs rank 3 (batch, length, width)")
    require(len(w) == 2, f"the weight {show(w)} needs rank 2")
    require(a.num_heads >= 1, f"num_heads {a.num_heads} is less than 1")
    width = agree(x[2], w[0], f"the weight {show(w)} reads {w[0]} values, the input {show(x)} has {x[2]}")
    sizes = a.qkv_hidden_sizes
    require(len(sizes) in (0, 3), f"qkv_hidden_sizes has {len(sizes)} values, not 3")
    third = w[1] // 3
    parts: tuple[Dim, Dim, Dim] = (sizes[0], sizes[1], sizes[2]) if sizes else (third, third, third)
    agree(parts[0] + parts[1] + parts[2], w[1], f"the weight {show(w)} does not hold queries, keys and values")
    past = call.optional(past_slot)
    t = x[1]
    if past is not None:
        require(past.rank == 5, f"the past {show(past.dims)} needs rank 5")
        t = past.dims[3] if a.past_present_share_buffer else past.dims[3] + x[1]
    h = a.num_heads
    return Merged(Heads(x[0], h, h, x[1], t, parts[1] // h, parts[2] // h), width, parts)


def merged_outputs(m: Merged, like: Tensor) -> tuple[Tensor, ...]:
    """y: (B, S, Hv), present: (2, B, H, T, Dk)."""
    n = m.heads
    return typed(like, (n.b, n.s, m.parts[2])), typed(like, (2, n.b, n.h, n.t, n.dk))


def attention_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (B, S, D), w: (D, Hq + Hk + Hv) -> y: (B, S, Hv), present: (2, B, H, T, Dk)."""
    return merged_outputs(merged_sizes(call, 4), call.x(0))


def merged_work(call: Call, m: Merged, *, mask: bool, extra: bool) -> Work:
    """Projection of queries, keys and values, and the attention itself."""
    n, a = m.heads, call.attrs
    out = m.parts[0] + m.parts[1] + m.parts[2]
    rows = n.b * n.s
    work = products(rows * m.width * out, plus=rows * out if call.has(2) else 0)
    scores = n.b * n.h * n.s * n.t
    work += attention_products(n) + Work(multiplications=scores, additions=scores if extra else 0)
    work += scores_work(n, masked=mask or a.unidirectional != 0, softcap=False)
    if a.do_rotary:
        work += rotated(rows * n.h * (a.rotary_embedding_dim or n.dk) * 2)
    return work


def attention_cost(call: Call) -> Work:
    """Attention. x: (B, S, D), w: (D, Hq + Hk + Hv), bias, mask, past, attention bias -> y: (B, S, Hv).

    Counted: B·S·D·(Hq + Hk + Hv) multiply-accumulates for the projections, one addition each for a bias;
    B·H·S·T·(Dk + Dv) for the attention, T with the past, masked positions in full; for each of the B·H·S·T scores one
    multiplication (scale), one addition each for a mask and an attention bias; Softmax; rotation of q and k.
    Source: onnxruntime operator Attention.
    """
    return merged_work(call, merged_sizes(call, 4), mask=call.has(3), extra=call.has(5))


def quantized_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (B, S, D), w: (D, 3H) of integers -> y: (B, S, H), present: (2, B, H, T, Dk), with the type of the bias."""
    return merged_outputs(merged_sizes(call, 8), call.x(2))


def quantized_cost(call: Call) -> Work:
    """QAttention. x: (B, S, D), w: (D, 3H) of integers with scales and zero points, bias, mask, past -> y: (B, S, H).

    Counted: as Attention, and one multiplication for each element of q, k and v (scale).
    Not counted: subtraction of the zero points.
    Source: onnxruntime operator QAttention.
    """
    m = merged_sizes(call, 8)
    scaled = m.heads.b * m.heads.s * (m.parts[0] + m.parts[1] + m.parts[2])
    return merged_work(call, m, mask=call.has(5), extra=False) + Work(multiplications=scaled)


def multi_head_sizes(call: Call) -> Heads:
    """The sizes of a MultiHeadAttention with separate, or packed (rank 5), queries, keys and values."""
    h, q = call.attrs.num_heads, call.x(0).dims
    require(h >= 1, f"num_heads {h} is less than 1")
    if len(q) == 5:
        b, s, _, _, dk = q
        return Heads(b, h, h, s, s + past_of(call, 6), dk, dk)
    b, _, s, dk = split_heads(q, h, "query")
    k = call.x(1).dims
    if len(k) == 5:
        return Heads(b, h, h, s, k[1] + past_of(call, 6), dk, k[4])
    _, _, t, dk2 = split_heads(k, h, "key")
    _, _, t2, dv = split_heads(call.x(2).dims, h, "value")
    dk = agree(dk, dk2, f"the query has heads of size {dk}, the key of size {dk2}")
    t = agree(t, t2, f"the key has length {t}, the value {t2}")
    return Heads(b, h, h, s, t + past_of(call, 6), dk, dv)


def past_of(call: Call, slot: int) -> Dim:
    """The length of a cache of rank 4, or 0."""
    past = call.optional(slot)
    if past is None:
        return 0
    require(past.rank == 4, f"the past key {show(past.dims)} needs rank 4")
    return past.dims[2]


def multi_head_shape(call: Call) -> tuple[Tensor, ...]:
    """q: (B, S, H·Dk), k: (B, T, H·Dk), v: (B, T, H·Dv) -> y: (B, S, H·Dv), present key and value, scores."""
    q, n = call.x(0), multi_head_sizes(call)
    return (
        typed(q, (n.b, n.s, n.h * n.dv)),
        typed(q, (n.b, n.h, n.t, n.dk)),
        typed(q, (n.b, n.h, n.t, n.dv)),
        typed(q, (n.b, n.h, n.s, n.t)),
    )


def multi_head_cost(call: Call) -> Work:
    """MultiHeadAttention. q: (B, S, H·Dk), k: (B, T, H·Dk), v: (B, T, H·Dv), bias, masks, past -> y: (B, S, H·Dv).

    Counted: B·H·S·T·(Dk + Dv) multiply-accumulates, T with the past, masked positions in full; one addition for each
    new element of q, k and v for a bias; for each of the B·H·S·T scores one multiplication (scale), one addition each
    for a mask and an attention bias; Softmax.
    Source: onnxruntime operator MultiHeadAttention.
    """
    n = multi_head_sizes(call)
    scores = n.b * n.h * n.s * n.t
    fresh = n.t - past_of(call, 6)
    bias = n.b * n.h * (n.s * n.dk + fresh * (n.dk + n.dv)) if call.has(3) else 0
    masked = call.has(4) or call.attrs.unidirectional != 0
    work = attention_products(n) + Work(multiplications=scores, additions=(scores if call.has(5) else 0) + bias)
    return work + scores_work(n, masked=masked, softcap=False)


def group_query_sizes(call: Call) -> tuple[Heads, Dim]:
    """The sizes of a GroupQueryAttention, and the length of the present cache."""
    a, q = call.attrs, call.x(0).dims
    h, g = a.num_heads, a.kv_num_heads
    require(h >= 1 and g >= 1 and h % g == 0, f"{h} query heads cannot share {g} key heads")
    require(len(q) == 3, f"the query {show(q)} needs rank 3")
    heads = h if call.has(1) else h + 2 * g
    b, _, s, d = split_heads(q, heads, "query")
    fresh = s if not call.has(1) else call.x(1).dims[1]
    past = past_of(call, 3)
    total = call.optional(6)
    if total is not None and total.value is not None and isinstance(total.value[0], int):
        return Heads(b, h, g, s, total.value[0], d, d), maximum(past, total.value[0])
    return Heads(b, h, g, s, past + fresh, d, d), past + fresh


def group_query_shape(call: Call) -> tuple[Tensor, ...]:
    """q: (B, S, H·D), k and v: (B, S, G·D), caches: (B, G, P, D) -> y: (B, S, H·D), caches: (B, G, T, D)."""
    n, present = group_query_sizes(call)
    q, cache = call.x(0), call.optional(3) or call.x(0)
    held = (n.b, n.g, present, n.dk)
    return typed(q, (n.b, n.s, n.h * n.dv)), typed(cache, held), typed(cache, held), typed(q, (n.b, n.h, n.s, n.t))


def group_query_cost(call: Call) -> Work:
    """GroupQueryAttention. q: (B, S, H·D), k and v: (B, S, G·D), caches: (B, G, P, D) -> y: (B, S, H·D).

    Counted: B·H·S·T·2D multiply-accumulates, T the total length where it is constant, else P + S; masked positions in
    full; for each of the B·H·S·T scores one multiplication (scale), one addition for the causal mask, one for an
    attention bias, division, tanh and multiplication for a soft cap; Softmax; rotation of q and k.
    Source: onnxruntime operator GroupQueryAttention.
    """
    a = call.attrs
    n, _ = group_query_sizes(call)
    scores = n.b * n.h * n.s * n.t
    work = attention_products(n) + Work(multiplications=scores, additions=scores if call.has(10) else 0)
    work += scores_work(n, masked=True, softcap=a.softcap != 0)
    return work + (rotated(n.b * n.s * (n.h + n.g) * n.dk) if a.do_rotary else NOTHING)


def rotary_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (B, S, H·D) or (B, H, S, D), positions, cosines: (P, R/2), sines -> y as x."""
    x = call.x(0)
    require(x.rank in (3, 4), f"the input {show(x.dims)} needs rank 3 or 4")
    return (typed(x, x.dims),)


def rotary_cost(call: Call) -> Work:
    """RotaryEmbedding. x: (B, S, H·D) or (B, H, S, D), positions, cosines: (P, R/2), sines -> y as x.

    Counted: for each rotated element two multiplications and one addition or subtraction; all elements are rotated,
    or R of each head where `rotary_embedding_dim` says so.
    Source: onnxruntime operator RotaryEmbedding.
    """
    a, x = call.attrs, call.x(0).dims
    if not a.rotary_embedding_dim:
        return rotated(product(x))
    b, h, s, _ = split_heads(x, a.num_heads or None, "input")
    return rotated(b * h * s * a.rotary_embedding_dim)


OPS = (
    Op(
        "Attention",
        MergedAttrs,
        attention_shape,
        attention_cost,
        "attention",
        (2, 7),
        (1, 2),
        domain=MS,
        weights=(1, 2),
    ),
    Op(
        "QAttention",
        MergedAttrs,
        quantized_shape,
        quantized_cost,
        "attention",
        (5, 9),
        (1, 2),
        domain=MS,
        weights=(1, 2),
    ),
    Op(
        "MultiHeadAttention",
        MultiHeadAttrs,
        multi_head_shape,
        multi_head_cost,
        "attention",
        (1, 10),
        (1, 4),
        domain=MS,
        weights=(3,),
    ),
    Op(
        "GroupQueryAttention",
        GroupQueryAttrs,
        group_query_shape,
        group_query_cost,
        "attention",
        (7, 16),
        (1, 4),
        domain=MS,
    ),
    Op("RotaryEmbedding", RotaryAttrs, rotary_shape, rotary_cost, "attention", (4, 4), domain=MS),
)
