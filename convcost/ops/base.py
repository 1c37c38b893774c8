"""What an operator's record consists of.

A record holds, side by side, the typed attributes, the shape rule and the cost rule of one operator. Rules are
functions of a `Call`: they take the shapes apart into letters and multiply. All integers, exact, no floats.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from convcost.errors import ShapeError, Unknown
from convcost.ir import Dim, DType, Expr, Graph, Shape, Tensor, Value


class Attrs(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """Base of all typed attribute records. A field's default is ONNX's default."""


class NoAttrs(Attrs, frozen=True):
    """An operator without attributes that matter."""


class Work(msgspec.Struct, frozen=True, gc=False):
    """Scalar work of one node. A MAC is one multiplication and one addition, both included in their columns.

    `macs_effective` is None for "the same as macs".
    """

    macs: Dim = 0
    multiplications: Dim = 0
    additions: Dim = 0
    divisions: Dim = 0
    comparisons: Dim = 0
    special: Dim = 0
    macs_effective: Dim | None = None
    effective_unknown: bool = False

    def __add__(self, other: Work) -> Work:
        return Work(
            self.macs + other.macs,
            self.multiplications + other.multiplications,
            self.additions + other.additions,
            self.divisions + other.divisions,
            self.comparisons + other.comparisons,
            self.special + other.special,
            None if self.macs_effective is None and other.macs_effective is None else self.effective + other.effective,
            self.effective_unknown or other.effective_unknown,
        )

    def times(self, n: Dim) -> Work:
        """The work of doing this n times."""
        return Work(
            self.macs * n,
            self.multiplications * n,
            self.additions * n,
            self.divisions * n,
            self.comparisons * n,
            self.special * n,
            None if self.macs_effective is None else self.macs_effective * n,
            self.effective_unknown,
        )

    @property
    def effective(self) -> Dim:
        """MACs without those on padding zeros."""
        return self.macs if self.macs_effective is None else self.macs_effective

    @property
    def flops(self) -> Dim:
        """Sum of the five kinds of scalar work."""
        return self.multiplications + self.additions + self.divisions + self.comparisons + self.special


NOTHING = Work()


def products(macs: Dim, *, effective: Dim | None = None, effective_unknown: bool = False, plus: Dim = 0) -> Work:
    """The work of `macs` multiply-accumulates and `plus` further additions (a bias)."""
    return Work(
        macs,
        macs,
        macs + plus,
        macs_effective=None if effective == macs else effective,
        effective_unknown=effective_unknown,
    )


def joins(m: Dim) -> Dim:
    """Operations that combine m elements into one: m - 1, and none for no elements."""
    return max(m - 1, 0) if isinstance(m, int) else m - 1


class Call(msgspec.Struct, eq=False, gc=False):
    """One use of an operator: its attributes, its inputs and, for the cost rule, its outputs."""

    attrs: Any
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor | None, ...] = ()
    n_outputs: int = 1
    bodies: tuple[tuple[str, Graph], ...] = ()
    name: str = ""
    run: Callable[[str, tuple[Tensor, ...]], Graph] | None = None
    attempted: Callable[[str], tuple[Graph, bool]] | None = None

    def body(self, role: str, given: tuple[Tensor, ...]) -> Graph:
        """The inner graph called `role`, resolved for these inputs (shape rules of If, Loop and Scan)."""
        if self.run is None:
            raise ShapeError(f"the {role} cannot be worked out here")
        return self.run(role, given)

    def attempt(self, role: str) -> tuple[Graph, bool]:
        """The inner graph called `role`, which need not run, and whether it can; what contradicts is left unknown."""
        if self.attempted is None:
            raise ShapeError(f"the {role} cannot be worked out here")
        return self.attempted(role)

    def x(self, i: int) -> Tensor:
        """Input i, which the operator requires."""
        t = self.optional(i)
        if t is None:
            raise ShapeError(f"input {i} is missing")
        return t

    def optional(self, i: int) -> Tensor | None:
        """Input i, or None where it is left out."""
        return self.inputs[i] if i < len(self.inputs) else None

    def has(self, i: int) -> bool:
        """Whether input i is there."""
        return i < len(self.inputs) and self.inputs[i] is not None

    def y(self, i: int = 0) -> Tensor:
        """Output i."""
        t = self.outputs[i] if i < len(self.outputs) else None
        if t is None:
            raise ShapeError(f"output {i} is missing")
        return t


class Kind(msgspec.Struct, frozen=True):
    """What a layer is called: one word, and further traits in a fixed order."""

    name: str
    traits: tuple[str, ...] = ()


KINDS = (
    ("standard", "convolution: every input channel with every output channel"),
    ("pointwise", "convolution with a kernel of 1"),
    ("depthwise", "convolution with one input channel in each group"),
    ("grouped", "convolution in groups"),
    ("pointwise_grouped", "convolution in groups with a kernel of 1"),
    ("spatial", "convolution along one of several spatial axes"),
    ("transposed", "transposed convolution"),
    ("matmul", "matrix product, Einsum"),
    ("recurrent", "RNN, GRU, LSTM"),
    ("attention", "attention and what belongs to it"),
    ("pool", "pooling"),
    ("norm", "normalisation, softmax, losses"),
    ("reduce", "reduction along axes, running sums"),
    ("resize", "resampling of images"),
    ("signal", "Fourier transforms"),
    ("control", "branches and loops"),
    ("elementwise", "arithmetic, comparison and logic, element by element"),
    ("activation", "non-linear function, element by element"),
    ("quantize", "change of element type, quantisation"),
    ("move", "copies elements to other places"),
    ("shape", "reads or changes a shape, leaves the elements where they are"),
    ("constant", "tensor made from attributes or sizes"),
    ("random", "random numbers"),
    ("sequence", "lists and optional values"),
    ("string", "text"),
    ("classical", "classical machine learning: domain ai.onnx.ml"),
    ("optimizer", "training step"),
)
"""Every word that `Kind.name` can be, and what it means."""

MANY = 2**31 - 1
"""Most inputs or outputs of a variadic operator."""

ShapeRule = Callable[[Call], tuple[Tensor, ...]]
CostRule = Callable[[Call], Work]
KindRule = Callable[[Call], Kind]
FoldRule = Callable[[Call], tuple[Value | None, ...]]
SizeRule = Callable[[Call], Dim]
Upgrade = Callable[[int, dict[str, Any]], dict[str, Any]]

CARRY_NOTHING = "nothing"
CARRY_FIRST = "first"
CARRY_ALL = "all"
CARRY_LARGER = "larger"


class Op(msgspec.Struct, frozen=True):
    """The record of one operator.

    shape    (Call) -> types of the outputs (names are filled in by the resolver)
    cost     (Call) -> Work; `free` for operators that only move data
    kind     one word for the report, or a rule that names it from the shapes
    weights  input slots that take weights: a constant that reaches one is a parameter
    carry    which inputs a weight reached this operator's output through: the first, all, the larger, or none
    fold     contents of the outputs from the contents of the inputs, for shape arithmetic
    upgrade  attributes as stored at an operator-set version -> attributes of the record
    inputs   fewest and most inputs
    constant the outputs are constants when all inputs are (random operators: False)
    """

    name: str
    attrs: type[Attrs]
    shape: ShapeRule
    cost: CostRule
    kind: str | KindRule
    inputs: tuple[int, int]
    outputs: tuple[int, int] = (1, 1)
    domain: str = ""
    weights: tuple[int, ...] = ()
    carry: str = CARRY_NOTHING
    operand: bool = False
    """A constant operand of more than one element is a parameter (elementwise Add, Mul, …)."""
    fold: FoldRule | None = None
    upgrade: Upgrade | None = None
    constant: bool = True
    logical_weight: SizeRule | None = None
    """Parameters that the first weight slot stands for, where it holds them packed (MatMulNBits: K·N)."""
    trips: SizeRule | None = None
    """How often the body of a Loop or Scan runs; raises Unknown where the data decide."""


remembered = lru_cache(maxsize=4096)
"""For rules of shapes alone: networks repeat their layers, and one layer is asked for its window several times."""


def free(_: Call) -> Work:
    """No scalar work: moves, renames or describes data."""
    return NOTHING


def typed(like: Tensor, shape: Shape | None, *, dtype: DType | None = None, value: Value | None = None) -> Tensor:
    """An output of the given shape with the element type of `like`, or `dtype`."""
    return Tensor("", dtype=dtype or like.dtype, shape=shape, value=value)


def unknown(reason: str, dtype: DType | None = None, needs: tuple[str, ...] = ()) -> Tensor:
    """An output whose shape cannot be known, and why."""
    return Tensor("", dtype=dtype, reason=reason, needs=needs)


def bounded(shape: Shape, why: str, dtype: DType | None) -> Tensor:
    """An output whose size the data decide, at the most that the operator allows."""
    return Tensor("", dtype=dtype, shape=shape, at_most=why)


def require(condition: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise `ShapeError(message)` unless `condition`."""
    if not condition:
        raise ShapeError(message)


