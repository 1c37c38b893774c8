"""ValueInfoProto and TypeProto → ir.Tensor: what a file declares about a tensor."""

from __future__ import annotations

from typing import Any

from convcost.errors import ModelError
from convcost.ir import Dim, DType, Tensor, symbol
from convcost.ir.graph import MAP, OPTIONAL, SEQUENCE, SPARSE, TENSOR
from convcost.onnx_reader.limits import MAX_RANK
from convcost.onnx_reader.names import quoted, text

UNKNOWN_DIM = -1
"""Old exporters write -1 where a dimension is open."""


def declared(proto: Any, name: str) -> Tensor:
    """The declared type of `name`; an open dimension without a name gets one made from the tensor's."""
    try:
        return _typed(proto.type, name, TENSOR) if proto.HasField("type") else _untyped(name)
    except ModelError as wrong:
        wrong.message = f"{quoted(name)}: {wrong.message}"
        wrong.args = (wrong.message,)
        raise


def _untyped(name: str) -> Tensor:
    return Tensor(name, reason=f"{quoted(name)} has no declared type")


def _typed(proto: Any, name: str, container: str) -> Tensor:
    which = proto.WhichOneof("value")
    if which == "tensor_type":
        return _tensor(proto.tensor_type, name, container)
    if which == "sparse_tensor_type":
        return _tensor(proto.sparse_tensor_type, name, SPARSE)
    if which in ("sequence_type", "optional_type"):
        kind = SEQUENCE if which == "sequence_type" else OPTIONAL
        return _contained(getattr(proto, which).elem_type, name, kind if container == TENSOR else container)
    if which == "map_type":
        return Tensor(name, container=MAP, reason=f"{quoted(name)} is a map")
    return _untyped(name)


def _contained(proto: Any, name: str, container: str) -> Tensor:
    """A sequence or optional; of nested ones the outermost names the container, the innermost the elements."""
    depth = 0
    while (which := proto.WhichOneof("value")) in ("sequence_type", "optional_type"):
        proto = getattr(proto, which).elem_type
        depth += 1
    if depth or which != "tensor_type":
        return Tensor(name, container=container, reason=f"{quoted(name)} holds no plain tensors")
    return _tensor(proto.tensor_type, name, container)


def _tensor(proto: Any, name: str, container: str) -> Tensor:
    code = proto.elem_type
    dtype = DType.from_code(code)
    if dtype is None and code:
        raise ModelError(f"its element type {code} is not one that ONNX defines", code="C216")
    if not proto.HasField("shape"):
        return Tensor(name, dtype, container=container, reason=f"{quoted(name)} has no declared shape")
    dims = proto.shape.dim
    if len(dims) > MAX_RANK:
        raise ModelError(f"its rank of {len(dims)} dimensions is over the limit of {MAX_RANK}", code="C204")
    shape = tuple([_dim(d, name, axis) for axis, d in enumerate(dims)])
    return Tensor(name, dtype, shape, container=container)


def _dim(proto: Any, name: str, axis: int) -> Dim:
    which = proto.WhichOneof("value")
    if which == "dim_value":
        value: int = proto.dim_value
        if value < UNKNOWN_DIM:
            raise ModelError(f"its shape has a negative dimension, {value}", code="C216")
        return symbol(f"{name}_dim{axis}") if value == UNKNOWN_DIM else value
    given = text(proto.dim_param) if which == "dim_param" else ""
    return symbol(given or f"{name}_dim{axis}")
