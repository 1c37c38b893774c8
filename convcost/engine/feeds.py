"""Random inputs for a model, reproducible."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from convcost.engine.footprint import predict
from convcost.engine.memory import default_limit
from convcost.engine.values import Value, numpy_dtype
from convcost.errors import EngineError
from convcost.ir import DType, Graph, Tensor


def random_feeds(graph: Graph, seed: int = 0, max_memory: int | None = None) -> dict[str, Value]:
    """An input for each tensor of the graph's signature: normal floats, small integers, false.

    Contents that the graph already knows (given on the command line) are kept. Raises EngineError for a shape that
    is open and for inputs that memory cannot hold.
    """
    predict(msgspec.structs.replace(graph, nodes=(), outputs=()), default_limit() if max_memory is None else max_memory)
    draw = np.random.default_rng(seed)
    return {t.name: _drawn(t, draw) for t in graph.inputs}


def _drawn(t: Tensor, draw: np.random.Generator) -> Any:
    if t.container != "tensor" or t.dtype is None or t.shape is None:
        raise EngineError(f"input '{t.name[:80]}' is not a tensor of known type and rank", code="C405")
    still_open = [d for d in t.shape if not isinstance(d, int)]
    if still_open:
        raise EngineError(
            f"input '{t.name[:80]}' has the open dimension {still_open[0]}",
            code="C405",
            help=f"say how large it is: --dim '{still_open[0]}=N'",
        )
    shape = tuple(d for d in t.shape if isinstance(d, int))
    if t.value is not None:
        from convcost.engine.weights import from_value  # noqa: PLC0415 - rare

        return from_value(t)
    if t.dtype is DType.STRING:
        return np.full(shape, "a", object)
    kind = numpy_dtype(t.dtype)
    if t.dtype is DType.BOOL:
        return np.zeros(shape, kind)
    if t.dtype.is_integer:
        return draw.integers(0, 2, shape).astype(kind)
    return draw.standard_normal(shape, np.float32).astype(kind)
