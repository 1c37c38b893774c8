"""A shape string as the bytes of a runnable file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from onnx import defs

from convcost.errors import ReportError
from convcost.ir import Graph, known
from convcost.onnx_writer import model_proto
from convcost.onnx_writer.generated import with_constant_weights

MAX_BYTES = 2**31 - 2**20
"""Messages of protobuf end at 2 GiB; a little is left for nodes and names."""


def layer_bytes(graph: Graph, weights: Mapping[str, Any] | None) -> bytes:
    """The file of `graph`: with the arrays of `weights`, or, for None, weights made by nodes of the file.

    Raises ReportError where ONNX has no such operation on this element type, or the file would be too large.
    """
    check_types(graph)
    if weights is None:
        graph, weights = with_constant_weights(graph), {}
    data: bytes = model_proto(graph, weights).SerializeToString(deterministic=True)
    return data


def check_size(graph: Graph) -> None:
    """Refuse weights that one file cannot hold."""
    bits = sum(
        math.prod(known(d, "a size") for d in t.dims) * t.dtype.bits
        for t in graph.tensors.values()
        if t.stored and t.dtype is not None
    )
    if bits // 8 > MAX_BYTES:
        raise ReportError(
            f"the weights take {bits // 8:,} bytes, and a file holds at most {MAX_BYTES:,}",
            code="C505",
            help="--weights constant has nodes make them",
        )


def check_types(graph: Graph) -> None:
    """Refuse element types that an operator does not take."""
    for node in graph.nodes:
        schema = defs.get_schema(node.op, graph.opset[""])
        dtype = graph.tensors[node.inputs[0]].dtype
        allowed = {t.removeprefix("tensor(").removesuffix(")") for t in schema.inputs[0].types}
        spelled = {"float32": "float", "float64": "double"}.get(dtype.label, dtype.label) if dtype else ""
        if spelled not in allowed:
            names = sorted({"float": "float32", "double": "float64"}.get(name, name) for name in allowed)
            raise ReportError(
                f"{node.op} of operator set {graph.opset['']} takes no {dtype.label if dtype else '?'}",
                code="C506",
                help=f"it takes {', '.join(names)}",
            )
