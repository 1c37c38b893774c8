"""Shapes, element types and contents against the real outputs of the node cases of the ONNX backend test suite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from convcost.ir import Tensor
from convcost.ops import family_of, find
from convcost.ops.index import FAMILIES

DATA_DEPENDENT = {
    "image_decoder_": "known only when it is decoded",
    "string_split_": "number of parts depends on the text",
    "strnormalizer_": "number of words left depends on the text",
    "loop11": "computed from data",
    "loop13_seq": "length",
    "loop16_seq_none": "length",
    "sequence_map_": "length",
}
"""Beginning of the names of cases whose outputs have shapes that depend on data -> what the reason must say."""


def open_because(name: str) -> str | None:
    """What the reason for an unknown shape must say; None where the shape must be known."""
    return next((why for start, why in DATA_DEPENDENT.items() if name.startswith(f"test_{start}")), None)


def differences(case: Any, shape_of: Any, value_of: Any) -> Iterator[str]:
    """Where our outputs of a case differ from the real ones."""
    graph = case.resolved()
    for i, (name, real) in enumerate(zip(graph.outputs, case.outputs, strict=False)):
        t = graph.tensors[name]
        reason = open_because(case.name)
        if isinstance(real, list):
            yield from list_differences(t, real, reason, shape_of)
        elif t.shape is None:
            if reason is None or not re.search(reason, t.reason):
                yield f"output {i} is not known: {t.reason}"
        elif not fits(t, shape_of(real), case.name):
            yield f"output {i}: {t.shape}, really {shape_of(real)}"
        elif t.dtype is not case.declared_dtype(i):
            yield f"output {i}: {t.dtype}, really {case.declared_dtype(i)}"
        elif t.value is not None and value_of(real) is not None and t.value != value_of(real):
            yield f"output {i}: content {t.value[:8]}, really {np.ravel(real)[:8]}"


BOUNDED = ("unique_", "nonmaxsuppression_", "nonzero_", "compress_")
"""Beginning of the names of cases whose sizes the data decide: ours is the most that they can be."""


def fits(t: Tensor, real: tuple[int, ...], name: str) -> bool:
    """Whether the shape is the real one; where data decide sizes, of the same rank and nowhere smaller."""
    if not t.at_most:
        return t.shape == real
    known = name.startswith(tuple(f"test_{b}" for b in BOUNDED))
    return known and t.rank == len(real) and all(a >= b for a, b in zip(t.dims, real, strict=True))


def list_differences(t: Tensor, real: list[Any], reason: str | None, shape_of: Any) -> Iterator[str]:
    """Where a list differs from a real one."""
    if t.length is None:
        if reason != "length":
            yield f"the length is not known: {t.reason}"
    elif t.length != len(real):
        yield f"{t.length} elements, really {len(real)}"
    if t.shape is not None:
        yield from (f"elements of {t.shape}, really {shape_of(x)}" for x in real if shape_of(x) != t.shape)


@pytest.mark.parametrize("family", [f for f in FAMILIES if f not in ("qonnx", "optimizer")])
def test_outputs_are_the_real_ones(family: str, node_cases: list[Any], shapes: Any, content: Any) -> None:
    known = [c for c in node_cases if family_of(*c.ops[0]) == family and all(find(*op) for op in c.ops)]
    wrong = [f"{c.name}: {said}" for c in known for said in differences(c, shapes, content)]
    assert not wrong, "\n".join(wrong)


def test_every_data_dependent_case_exists(node_cases: list[Any]) -> None:
    names = [c.name for c in node_cases]
    assert [s for s in DATA_DEPENDENT if not any(n.startswith(f"test_{s}") for n in names)] == []


def test_contents_are_compared(node_cases: list[Any]) -> None:
    """The comparison of contents has something to compare: integer arithmetic of the suite folds."""
    add = next(c for c in node_cases if c.name == "test_add_int8")
    assert add.resolved().tensors["sum"].value is not None
