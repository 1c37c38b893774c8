"""Our outputs against onnxruntime's, its optimisations off."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from convcost import onnx_writer
from convcost.engine import guest
from convcost.engine.session import Session
from convcost.engine.values import Array
from convcost.errors import EngineError
from convcost.ir import Graph
from convcost.record import Verification

TOLERANCES: dict[str, tuple[float, float]] = {
    "float64": (1e-9, 1e-9),
    "float32": (1e-4, 1e-3),
    "float16": (1e-2, 1e-2),
    "bfloat16": (1e-1, 5e-2),
}
"""(absolute, relative) by element type; the absolute one is scaled by the largest output. Others must be equal, but
rounding to 8-bit integers may differ by one step."""

DYNAMIC = {"DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "DynamicQuantizeLinear"}
"""Operators that round their inputs to 8 bits by what is in them."""

DYNAMIC_TOLERANCE = (1e-2, 1e-2)
"""For models with such operators: a number that lies between two steps may fall either way, and moves by 1/255."""

FLAT = {"Softmax", "LogSoftmax", "Sigmoid", "Tanh", "HardSigmoid", "ArgMax", "ArgMin", "Clip"}
"""Operators behind which differences vanish: their inputs are compared too."""

SECONDS = 600.0


class Difference(msgspec.Struct, frozen=True):
    """The largest error of one output; `relative` is to the largest absolute value."""

    absolute: float
    relative: float
    passed: bool


def verify(session: Session, feeds: Mapping[str, Any], source: str | Path | None = None) -> Verification:
    """Run the model in onnxruntime and compare every output.

    `source` is the model's file; a graph without one is written out with the session's own weights. Raises
    EngineError where onnxruntime is missing or cannot run the model.
    """
    probed = probes(session.graph)
    ours = (session.probing(probed) if probed else session).run(None, feeds)
    with tempfile.TemporaryDirectory(prefix="convcost-") as name:
        folder = Path(name)
        theirs, version = reference(session, feeds, source, folder, probed)
    loose = any(node.op in DYNAMIC for node in session.graph.nodes)
    found = [compare(a, b, loose=loose) for a, b in zip(ours, theirs, strict=True) if b is not None]
    kinds = sorted({str(np.asarray(b).dtype) for b in theirs if b is not None})
    return Verification(
        backend="onnxruntime",
        version=version,
        passed=bool(found) and all(d.passed for d in found),
        max_abs_error=max((d.absolute for d in found), default=0.0),
        max_rel_error=max((d.relative for d in found), default=0.0),
        tolerance="; ".join(told(kind, loose=loose) for kind in kinds),
    )


def probes(graph: Graph) -> tuple[str, ...]:
    """What the last layers read that press any difference flat: a Softmax of large numbers gives 0 and 1 anyway."""
    made = {name: node for node in graph.nodes for name in node.outputs if name}
    found = []
    for output in graph.outputs:
        node = made.get(output)
        if node is not None and node.op in FLAT and not node.domain and node.inputs[0] in made:
            found.append(node.inputs[0])
    return tuple(name for name in dict.fromkeys(found) if name not in graph.outputs)


def reference(
    session: Session, feeds: Mapping[str, Any], source: str | Path | None, folder: Path, probed: tuple[str, ...] = ()
) -> tuple[list[Array | None], str]:
    """Onnxruntime's outputs, then the probed tensors (None for what is no numeric tensor), and its version."""
    model = model_file(session, source, folder)
    outputs = folder / "outputs.npz"
    request = guest.Request(
        model=str(model),
        names=tuple(t.name for t in session.graph.inputs),
        inputs=str(folder / "inputs.npz"),
        outputs=str(outputs),
        probes=probed,
        threads=session.threads,
        max_memory=session.limits.max_memory + guest.ADDRESS_SPACE,
    )
    answer = guest.ask(request, feeds, folder, seconds=SECONDS)
    with np.load(outputs, allow_pickle=False) as stored:
        found: list[Array | None] = [
            stored[f"o{i}"] if f"o{i}" in stored.files else None for i in range(answer["count"])
        ]
    return found, str(answer["version"])


def model_file(session: Session, source: str | Path | None, folder: Path) -> Path:
    """The model's own file, or one written from the graph and its weights."""
    if source is not None:
        return Path(source)
    path = folder / "model.onnx"
    onnx_writer.write(session.graph, path, session.stored())
    return path


def compare(ours: Any, theirs: Array, *, loose: bool = False) -> Difference:
    """The largest errors of one output against the tolerance of its type (`loose`: of `DYNAMIC_TOLERANCE`)."""
    a, b = np.asarray(ours), np.asarray(theirs)
    if a.shape != b.shape or a.dtype != b.dtype:
        raise EngineError(
            f"outputs differ in type: {a.dtype}{list(a.shape)} here, {b.dtype}{list(b.shape)} in onnxruntime",
            code="C445",
        )
    if not a.size:
        return Difference(0.0, 0.0, passed=True)
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    same = (wide_a == wide_b) | (np.isnan(wide_a) & np.isnan(wide_b))
    error = np.where(same, 0.0, np.abs(wide_a - wide_b))
    largest = float(np.max(np.abs(wide_b[np.isfinite(wide_b)]), initial=0.0))
    worst = float(np.max(error)) if np.all(np.isfinite(error)) else float("inf")
    relative = worst / largest if largest else worst
    if a.dtype.name in TOLERANCES:
        absolute, share = DYNAMIC_TOLERANCE if loose else TOLERANCES[a.dtype.name]
        passed = bool(np.all(error <= absolute * max(largest, 1e-30) + share * np.abs(np.where(same, 0, wide_b))))
    else:
        passed = worst <= (1 if a.dtype.itemsize == 1 and a.dtype != np.bool_ else 0)
    return Difference(worst, relative, passed)


def told(kind: str, *, loose: bool = False) -> str:
    """The tolerance of an element type, in words."""
    if kind in TOLERANCES:
        absolute, share = DYNAMIC_TOLERANCE if loose else TOLERANCES[kind]
        return f"{kind}: {absolute:g} of the largest value + {share:g} of each"
    return f"{kind}: equal"
