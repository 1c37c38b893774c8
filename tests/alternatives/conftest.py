"""Layers, and shape strings counted: MACs, parameters, shape and field."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from convcost import alternatives, analysis, notation
from convcost.alternatives import ConvLayer


class Counted(NamedTuple):
    """What a shape string costs and gives. `field` and `shape` are in ONNX's order."""

    macs: int
    params: int
    shape: tuple[int | str, ...]
    field: tuple[int, ...]
    kinds: tuple[tuple[str, int], ...]


def counted(text: str) -> Counted:
    graph = notation.parse(text)
    done = analysis.count(graph)
    assert done.coverage.complete
    total = analysis.total_cost(graph, done)
    assert total.macs is not None
    assert total.params is not None
    (out,) = analysis.outputs_of(graph)
    assert out.shape is not None
    fields = done.layers[-1].receptive_field
    assert fields is not None
    kinds = tuple((row.kind, row.cost.macs or 0) for row in done.layers)
    return Counted(total.macs, total.params, tuple(out.shape), tuple(a.size for a in fields[0].axes), kinds)


def read(text: str) -> ConvLayer:
    return alternatives.layer_of(notation.parse(text))


@pytest.fixture(scope="session")
def count() -> Callable[[str], Counted]:
    """Counts a shape string."""
    return counted


@pytest.fixture(scope="session")
def layer() -> Callable[[str], ConvLayer]:
    """The layer of a shape string."""
    return read
