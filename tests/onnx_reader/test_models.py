"""Every public model: all tensors resolved or the reason given; outputs as onnxruntime really made them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from convcost.ir import Graph, Tensor
from convcost.onnx_reader import InputSpec, read_file, read_raw

pytestmark = pytest.mark.corpus

VALUES = {"sr": (16000,)}
ACCEPTED = ("a list of dictionaries", "cannot run on these inputs")
"""A sequence of maps has no shape; nor has what a branch computes that is not taken and does not fit the inputs."""


def cases(corpus: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for case in json.loads((corpus / "models" / "expected.json").read_bytes())["models"].values():
        yield corpus / "models" / case["file"], case


def specs(case: dict[str, Any]) -> dict[str, InputSpec]:
    return {name: InputSpec(tuple(shape), VALUES.get(name)) for name, shape in case["inputs"].items()}


def tensors(graph: Graph) -> Iterator[Tensor]:
    yield from graph.tensors.values()
    for node in graph.nodes:
        for _, inner in node.bodies:
            yield from tensors(inner)


def test_every_tensor_is_resolved(corpus: Path) -> None:
    unresolved: dict[str, set[str]] = {}
    for file, case in cases(corpus):
        graph = read_file(file, inputs=specs(case)).graph
        assert len(graph.nodes) == case["n_nodes"], file
        reasons = {t.reason for t in tensors(graph) if t.shape is None}
        assert "" not in reasons, file
        open_ones = {r for r in reasons if not r.startswith(ACCEPTED)}
        if open_ones:
            unresolved[case["file"]] = open_ones
    assert unresolved == {}


def test_outputs_have_the_shapes_that_they_had_when_the_models_ran(corpus: Path) -> None:
    for file, case in cases(corpus):
        graph = read_file(file, inputs=specs(case)).graph
        assert list(case["outputs"]) == list(graph.outputs), file
        for name, seen in case["outputs"].items():
            t = graph.tensors[name]
            if seen["shape"] is not None:
                assert (name, t.shape) == (name, tuple(seen["shape"])), file
                assert t.dtype is not None
                assert (name, t.dtype.label) == (name, seen["dtype"]), file


def test_models_are_read_without_being_told_shapes(corpus: Path) -> None:
    """Open dimensions stay symbols: nothing is refused."""
    for file, _ in cases(corpus):
        assert read_file(file).graph.resolved


def test_no_time_is_spent_on_weights(corpus: Path) -> None:
    """Payloads above the limit stay in the file."""
    graph = read_raw(corpus / "models" / "mtcnn_onet.onnx").graph
    large = [t for t in graph.tensors.values() if t.payload is not None and t.payload.length > 1 << 16]
    assert large
    assert all(t.payload is not None and t.payload.data is None for t in large)
