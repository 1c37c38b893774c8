"""Sources that are run: their times in the report. Imported only to run, as it loads NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from convcost import record, timing
from convcost.api.sources import Loaded
from convcost.errors import EngineError, UsageError
from convcost.ir import distinct


def measure(item: Loaded, model: record.Model, how: Mapping[str, object], backend: str = "numpy") -> timing.Measured:
    """Run one graph and take its times."""
    if backend not in ("numpy", "onnxruntime"):
        raise UsageError(f"unknown backend {backend!r}; there are numpy and onnxruntime")
    return timing.time_model(
        item.graph,
        options=settings(how),
        backend="onnxruntime" if backend == "onnxruntime" else "numpy",
        work=work_of(model),
        source=item.path,
    )


def measure_together(
    sources: Sequence[tuple[Loaded, record.Model, str | None]], how: Mapping[str, object]
) -> list[timing.Measured | EngineError]:
    """Run several graphs in turn, each by its algorithm if it has one; an error in the place of what may not run."""
    jobs = [timing.Job(item.graph, work_of(model), algorithm) for item, model, algorithm in sources]
    return timing.time_together(jobs, options=settings(how))


def settings(how: Mapping[str, object]) -> timing.Options:
    """Options of a measurement, checked."""
    try:
        return msgspec.convert(dict(how), timing.Options)
    except msgspec.ValidationError as wrong:
        raise UsageError(f"an option has the wrong type: {wrong}") from None


def work_of(model: record.Model) -> dict[str, timing.LayerWork]:
    """FLOPs and bytes of each layer, for its rates."""
    out = {}
    for name, layer in zip(names_of(model), model.layers, strict=True):
        cost = layer.cost
        if cost.flops is not None and cost.read_bytes is not None and cost.write_bytes is not None:
            out[name] = timing.LayerWork(cost.flops, cost.read_bytes + cost.write_bytes)
    return out


def names_of(model: record.Model) -> list[str]:
    """The name of each layer as times are given by: a repeated one has a number."""
    return distinct(layer.name for layer in model.layers)


def timed(model: record.Model, measured: timing.Measured) -> record.Model:
    """The model with times filled in."""
    layers = [
        msgspec.structs.replace(layer, timing=measured.layers.get(name, layer.timing))
        for name, layer in zip(names_of(model), model.layers, strict=True)
    ]
    return msgspec.structs.replace(model, layers=layers, timing=measured.model)
