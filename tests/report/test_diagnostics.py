"""Errors print as one line of at most 500 characters (promise 2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import ConvcostError, EngineError, ModelError, ReportError, UsageError
from convcost.report.diagnostics import render_error

ANY = st.text(st.characters(exclude_categories=()), max_size=700)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UsageError("no such option --x"), "convcost: error[C001]: no such option --x"),
        (UsageError("no", help="say yes"), "convcost: error[C001]: no; say yes"),
        (
            ModelError("the group 3 does not divide 4 channels", file="net.onnx", node="conv1", code="C210"),
            "convcost: error[C210]: net.onnx: the group 3 does not divide 4 channels (node conv1)",
        ),
        (EngineError("too large", node="n1"), "convcost: error[C400]: too large (node n1)"),
        (ReportError("a.json: is a folder"), "convcost: error[C500]: a.json: is a folder"),
    ],
)
def test_form(error: ConvcostError, line: str) -> None:
    assert render_error(error) == line


@given(ANY, ANY, ANY)
def test_one_short_inert_line(message: str, file: str, node: str) -> None:
    line = render_error(ModelError(message, file=file, node=node))
    assert len(line) <= 500
    assert line.isprintable()
    assert line.startswith("convcost: error[C200]: ")


def test_the_place_survives_a_long_cause() -> None:
    line = render_error(ModelError("x" * 9999, file="f" * 9999, node="conv1"))
    assert line.endswith("(node conv1)")
    assert len(line) <= 500
