"""Scaled dot-product attention with shared heads and caches, linear attention, and rotary positions."""

from __future__ import annotations

import msgspec

from convcost.errors import Unknown
from convcost.ir import Dim, Graph, Shape, Tensor, product
from convcost.ops.base import Attrs, Call, Op, Work, agree, products, require, show, typed
from convcost.ops.softmax import softmax_work


class AttentionAttrs(Attrs, frozen=True):
    """Attributes of Attention; the numbers of heads are needed for inputs of rank 3."""

    is_causal: int = 0
    kv_num_heads: int | None = None
    left_window_size: int = -1
    q_num_heads: int | None = None
    qk_matmul_output_mode: int = 0
    right_window_size: int = -1
    scale: float | None = None
    softcap: float = 0.0
    softmax_precision: int | None = None


class RotaryAttrs(Attrs, frozen=True):
    """Attributes of RotaryEmbedding; 0 stands for the whole head."""

    interleaved: int = 0
    num_heads: int = 0
    rotary_embedding_dim: int = 0


class LinearAttrs(Attrs, frozen=True):
    """Attributes of LinearAttention."""

    kv_num_heads: int
    q_num_heads: int
    chunk_size: int = 64
    scale: float = 0.0
    update_rule: str = "gated_delta"


class FlexAttrs(Attrs, frozen=True):
    """Attributes of FlexAttention."""

    scale: float | None = None
    softmax_precision: int | None = None


class Heads(msgspec.Struct, frozen=True):
    """B sequences, H query heads over G key heads, S queries against T keys, sizes Dk of a key and Dv of a value."""

    b: Dim
    h: Dim
    g: Dim
    s: Dim
    t: Dim
    dk: Dim
    dv: Dim


def split_heads(x: Shape, heads: int | None, what: str) -> tuple[Dim, Dim, Dim, Dim]:
    """(B, heads, length, head size) of a tensor of rank 4, or of rank 3 with its heads side by side."""
    if len(x) == 4:
        return x[0], x[1], x[2], x[3]
    require(len(x) == 3, f"the {what} {show(x)} needs rank 3 or 4")
    require(heads is not None and heads >= 1, f"the {what} {show(x)} of rank 3 needs its number of heads")
    assert heads is not None
    if isinstance(x[2], int):
        require(x[2] % heads == 0, f"the {what} of size {x[2]} cannot be divided into {heads} heads")
    return x[0], heads, x[1], x[2] // heads


def heads_of(call: Call) -> Heads:
    """The sizes of an Attention, checked."""
    a = call.attrs
    b, h, s, dk = split_heads(call.x(0).dims, a.q_num_heads, "query")
    _, g, t, dk2 = split_heads(call.x(1).dims, a.kv_num_heads, "key")
    _, g2, t2, dv = split_heads(call.x(2).dims, a.kv_num_heads, "value")
    dk = agree(dk, dk2, f"the query has heads of size {dk}, the key of size {dk2}")
    g = agree(g, g2, f"the key has {g} heads, the value {g2}")
    t = agree(t, t2, f"the key has length {t}, the value {t2}")
    if isinstance(h, int) and isinstance(g, int):
        require(g >= 1 and h % g == 0, f"{h} query heads cannot share {g} key heads")
    past = call.optional(4)
    if past is not None:
        require(past.rank == 4, f"the past key {show(past.dims)} needs rank 4")
        t = t + past.dims[2]
    return Heads(b, h, g, s, t, dk, dv)


def attention_shape(call: Call) -> tuple[Tensor, ...]:
    """q: (B, H, S, Dk), k: (B, G, T, Dk), v: (B, G, T, Dv), or rank 3 -> y as q, present key and value, scores."""
    q, n = call.x(0), heads_of(call)
    y: Shape = (n.b, n.h, n.s, n.dv) if q.rank == 4 else (n.b, n.s, n.h * n.dv)
    return (
        typed(q, y),
        typed(call.x(1), (n.b, n.g, n.t, n.dk)),
        typed(call.x(2), (n.b, n.g, n.t, n.dv)),
        typed(q, (n.b, n.h, n.s, n.t)),
    )


