"""Mixtures of experts: each row goes through a few of many small networks."""

from __future__ import annotations

from convcost.ir import Tensor, product
from convcost.ops.base import NOTHING, Attrs, Call, Op, Work, products, require, show, typed
from convcost.ops.softmax import softmax_work


class MoeAttrs(Attrs, frozen=True):
    """Attributes of MoE."""

    activation_type: str = "relu"
    k: int = 1


def moe_shape(call: Call) -> tuple[Tensor, ...]:
    """x: (…, H), scores of the E experts, weights: (E, …) -> y as x."""
    x = call.x(0)
    require(call.attrs.k >= 1, f"k {call.attrs.k} is less than 1")
    for slot in (2, 4, 6):
        w = call.optional(slot)
        if w is not None:
            require(w.rank == 3, f"the weight {show(w.dims)} of the experts needs rank 3")
    return (typed(x, x.dims),)


def moe_cost(call: Call) -> Work:
    """MoE. x: (…, H) of R rows, weights of E experts: (E, H, I), (E, I, H) and maybe (E, H, I) -> y as x.

    Counted: each row goes through k experts: R·k·H·I multiply-accumulates for each weight, one addition for each output
    of a layer with a bias; Softmax of the R rows of E scores, and R·k·H multiplications and additions to mix.
    Not counted: the choice of the experts and their activation function.
    Source: onnxruntime operator MoE.
    """
    x = call.x(0).dims
    rows = product(x[:-1])
    uses = rows * call.attrs.k
    work = NOTHING
    for slot in (2, 4, 6):
        w, bias = call.optional(slot), call.optional(slot + 1)
        if w is not None:
            work += products(uses * product(w.dims[1:]), plus=uses * bias.dims[-1] if bias is not None else 0)
    mixed = uses * x[-1]
    return work + softmax_work(rows, call.x(1).dims[-1]) + Work(multiplications=mixed, additions=mixed)


OPS = (
    Op("MoE", MoeAttrs, moe_shape, moe_cost, "attention", (4, 8), domain="com.microsoft", weights=(2, 3, 4, 5, 6, 7)),
)
