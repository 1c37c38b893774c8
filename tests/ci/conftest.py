"""Models made by hand: layers whose costs are known, without any file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from convcost import record

COSTS = {
    "multiplications": 0, "macs": 0, "macs_effective": 0, "additions": 0, "divisions": 0, "comparisons": 0,
    "special": 0, "flops": 0, "params": 0, "buffers": 0, "weight_bytes": 0, "read_bytes": 0, "write_bytes": 0,
    "peak_memory_bytes": None, "intensity": None,
}  # fmt: skip

Layers = Callable[..., record.Layer]
Models = Callable[..., record.Model]


def cost(**given: Any) -> record.Cost:
    return record.Cost(**{**COSTS, **given})


def make_layer(name: str, macs: int | None = 100, op: str = "Conv", **given: Any) -> record.Layer:
    """A layer of `macs` MACs; its FLOPs are twice that."""
    work = {"macs": macs, "flops": None if macs is None else 2 * macs, "params": given.pop("params", 0)}
    work |= {key: given.pop(key) for key in list(given) if key in COSTS}
    fields: dict[str, Any] = {
        "index": 0, "scope": [], "domain": "", "kind": "standard", "traits": [], "inputs": [[1, 8, 8, 8]],
        "outputs": [[1, 8, 8, 8]], "dtype": "float32", "attributes": {"kernel_shape": [3, 3]},
    }  # fmt: skip
    return record.Layer(name=name, op=op, cost=cost(**work), share=record.Share(macs=None), **{**fields, **given})


def make_model(layers: Iterable[record.Layer], source: str = "net.onnx", **given: Any) -> record.Model:
    """A model whose totals are the sums of its layers."""
    all_layers = list(layers)
    totals: dict[str, Any] = {
        name: sum(getattr(layer.cost, name) or 0 for layer in all_layers) for name in record.COUNTED
    }
    totals |= {"peak_memory_bytes": 1000} | given.pop("totals", {})
    unknown = given.pop("unknown", [])
    coverage = record.Coverage(
        complete=not unknown,
        nodes=len(all_layers),
        counted=len(all_layers) - len(unknown),
        unknown=unknown,
        lower_bound=bool(unknown),
    )
    fields: dict[str, Any] = {
        "kind": "onnx", "sha256": None, "opset": {"": 17}, "dims": {}, "coverage": coverage, "outputs": [],
    }  # fmt: skip
    return record.Model(source=source, layers=all_layers, totals=cost(**totals), **{**fields, **given})


@pytest.fixture(scope="session")
def layer() -> Layers:
    return make_layer


@pytest.fixture(scope="session")
def model() -> Models:
    return make_model