def attention_products(n: Heads) -> Work:
    """B·H·S·T·(Dk + Dv) multiply-accumulates: scores, and weighted values."""
    return products(n.b * n.h * n.s * n.t * (n.dk + n.dv))


def scores_work(n: Heads, *, masked: bool, softcap: bool) -> Work:
    """Softmax of all B·H·S rows of T scores, after a mask is added and the scores are capped."""
    scores = n.b * n.h * n.s * n.t
    work = softmax_work(n.b * n.h * n.s, n.t)
    if masked:
        work += Work(additions=scores)
    if softcap:
        work += Work(divisions=scores, special=scores, multiplications=scores)
    return work


def attention_cost(call: Call) -> Work:
    """Attention. q: (B, H, S, Dk), k: (B, G, T, Dk), v: (B, G, T, Dv), T with the past -> y: (B, H, S, Dv).

    Counted: B·H·S·T·(Dk + Dv) multiply-accumulates, masked positions in full; one multiplication for each element of q
    and of k (repeated for all H heads) by √scale; for each of the B·H·S·T scores one addition where there is a mask of
    any kind, one division, tanh and multiplication for a soft cap; Softmax of rows of T.
    Source: ONNX operator Attention and its function body.
    """
    a, n = call.attrs, heads_of(call)
    masked = call.has(3) or call.has(6) or a.is_causal != 0 or a.left_window_size >= 0 or a.right_window_size >= 0
    scaling = Work(multiplications=n.b * n.h * (n.s + n.t) * n.dk)
    return attention_products(n) + scaling + scores_work(n, masked=masked, softcap=a.softcap != 0)


