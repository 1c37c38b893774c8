"""How many bytes a node will make, from the arrays that are there, by the operator's own shape rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.values import Value, dtype_of
from convcost.errors import EngineError, ShapeError, Unknown
from convcost.ir import MAX_VALUE, DType, Node, Tensor
from convcost.ops import find
from convcost.ops.base import Call

SMALL = 1 << 16
"""Outputs of fewer bytes are not weighed against the limit."""
TAME = 16
"""Outputs of the operators in TAMED take at most so many times the bytes of their inputs."""
TAMED = frozenset(
    [
        "Abs",
        "Neg",
        "Sign",
        "Floor",
        "Ceil",
        "Round",
        "Sqrt",
        "Exp",
        "Log",
        "Sin",
        "Cos",
        "Reciprocal",
        "Not",
        "IsNaN",
        "Relu",
        "LeakyRelu",
        "Sigmoid",
        "Tanh",
        "Erf",
        "Elu",
        "Selu",
        "HardSigmoid",
        "HardSwish",
        "Softplus",
        "Gelu",
        "Softmax",
        "LogSoftmax",
        "LayerNormalization",
        "InstanceNormalization",
        "BatchNormalization",
        "LRN",
        "Identity",
        "Reshape",
        "Flatten",
        "Squeeze",
        "Unsqueeze",
        "Slice",
        "Split",
        "Shape",
        "Size",
        "Transpose",
        "Concat",
        "Cast",
        "DepthToSpace",
        "SpaceToDepth",
        "ReduceSum",
        "ReduceMean",
        "ReduceMax",
        "ReduceMin",
        "ReduceProd",
        "ReduceL2",
        "ReduceSumSquare",
        "ArgMax",
        "ArgMin",
        "CumSum",
        "DynamicQuantizeLinear",
        "QuantizeLinear",
        "DequantizeLinear",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "Clip",
        "LSTM",
        "GRU",
        "RNN",
    ]
)
REMEMBERED = 32
"""Sets of inputs whose outputs a step remembers."""
CONTENT = 64
"""Elements of an input whose content its outputs' sizes may depend on, where it is remembered."""


class Weighed:
    """The bytes of a node's outputs, remembered for inputs like those of the last runs."""

    __slots__ = ("seen", "tame")

    def __init__(self, node: Node) -> None:
        self.tame = not node.domain and node.op in TAMED
        self.seen: dict[tuple[Any, ...], int] = {}

    def bytes(self, node: Node, given: list[Value]) -> int:
        """Bytes, 0 where they are few or cannot be told."""
        if self.tame:
            total = 0
            for v in given:
                if v is not None:
                    total += v.nbytes if v.__class__ is np.ndarray and v.dtype != object else SMALL
            if total * TAME <= SMALL:
                return 0
        key = look(given)
        if key is None:
            return output_bytes(node, given) or 0
        found = self.seen.get(key)
        if found is None:
            if len(self.seen) >= REMEMBERED:
                self.seen.clear()
            found = self.seen[key] = output_bytes(node, given) or 0
        return found


def look(given: list[Value]) -> tuple[Any, ...] | None:
    """What the sizes of outputs may depend on: shapes, types, short contents; None where that is too much to keep."""
    key: list[Any] = []
    for v in given:
        if v is None:
            key.append(None)
        elif v.__class__ is not np.ndarray or v.dtype == object:
            return None
        elif v.size <= CONTENT:
            key.append((v.shape, v.dtype.char, v.tobytes()))
        elif v.dtype.kind in "iub" and v.size <= MAX_VALUE:
            return None
        else:
            key.append((v.shape, v.dtype.char))
    return tuple(key)


def output_bytes(node: Node, given: list[Value]) -> int | None:
    """Bytes of a node's outputs on these inputs, by its shape rule; None where the rule cannot tell."""
    if any(isinstance(v, np.ndarray) and v.dtype == object for v in given):
        return _string_bytes(given)
    op = find(node.domain, node.op)
    if op is None or node.attrs is None or node.bodies:
        return None
    call = Call(node.attrs, tuple(known(v) for v in given), n_outputs=len(node.outputs), name=node.name)
    try:
        outputs = op.shape(call)
        return sum(_bytes(t) for t in outputs)
    except Unknown:
        return None
    except ShapeError as wrong:
        raise EngineError(f"{node.op}: {wrong}", node=node.name, code="C421") from None


def known(value: Value) -> Tensor | None:
    """The type of a value as the shape rules want it, with its content where it is small and of integers."""
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        return Tensor("", reason="not a tensor")
    content: Any = None
    if value.size <= MAX_VALUE and value.dtype.kind in "iub":
        content = tuple(int(v) for v in value.flat)
    elif value.size <= 64 and value.dtype.kind == "f":
        content = fractions(value)
    return Tensor("", dtype=dtype_of(value), shape=value.shape, value=content)


def fractions(value: Any) -> Any:
    """The elements as exact fractions, or None where one is not finite."""
    from fractions import Fraction  # noqa: PLC0415 - few operators look at float contents

    items = value.astype(np.float64).ravel().tolist()
    if not all(np.isfinite(items)):
        return None
    return tuple(int(f) if f.denominator == 1 else f for f in map(Fraction, items))


def _bytes(t: Tensor) -> int:
    count = t.size if t.shape is not None else 0
    if not isinstance(count, int):
        return 0
    return count * max((t.dtype or DType.FLOAT32).bits // 8, 1)


def _string_bytes(given: list[Value]) -> int:
    """An upper bound for concatenation: every element as long as the longest of each input together."""
    longest = 0
    count = 0
    for v in given:
        if isinstance(v, np.ndarray) and v.dtype == object:
            longest += max((len(s) for s in v.flat if isinstance(s, str | bytes)), default=0)
            count = max(count, v.size)
    return longest * count
