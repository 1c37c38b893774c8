"""Elementwise operators on one array, as one activation: GELU as five nodes, SiLU as two.

A region begins at a name and ends at the first name that takes in everything made from it. Its operators read that
name, each other and scalars. It runs block by block, so that what lies between its operators stays in cache.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from convcost.engine.kernels.activation import BLOCK, erf_part, gelu_part, sigmoid
from convcost.engine.kernels.convolution.epilogue import rectify
from convcost.engine.plan import Step
from convcost.engine.static.units import Activation, Reader

LONGEST = 12
"""Operators of a region at most."""


def _erf(x: Any) -> Any:
    y = np.empty_like(x)
    erf_part(x, y)
    return y


def _relu(x: Any) -> Any:
    y = np.empty_like(x)
    rectify(x, y)
    return y


def _gelu(x: Any) -> Any:
    y = np.empty_like(x)
    gelu_part(x, y)
    return y


Unary = Callable[[Any], Any]
UNARY: dict[str, Unary] = {
    "Identity": lambda x: x,
    "Abs": np.abs,
    "Neg": np.negative,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Tanh": np.tanh,
    "Sigmoid": sigmoid,
    "Relu": _relu,
    "Erf": _erf,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
}
STEEP = {"HardSigmoid", "HardSwish", "LeakyRelu", "Clip", "Gelu"}
"""Operators whose function depends on their attributes."""


class Call(NamedTuple):
    """One operator: registers or numbers in, a register out. Register 0 is the input."""

    fn: Callable[..., Any]
    operands: tuple[Any, ...]


class Region(NamedTuple):
    """From which name to which, the numbers of its steps, how often they read the first name, and what they do."""

    source: str
    output: str
    steps: tuple[int, ...]
    reads: int
    act: Activation


class Register(NamedTuple):
    """The result of an operator of a region; 0 is the array that it begins with."""

    number: int


def find_regions(steps: list[Step], read: Reader) -> dict[int, Region]:
    """The regions of more than one operator, by their first step."""
    readers: dict[str, list[int]] = {}
    for i, step in enumerate(steps):
        for slot in step.inputs:
            if slot >= 0:
                readers.setdefault(read.names[slot], []).append(i)
    found: dict[int, Region] = {}
    taken: set[int] = set()
    for i, step in enumerate(steps):
        names = [read.names[s] for s in step.inputs if s >= 0]
        source = next((n for n in names if n not in read.constants), None)
        if i in taken or source is None or not read.compiled(source):
            continue
        region = grown(source, steps, read, readers)
        if region is not None and region.steps[0] == i:
            found[i] = region
            taken.update(region.steps)
    return found


def grown(source: str, steps: list[Step], read: Reader, readers: dict[str, list[int]]) -> Region | None:
    """The region that begins at `source`: the largest of at least two operators that is closed."""
    registers = {source: Register(0)}
    calls: list[Call] = []
    members: list[int] = []
    best: Region | None = None
    pending = sorted(set(readers.get(source, ())))
    while pending and len(members) < LONGEST:
        i = pending.pop(0)
        call = call_of(steps[i], read, registers)
        if call is None:
            return best
        output = read.names[steps[i].outputs[0]]
        members.append(i)
        calls.append(call)
        registers[output] = Register(len(calls))
        inside = set(members)
        open_names = [n for n in registers if not set(readers.get(n, ())) <= inside or read.uses.get(n, 0) >= 1000]
        if len(members) > 1 and open_names == [output]:
            reads = sum(n == source for m in members for n in map(read.names.get, steps[m].inputs))
            best = Region(source, output, tuple(members), reads, evaluator(tuple(calls)))
        if any(read.uses.get(n, 0) >= 1000 for n in registers):
            return best
        pending = sorted({*pending, *readers.get(output, ())} - inside)
    return best


def call_of(step: Step, read: Reader, registers: dict[str, Register]) -> Call | None:
    """An operator on registers and numbers; None for one that is not elementwise on these."""
    node = step.node
    outputs = [s for s in step.outputs if s >= 0]
    if node.domain or step.run_bodies is not None or len(outputs) != 1 or getattr(node.attrs, "axis", None) is not None:
        return None
    operands: list[Any] = []
    for slot in step.inputs:
        name = read.names[slot] if slot >= 0 else ""
        if name in registers:
            operands.append(registers[name])
            continue
        value = read.constants.get(name) if name else None
        if not isinstance(value, np.ndarray) or value.dtype != np.float32 or value.size != 1 or value.ndim > 1:
            return None
        operands.append(np.float32(value.reshape(())))
    if read.shape(read.names[outputs[0]]) != read.shape(next(iter(registers))):
        return None
    if node.op in BINARY and len(operands) == 2:
        return Call(BINARY[node.op], tuple(operands))
    if node.op in UNARY and len(operands) == 1:
        return Call(UNARY[node.op], tuple(operands))
    fn = steep(node.op, node.attrs, operands) if node.op in STEEP else None
    return None if fn is None else Call(fn, tuple(operands[:1]))


def steep(op: str, a: Any, operands: list[Any]) -> Unary | None:
    """The function of an operator with attributes."""
    f = np.float32
    if op == "HardSigmoid":
        alpha, beta = f(a.alpha), f(a.beta)
        return lambda x: np.clip(x * alpha + beta, f(0), f(1))
    if op == "HardSwish":
        return lambda x: x * np.clip(x * f(1 / 6) + f(0.5), f(0), f(1))
    if op == "LeakyRelu" and a.alpha <= 1:
        return lambda x: np.maximum(x, x * f(a.alpha))
    if op == "Gelu" and a.approximate != "tanh":
        return _gelu
    if op == "Clip" and len(operands) in (1, 3):
        low, high = (a.min, a.max) if len(operands) == 1 else operands[1:]
        if isinstance(low, Register) or isinstance(high, Register) or low is None or high is None:
            return None
        return lambda x: np.minimum(np.maximum(x, f(low)), f(high))
    return None


def evaluator(calls: tuple[Call, ...]) -> Activation:
    """The calls on an array in place, block by block."""
    plain = shortened(calls)

    def part(x: Any) -> None:
        made = [x]
        for fn, operands in plain:
            made.append(fn(*(made[o.number] if o.__class__ is Register else o for o in operands)))
        np.copyto(x, made[-1])

    def act(y: Any) -> None:
        whole = y.reshape(-1) if y.flags.c_contiguous else y
        rows = max(1, BLOCK * len(whole) // max(whole.size, 1))
        for start in range(0, len(whole), rows):
            part(whole[start : start + rows])

    return act


def shortened(calls: tuple[Call, ...]) -> tuple[Call, ...]:
    """GELU, in the orders in which it is written, as one call."""
    if len(calls) != 5 or {c.fn for c in calls} - {np.divide, np.multiply, np.add, _erf}:
        return calls
    probe = np.linspace(-6, 6, 241, dtype=np.float32)
    made: list[Any] = [probe]
    for fn, operands in calls:
        made.append(fn(*(made[o.number] if o.__class__ is Register else o for o in operands)))
    scaled = calls[0].fn in (np.divide, np.multiply) and np.allclose(made[1], probe * sqrt(0.5), rtol=1e-6, atol=0)
    same = scaled and np.allclose(made[-1], _gelu(probe), rtol=1e-5, atol=1e-6)
    return (Call(_gelu, (Register(0),)),) if same else calls
