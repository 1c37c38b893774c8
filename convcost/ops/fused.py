"""Work that one operator does on behalf of another: fused activations and requantisation."""

from __future__ import annotations

from convcost.errors import Unknown
from convcost.ir import Tensor
from convcost.ops import find
from convcost.ops.base import NOTHING, Call, Work


def activation(name: str, t: Tensor, domain: str = "") -> Work:
    """The work of the activation function called `name` (an operator of `domain`) on `t`; none for no name."""
    if not name:
        return NOTHING
    op = find(domain, name)
    if op is None:
        raise Unknown(f"the activation function '{name[:40]}' has no rule")
    bound = Tensor("", dtype=t.dtype, shape=())
    inputs = (t, bound, bound) if name == "Clip" else (t,)
    return op.cost(Call(op.attrs(), inputs, (t,)))


def requantize(t: Tensor) -> Work:
    """One multiplication (scale) and one addition (zero point) for each element; rounding is not counted."""
    return Work(multiplications=t.size, additions=t.size)
