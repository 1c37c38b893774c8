"""Units: what runs as one, made from one node or, when fused, from a convolution and what follows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from convcost.engine.kernels.convolution.epilogue import relu
from convcost.engine.kernels.convolution.workspace import aligned
from convcost.engine.plan import Plan, Step
from convcost.engine.values import Array
from convcost.ir import Graph, Node, Tensor

Activation = Callable[[Any], object]

__all__ = ["Activation", "Reader", "Unit", "clip_to", "fused_act", "leaky", "relu"]


class Unit:
    """One entry of a program. `kind` says how it is compiled; `nodes` are the graph's nodes that it covers."""

    __slots__ = (
        "act",
        "addend",
        "attrs",
        "bias",
        "factor",
        "floor",
        "inputs",
        "kind",
        "nodes",
        "outputs",
        "scale",
        "shift",
        "shuffled",
        "step",
        "taken",
        "weight",
    )

    def __init__(self, kind: str, step: Step, inputs: list[str], outputs: list[str]) -> None:
        self.kind = kind
        self.step = step
        self.nodes: list[Node] = [step.node]
        self.inputs = inputs
        self.outputs = outputs
        self.attrs: Any = step.node.attrs
        self.weight: Any = None
        self.factor: Any = None
        self.taken: Any = None
        self.bias: Any = None
        self.scale: Any = None
        self.shift: Any = None
        self.floor: Any = None
        self.addend: str | None = None
        self.shuffled = 0
        self.act: Activation | None = None

    def scaled(self, factor: Array) -> None:
        """One more factor for each output channel of a convolution."""
        self.factor = factor if self.factor is None else self.factor * factor

    def kernel(self) -> Array:
        """The weight of a convolution with its factors: `factor` by output and `taken` by input channel.

        It is made when it is prepared, and not kept, so that no weight is in memory twice.
        """
        w, group = self.weight, self.attrs.group
        if self.factor is not None:
            if self.step.node.op == "ConvTranspose":
                parts = w.reshape(group, w.shape[0] // group, *w.shape[1:])
                w = _times(parts, self.factor.reshape(group, 1, w.shape[1], *(1,) * (w.ndim - 2))).reshape(w.shape)
            else:
                w = _times(w, self.factor.reshape(-1, *(1,) * (w.ndim - 1)))
        if self.taken is not None:
            factors = self.taken.reshape(group, 1, w.shape[1], *(1,) * (w.ndim - 2))
            w = _times(w.reshape(group, -1, *w.shape[1:]), factors).reshape(w.shape)
        return np.asarray(w)

    @property
    def dealt(self) -> bool:
        """Whether the outputs of a pointwise layer leave in another order than its weights and bias have."""
        return bool(self.shuffled) and self.shuffled == self.attrs.group

    @property
    def reads(self) -> list[str]:
        """Names of the arrays that the unit needs."""
        return [n for n in self.inputs if n] + ([self.addend] if self.addend else [])


def _times(w: Array, factor: Array) -> Array:
    """The product in single precision, in memory that goes back to the system when it is free."""
    out = aligned(w.shape, np.float32)
    np.multiply(w, factor, out=out, casting="same_kind")
    return out


def clip_to(low: float, high: float) -> Activation:
    """Clipping in place, in one pass."""
    single = np.float32(low), np.float32(high)

    def act(y: Any) -> None:
        least, most = single if y.dtype == np.float32 else (y.dtype.type(low), y.dtype.type(high))
        y.clip(least, most, out=y)

    return act


def leaky(alpha: float) -> Activation:
    """LeakyRelu in place, for alpha of at most 1."""

    def act(y: Any) -> None:
        np.maximum(y, y * y.dtype.type(alpha), out=y)

    return act


def fused_act(attrs: Any) -> Activation | None:
    """The activation of a FusedConv, where it has a form that works in place."""
    params = attrs.activation_params
    if attrs.activation in ("", "Relu"):
        return relu
    if attrs.activation == "LeakyRelu" and params and params[0] <= 1:
        return leaky(params[0])
    if attrs.activation == "Clip" and len(params) == 2:
        return clip_to(*params)
    return None


class Reader:
    """What the units need to know about the graph: shapes, constants, how often a name is used."""

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self.tensors = graph.tensors
        self.names = {slot: name for name, slot in plan.slots.items()}
        self.constants = {self.names[s]: v for s, v in plan.constants.items()}
        self.uses: dict[str, int] = {}
        for step in plan.steps:
            for slot in step.inputs:
                if slot >= 0:
                    self.uses[self.names[slot]] = self.uses.get(self.names[slot], 0) + 1
        for slot in plan.outputs:
            self.uses[self.names[slot]] = self.uses.get(self.names[slot], 0) + 1000

    def renamed(self, old: int, new: int) -> bool:
        """Let slot `new` have the name of slot `old`; False where that is not possible."""
        a, b = self.names[old], self.names[new]
        if self.uses.get(b, 0) >= 1000 or a in self.constants or not self.compiled(a):
            return False
        self.names[new] = a
        self.uses[a] = self.uses.get(a, 0) + self.uses.get(b, 0) - 1
        return True

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of a name, where all of it is known."""
        if name in self.constants:
            value = self.constants[name]
            return tuple(value.shape) if isinstance(value, np.ndarray) else None
        t: Tensor | None = self.tensors.get(name)
        if t is None or t.shape is None or t.container != "tensor":
            return None
        return tuple(d for d in t.shape if isinstance(d, int)) if all(isinstance(d, int) for d in t.shape) else None

    def is_float32(self, name: str) -> bool:
        """Whether a name is known to hold float32: what compiled units work on."""
        if name in self.constants:
            return bool(getattr(self.constants[name], "dtype", None) == np.float32)
        t = self.tensors.get(name)
        return t is not None and t.dtype is not None and t.dtype.label == "float32"

    def compiled(self, *names: str) -> bool:
        """Whether all are float32 with a known shape that is not empty."""
        return all(self.is_float32(n) and (s := self.shape(n)) is not None and 0 not in s for n in names)

    def by_channel(self, name: str, x: tuple[int, ...]) -> Array | None:
        """A constant that has one value for each channel of x: (N, C, …), as a vector."""
        value = self.constants.get(name)
        if not isinstance(value, np.ndarray) or value.dtype != np.float32 or len(x) < 3:
            return None
        if value.size == 1:
            return np.full(x[1], value.reshape(())[()], np.float32)
        full = (1,) * (len(x) - value.ndim) + value.shape
        if len(full) == len(x) and full[1] == x[1] and all(d == 1 for i, d in enumerate(full) if i != 1):
            return value.reshape(-1)
        return None
