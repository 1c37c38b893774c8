"""One node by itself: the operator's rules applied to its tensors, and the bytes that it moves."""

from __future__ import annotations

from convcost.analysis.tally import Tally
from convcost.errors import ShapeError, Unknown
from convcost.ir import Dim, DType, Node, Tensor, product
from convcost.ir.graph import TENSOR
from convcost.ops import Kind
from convcost.ops.base import Call, Op, Work
from convcost.ops.resolve import Tensors, doubtful
from convcost.record import UnknownNode

STRING = DType.STRING


def call_of(node: Node, scope: Tensors) -> Call:
    """The node as its rules see it."""
    return Call(node.attrs, scope.all(node.inputs), scope.all(node.outputs), len(node.outputs), node.bodies, node.name)


def trips(op: Op | None, call: Call) -> Dim | None:
    """Iterations of a Loop with a constant trip count and condition, or the sequence length of a Scan."""
    if op is None or op.trips is None:
        return None
    try:
        return op.trips(call)
    except (Unknown, ShapeError):
        return None


def leaf(node: Node, op: Op | None, call: Call) -> Tally:
    """The work and traffic of one node by itself."""
    if node.body("function") is not None:
        return Tally()
    try:
        work = work_of(node, op, call)
    except Unknown as why:
        missing = UnknownNode(name=node.name, op=node.op, reason=why.reason)
        return Tally(nodes=1, unknown=(missing,), n_unknown=1, bytes_missing=True)
    read, write, lost = traffic(call)
    return Tally(
        work=work, read_bytes=read, write_bytes=write, nodes=1, bytes_missing=lost, upper_bound=bool(doubt(call))
    )


def doubt(call: Call) -> str:
    """Why a size in this call is only the most that the data allow; empty where all are exact."""
    return doubtful(call.outputs) or doubtful(call.inputs)


def work_of(node: Node, op: Op | None, call: Call) -> Work:
    """The operator's cost rule, applied."""
    if op is None:
        raise Unknown(f"operator {node.domain + ':' if node.domain else ''}{node.op} has no rule")
    if node.attrs is None:
        raise Unknown("its attributes are not known")
    try:
        return op.cost(call)
    except ShapeError as wrong:
        raise Unknown(str(wrong)) from None


def traffic(call: Call) -> tuple[Dim, Dim, bool]:
    """(bytes read, bytes written, whether some are not known): each tensor once."""
    read, lost_in = nbytes(call.inputs)
    write, lost_out = nbytes(call.outputs)
    return read, write, lost_in or lost_out


def nbytes(tensors: tuple[Tensor | None, ...]) -> tuple[Dim, bool]:
    """Stored bytes of `tensors`, each once, and whether some are not known."""
    out: Dim = 0
    lost = False
    for t in {t.name: t for t in tensors if t is not None}.values():
        if t.shape is None or t.dtype is None or t.dtype is STRING or t.container != TENSOR:
            lost = True
        else:
            out = out + t.dtype.nbytes(product(t.shape))
    return out, lost


UNKNOWN = Kind("unknown")
FUNCTION = Kind("function")
_KINDS: dict[str, Kind] = {}


def kind_of(node: Node, op: Op | None, call: Call) -> Kind:
    """What the layer is called."""
    if op is None:
        return FUNCTION if node.body("function") is not None else UNKNOWN
    if isinstance(op.kind, str):
        kind = _KINDS.get(op.kind)
        if kind is None:
            kind = _KINDS[op.kind] = Kind(op.kind)
        return kind
    try:
        return op.kind(call)
    except (Unknown, ShapeError):
        return UNKNOWN