def may_equal(a: Dim, b: Dim) -> bool:
    """Whether two dimensions are equal, or may be because a symbol leaves it open."""
    return a == b or isinstance(a, Expr) or isinstance(b, Expr)


def alike(a: Shape, b: Shape) -> bool:
    """Whether two shapes are equal, or may be because symbols leave it open."""
    return len(a) == len(b) and all(map(may_equal, a, b))


def axis_of(axis: int, rank: int, what: str = "axis") -> int:
    """`axis` counted from the front, for a tensor of `rank` dimensions."""
    if not -rank <= axis < rank:
        raise ShapeError(f"{what} {axis} is out of range for a tensor of {rank} dimensions")
    return axis + rank if axis < 0 else axis


def agree(a: Dim, b: Dim, message: str) -> Dim:
    """The size that a and b both stand for, a number where one is; `ShapeError(message)` where two numbers differ."""
    if isinstance(a, int) and isinstance(b, int):
        require(a == b, message)
    return b if isinstance(b, int) else a


def show(shape: Shape) -> str:
    """A shape as the messages print it: 1x3x224x224, `scalar` for rank 0."""
    return "x".join(str(d) for d in shape) if shape else "scalar"


@remembered
def broadcast(*shapes: Shape) -> Shape:
    """The common shape under ONNX's multidirectional (NumPy) broadcasting."""
    rank = max(len(s) for s in shapes)
    out: list[Dim] = [1] * rank
    for s in shapes:
        for i, d in enumerate(s, rank - len(s)):
            out[i] = _broadcast_dim(out[i], d, shapes)
    return tuple(out)


