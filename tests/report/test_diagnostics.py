"""Errors print as one line of at most 500 characters (promise 2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import ConfigError, ConvcostError, EngineError, ModelError, NotationError, ReportError, UsageError
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


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UsageError("no such option --x", help="say yes"), "no such option --x"),
        (ModelError("ends early", file="a/net.onnx"), "a/net.onnx: ends early"),
        (
            ModelError("3 does not divide 4", file="net.onnx", node="conv1"),
            "net.onnx: 3 does not divide 4 (node conv1)",
        ),
        (EngineError("too large", node="n1"), "too large (node n1)"),
        (
            ConfigError("no number", file="convcost.toml", line=3, column=8, text="macs = x"),
            "convcost.toml:3:8: no number",
        ),
        (ConfigError("there is no baseline", file="base.json"), "base.json: there is no baseline"),
        (NotationError("no tensor", text="x", span=(0, 1), source="list.txt", line=3), "list.txt:3: no tensor"),
        (NotationError("no tensor", text="x", span=(0, 1)), "no tensor"),
    ],
)
def test_an_error_as_text_names_its_place(error: ConvcostError, text: str) -> None:
    assert str(error) == text


def test_a_place_that_becomes_known_later_is_named() -> None:
    error = ModelError("ends early")
    error.file = "net.onnx"
    assert str(error) == "net.onnx: ends early"
    assert render_error(error) == "convcost: error[C200]: net.onnx: ends early"


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


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b]0;pwn\x07\x1b[31mred.onnx", "\\x1b]0;pwn\\x07\\x1b[31mred.onnx: not a model"),
        ("two\nlines\u202e.onnx", "two\\nlines\\u202e.onnx: not a model"),
        ("byte\udcff.onnx", "byte\\udcff.onnx: not a model"),
        ("größe.onnx", "größe.onnx: not a model"),
    ],
)
def test_an_error_as_text_commands_no_terminal(name: str, shown: str) -> None:
    assert str(ModelError("not a model", file=name)) == shown
