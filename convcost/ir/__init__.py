"""Tensors, nodes and graphs; dimensions that are integers or formulas."""

from convcost.ir.dim import Dim, Expr, Shape, ceildiv, floordiv, known, maximum, product, scaled, symbol, total
from convcost.ir.dtype import DType
from convcost.ir.graph import (
    MAX_FLOATS,
    MAX_VALUE,
    Graph,
    Node,
    Note,
    Payload,
    Scalar,
    Tensor,
    Value,
    Visit,
    distinct,
    names_of,
    visits,
)
from convcost.ir.scope import Scope

__all__ = [
    "MAX_FLOATS",
    "MAX_VALUE",
    "DType",
    "Dim",
    "Expr",
    "Graph",
    "Node",
    "Note",
    "Payload",
    "Scalar",
    "Scope",
    "Shape",
    "Tensor",
    "Value",
    "Visit",
    "ceildiv",
    "distinct",
    "floordiv",
    "known",
    "maximum",
    "names_of",
    "product",
    "scaled",
    "symbol",
    "total",
    "visits",
]