def _broadcast_dim(a: Dim, b: Dim, shapes: tuple[Shape, ...]) -> Dim:
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    if isinstance(a, Expr) and isinstance(b, Expr):
        symbols = tuple(sorted(a.symbols | b.symbols))
        raise Unknown(f"cannot tell how {a} and {b} broadcast", needs=symbols)
    if isinstance(a, Expr):
        return b
    if isinstance(b, Expr):
        return a
    raise ShapeError(f"shapes {' and '.join(show(s) for s in shapes)} do not broadcast: {a} against {b}")


def integers(t: Tensor, what: str) -> tuple[Dim, ...]:
    """The content of an integer tensor, or `Unknown`."""
    if t.value is None:
        raise Unknown(f"{what} is computed from data and is not known before running")
    out: list[Dim] = []
    for v in t.value:
        if not isinstance(v, int | Expr):
            raise ShapeError(f"{what} must hold integers, not {v}")
        out.append(v)
    return tuple(out)


def numbers(t: Tensor, what: str) -> tuple[int, ...]:
    """The content of an integer tensor as numbers without symbols, or `Unknown`."""
    out: list[int] = []
    for v in integers(t, what):
        if isinstance(v, Expr):
            raise Unknown(f"{what} depends on {v}", needs=tuple(sorted(v.symbols)))
        out.append(v)
    return tuple(out)


def make_attrs(op: Op, version: int, raw: dict[str, Any]) -> Attrs:
    """The typed record of `op` from its attributes as stored at operator-set `version`.

    Attributes that the record does not name are ignored. Raises `ShapeError` for a value of the wrong type.
    """
    if op.upgrade is not None:
        raw = op.upgrade(version, dict(raw))
    try:
        return msgspec.convert(raw, op.attrs)
    except msgspec.ValidationError as wrong:
        raise ShapeError(f"attribute of the wrong type: {wrong}") from None