def rotary_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (B, H, S, D) or (B, S, H·D) -> y as x."""
    x = call.x(0)
    require(x.rank in (3, 4), f"the input {show(x.dims)} needs rank 3 or 4")
    require(x.rank == 4 or call.attrs.num_heads > 0, "an input of rank 3 needs num_heads")
    return (typed(x, x.dims),)


def rotated(n: Dim) -> Work:
    """Pairs of n elements turned: two multiplications and one addition for each element."""
    return Work(multiplications=n * 2, additions=n)


def rotary_cost(call: Call) -> Work:
    """RotaryEmbedding. x: (B, H, S, D) or (B, S, H·D), R of the D elements of a head are rotated -> y as x.

    Counted: for each rotated element (B·H·S·R of them) two multiplications and one addition or subtraction.
    Source: ONNX operator RotaryEmbedding and its function body.
    """
    a, x = call.attrs, call.x(0).dims
    if not a.rotary_embedding_dim:
        return rotated(product(x))
    b, h, s, _ = split_heads(x, a.num_heads or None, "input")
    return rotated(b * h * s * a.rotary_embedding_dim)


RULES = ("linear", "gated", "delta", "gated_delta")


def linear_sizes(call: Call) -> Heads:
    """B, H query heads over G heads with a state, T steps, Dk and Dv."""
    a, q, k, v = call.attrs, call.x(0).dims, call.x(1).dims, call.x(2).dims
    require(len(q) == len(k) == len(v) == 3, f"the inputs need rank 3, not {show(q)}, {show(k)}, {show(v)}")
    require(a.update_rule in RULES, f"update_rule '{a.update_rule[:40]}' is not one of {', '.join(RULES)}")
    require(a.kv_num_heads >= 1 and a.q_num_heads % a.kv_num_heads == 0, "the query heads cannot share the key heads")
    b, h, t, dk = split_heads(q, a.q_num_heads, "query")
    _, g, _, dk2 = split_heads(k, a.kv_num_heads, "key")
    _, _, _, dv = split_heads(v, a.kv_num_heads, "value")
    dk = agree(dk, dk2, f"the query has heads of size {dk}, the key of size {dk2}")
    return Heads(b, h, g, t, t, dk, dv)


def linear_shape(call: Call) -> tuple[Tensor, ...]:
    """q: (B, T, H·Dk), k: (B, T, G·Dk), v: (B, T, G·Dv) -> y: (B, T, H·Dv), state: (B, G, Dk, Dv)."""
    n = linear_sizes(call)
    state = call.optional(3) or call.x(0)
    return typed(call.x(0), (n.b, n.s, n.h * n.dv)), typed(state, (n.b, n.g, n.dk, n.dv))


def linear_cost(call: Call) -> Work:
    """LinearAttention. q: (B, T, H·Dk), k: (B, T, G·Dk), v: (B, T, G·Dv) -> y: (B, T, H·Dv), state: (B, G, Dk, Dv).

    Counted: for each step B·G·Dk·Dv multiply-accumulates for the update k ⊗ v and B·H·Dk·Dv for q·S, as many as the
    update again for S·k in the delta rules; B·H·Dv multiplications by the scale; gated: one exponential for each decay
    and B·G·Dk·Dv multiplications; delta: B·G·Dv subtractions and multiplications by β.
    Not counted: the other order of work of an algorithm by chunks.
    Source: ONNX operator LinearAttention.
    """
    rule, n = call.attrs.update_rule, linear_sizes(call)
    steps = n.b * n.s
    state = steps * n.g * n.dk * n.dv
    delta, gated = "delta" in rule, "gated" in rule
    work = products(state * (2 if delta else 1) + steps * n.h * n.dk * n.dv)
    work += Work(multiplications=steps * n.h * n.dv)
    if gated:
        work += Work(special=call.x(4).size, multiplications=state)
    if delta:
        work += Work(additions=steps * n.g * n.dv, multiplications=steps * n.g * n.dv)
    return work


def flex_shape(call: Call) -> tuple[Tensor, ...]:
    """q: (B, H, S, Dk), k: (B, G, T, Dk), v: (B, G, T, Dv) -> y: (B, H, S, Dv)."""
    n = flex_sizes(call)
    scores = (n.b, n.h, n.s, n.t)
    for role, body in call.bodies:
        if role in ("score_mod", "prob_mod"):
            modified(call.body(role, (typed(call.x(0), scores),)), body.name, scores)
    return (typed(call.x(0), (n.b, n.h, n.s, n.dv)),)


def modified(body: Graph, name: str, scores: Shape) -> None:
    """A modifier gives scores of the shape it gets."""
    require(len(body.outputs) == 1, f"the modifier {name} gives {len(body.outputs)} outputs, not 1")
    out = body.tensors.get(body.outputs[0])
    if out is not None and out.shape is not None:
        require(out.shape == scores, f"the modifier {name} changes the scores {show(scores)} to {show(out.shape)}")


def flex_sizes(call: Call) -> Heads:
    """The sizes of a FlexAttention: inputs of rank 4 only."""
    for i in range(3):
        require(call.x(i).rank == 4, f"input {i} {show(call.x(i).dims)} needs rank 4")
    plain = Call(AttentionAttrs(), (call.x(0), call.x(1), call.x(2)))
    return heads_of(plain)


def flex_cost(call: Call) -> Work:
    """FlexAttention. q: (B, H, S, Dk), k: (B, G, T, Dk), v: (B, G, T, Dv) -> y: (B, H, S, Dv).

    Counted: B·H·S·T·(Dk + Dv) multiply-accumulates; one multiplication for each score (scale); Softmax of rows of T.
    Not counted: modifier graphs; with one the node is reported as not counted.
    Source: ONNX operator FlexAttention (preview).
    """
    if call.bodies:
        raise Unknown("the work of the modifier graphs of FlexAttention is not counted")
    n = flex_sizes(call)
    scaling = Work(multiplications=n.b * n.h * n.s * n.t)
    return attention_products(n) + scaling + scores_work(n, masked=False, softcap=False)


OPS = (
    Op("Attention", AttentionAttrs, attention_shape, attention_cost, "attention", (3, 7), (1, 4)),
    Op("RotaryEmbedding", RotaryAttrs, rotary_shape, rotary_cost, "attention", (3, 4)),
    Op("LinearAttention", LinearAttrs, linear_shape, linear_cost, "attention", (3, 6), (1, 2)),
    Op("FlexAttention", FlexAttrs, flex_shape, flex_cost, "attention", (3, 3), domain="ai.onnx.preview"),
)
