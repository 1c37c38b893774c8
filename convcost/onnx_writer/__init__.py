"""ir.Graph -> .onnx: a shape string as a runnable file, or a changed graph.

The file is written beside its target and put in place at once, so that a failure leaves nothing behind.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcost.errors import ReportError
from convcost.ir import Graph
from convcost.version import __version__

if TYPE_CHECKING:
    from onnx import ModelProto

IR_VERSION = 10
DEFAULT_OPSET = 21

__all__ = ["model_proto", "write"]


def write(graph: Graph, path: str | os.PathLike[str], weights: Mapping[str, Any]) -> None:
    """Write `graph` to `path`. `weights` holds the arrays of the stored tensors by name.

    Raises ReportError where the graph cannot be written.
    """
    data = model_proto(graph, weights).SerializeToString(deterministic=True)
    target = Path(path)
    try:
        fd, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as wrong:
        raise ReportError(f"{target.name} cannot be written: {wrong.strerror or 'I/O error'}") from None


def model_proto(graph: Graph, weights: Mapping[str, Any]) -> ModelProto:
    """The message of `graph`, checked by onnx."""
    from onnx import checker, helper  # noqa: PLC0415 - only to write

    from convcost.onnx_writer.messages import graph_proto, opsets_of  # noqa: PLC0415

    proto = helper.make_model(
        graph_proto(graph, weights),
        producer_name="convcost",
        producer_version=__version__,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in opsets_of(graph).items()],
        ir_version=IR_VERSION,
    )
    if proto.ByteSize() < 1 << 31:
        try:
            checker.check_model(proto)
        except checker.ValidationError as wrong:
            raise ReportError(f"the graph is not valid ONNX: {str(wrong).splitlines()[0][:200]}") from None
    return proto
