"""The one representation that shape strings and ONNX files share. Frozen: a change makes a new graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

import msgspec

from convcost.errors import Unknown
from convcost.ir.dim import Dim, Expr, Shape, product
from convcost.ir.dtype import DType

Scalar = int | Fraction | Expr
Value = tuple[Scalar, ...]
"""Elements of a small tensor whose content is known, row-major. Booleans are 0 and 1; infinities are not known."""

MAX_VALUE = 4096
"""Contents of larger tensors are not carried."""

MAX_FLOATS = 16
"""Nor those of floating-point tensors above this: scales and limits are short, and fractions are slow."""

TENSOR = "tensor"
SEQUENCE = "sequence"
OPTIONAL = "optional"
MAP = "map"
SPARSE = "sparse"


class Payload(msgspec.Struct, frozen=True, gc=False):
    """Where the content of a stored constant lies.

    `data` holds the bytes when they are in memory; else `length` bytes begin at `offset` of `path`. `encoding` says
    what they are: `raw` (little-endian, packed), or the name of a typed field of ONNX's TensorProto
    (`float_data`, `int32_data`, …, wire-encoded). `external` marks a file beside the model: it is opened safely,
    relative to `directory`, only when the model is run.
    """

    encoding: str
    length: int
    data: bytes | None = None
    path: str | None = None
    offset: int = 0
    external: bool = False
    directory: str | None = None


class Tensor(msgspec.Struct, frozen=True, gc=False):
    """What is known about one tensor: element type, shape, and content where it is small and constant.

    `shape` is None when unknown, and `reason` says why. `constant` is true when no input of the graph can change it.
    `stored` is true for a tensor that the graph itself holds: an initializer, a kernel of a shape string.
    For a sequence, optional or map, `shape` and `dtype` describe the elements when they agree.
    """

    name: str
    dtype: DType | None = None
    shape: Shape | None = None
    value: Value | None = None
    constant: bool = False
    stored: bool = False
    container: str = TENSOR
    payload: Payload | None = None
    reason: str = ""
    needs: tuple[str, ...] = ()
    nonzeros: int | None = None
    sparse: tuple[Tensor, Tensor] | None = None
    """The values and the index table of a tensor that is stored sparsely."""
    length: Dim | None = None
    at_most: str = ""
    """Why the true shape may be smaller: the data decide, and `shape` is the most that they allow."""

    @property
    def dims(self) -> Shape:
        """The shape, or `Unknown` with the reason."""
        if self.shape is None:
            raise Unknown(self.reason or f"the shape of {self.name or 'an input'} is not known", needs=self.needs)
        return self.shape

    @property
    def rank(self) -> int:
        return len(self.dims)

    @property
    def size(self) -> Dim:
        """Number of elements."""
        return product(self.dims)

    @property
    def content(self) -> Value:
        """The elements, or `Unknown`."""
        if self.value is None:
            raise Unknown(f"the content of {self.name or 'an input'} is not known before running")
        return self.value


class Node(msgspec.Struct, frozen=True, gc=False):
    """One operation. `inputs` and `outputs` are tensor names; an empty name is an input or output left out.

    `attrs` is the operator's typed record, or None where no rule knows the operator. `bodies` are the graphs inside:
    `then_branch` and `else_branch` of an If, `body` of a Loop or Scan, `function` of a called function.
    `notation` is the layer's own shape string, where it came from one; `reading` says what was inferred from it.
    """

    index: int
    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Any = None
    domain: str = ""
    since_version: int = 1
    bodies: tuple[tuple[str, Graph], ...] = ()
    notation: str = ""
    reading: tuple[str, ...] = ()
    raw: tuple[tuple[str, Any], ...] = ()
    """Attributes as stored, for operators that have no record and for the engine's fallback."""

    def body(self, role: str) -> Graph | None:
        """The inner graph called `role`."""
        return dict(self.bodies).get(role) if self.bodies else None


class Note(msgspec.Struct, frozen=True):
    """Something the user should know that is not an error: `code`, one line, and where."""

    code: str
    message: str
    help: str | None = None
    location: str | None = None
    severity: str = "note"


class Graph(msgspec.Struct, frozen=True):
    """Nodes in an order in which they can run, and every tensor by name.

    Inner graphs (branches, loop bodies, functions) see the tensors of the graphs around them, functions do not.
    A graph is *resolved* once `ops.resolve` has given every tensor that can have one a type.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    tensors: dict[str, Tensor]
    notes: tuple[Note, ...] = ()
    opset: dict[str, int] = {}
    resolved: bool = False

    def __str__(self) -> str:
        """Readable text, one line a node."""
        lines = [f"graph {self.name}({', '.join(_typed(t) for t in self.inputs)})"]
        for node in self.nodes:
            out = ", ".join(_typed(self.tensors.get(o, Tensor(o))) for o in node.outputs if o)
            lines.append(f"  {out} = {node.op}({', '.join(node.inputs)})  # {node.name}")
            for role, inner in node.bodies:
                lines += [f"    {role}:", *("    " + line for line in str(inner).split("\n"))]
        lines.append(f"  return {', '.join(self.outputs)}")
        return "\n".join(lines)


def _typed(t: Tensor) -> str:
    shape = "?" if t.shape is None else "x".join(str(d) for d in t.shape)
    return f"{t.name}: {t.dtype.label if t.dtype else '?'}[{shape}]"


def distinct(names: Iterable[str]) -> list[str]:
    """`names` with a number after those that came before, as in `conv`, `conv#2`: names of nodes need not differ."""
    out: list[str] = []
    seen: dict[str, int] = {}
    for name in names:
        if name in seen:
            number = seen[name] + 1
            while f"{name}#{number}" in seen:
                number += 1
            seen[name] = number
            name = f"{name}#{number}"  # noqa: PLW2901 - the name that is free
        seen[name] = 1
        out.append(name)
    return out


class Visit(msgspec.Struct, frozen=True):
    """A node on a walk through a graph and the graphs inside it.

    `place` tells it from all others by positions, as `7/then_branch/0`; `path` by names, as `If_0/then_branch/conv1`.
    `scope`: it calls a function and is itself no layer.
    """

    place: str
    path: str
    node: Node
    scope: bool


def visits(graph: Graph, enter: Callable[[str], bool], place: str = "", path: str = "") -> Iterator[Visit]:
    """Every node in order; the bodies of a node after it, where `enter` says so of its place."""
    for node in graph.nodes:
        here = Visit(f"{place}{node.index}", path + node.name, node, node.body("function") is not None)
        yield here
        if node.bodies and enter(here.place):
            for role, body in node.bodies:
                inner = "/" if role == "function" else f"/{role}/"
                yield from visits(body, enter, here.place + inner, here.path + inner)


def names_of(found: Iterable[Visit]) -> dict[str, str]:
    """Names by place that differ: paths, with a number where they repeat. That of a scope ends in a slash."""
    found = list(found)
    layers = [v for v in found if not v.scope]
    names = {v.place: f"{v.path}/" for v in found if v.scope}
    names.update(zip([v.place for v in layers], distinct(v.path for v in layers), strict=True))
    return names
