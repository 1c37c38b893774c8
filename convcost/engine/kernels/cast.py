"""Changes of element type between the plain types of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from convcost.engine.kernels import Binder, Bound, Options, Simple
from convcost.engine.values import Value, numpy_dtype
from convcost.ir import DType, Node

PLAIN = {
    DType.FLOAT32,
    DType.FLOAT64,
    DType.FLOAT16,
    DType.INT8,
    DType.INT16,
    DType.INT32,
    DType.INT64,
    DType.UINT8,
    DType.UINT16,
    DType.UINT32,
    DType.UINT64,
    DType.BOOL,
}


def cast(node: Node, _: list[Value], __: Options) -> Bound | None:
    """Cast to a plain type; strings and short types are the reference's."""
    to = DType.from_code(node.attrs.to)
    return CastTo(node, numpy_dtype(to)) if to in PLAIN else None


class CastTo(Simple):
    """Casts plain arrays itself, hands others on."""

    def __init__(self, node: Node, to: np.dtype[Any]) -> None:
        super().__init__("copy", self.run, node.attrs, 1)
        self.node = node
        self.to = to
        self.other: Bound | None = None

    def run(self, _: Any, inputs: list[Value], __: int) -> list[Value]:
        """X as the other type."""
        x = inputs[0]
        if x.dtype.kind in "fiub" and not (x.dtype.kind == "f" and x.dtype.itemsize < 2):
            return [x.astype(self.to)]
        if self.other is None:
            from convcost.engine import fallback  # noqa: PLC0415 - only for strings and short types

            self.other = fallback.bind(self.node)
        return self.other(inputs)


BINDERS: dict[tuple[str, str], Binder] = {("", "Cast"): cast}
KERNELS: dict[tuple[str, str, str], Any] = {}
