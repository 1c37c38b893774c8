"""Codes of the command line and of shape strings: each example in words raises its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from convcost import api, errors, notation
from convcost.explaining import codes
from convcost.ir import Graph


def c012_two_sizes(w: Any) -> Any:
    return w.count(w.model([w.relu()], ("N", 4)), dims={"N": 2}, inputs={"x": "3x4"})


def c030_long_list(w: Any) -> Any:
    (w.place / "list.txt").write_bytes(b"12x12x3,k5,c256\n" * 70_000)
    return api.count("@list.txt")


def c031_empty_list(w: Any) -> Any:
    (w.place / "empty.txt").write_text("# nothing\n")
    return api.count("@empty.txt")


def c106_long_string(_: Any) -> Any:
    return api.count("8x8x3 " + "-(relu)-> " * 7000)


def c107_deep_string(_: Any) -> Any:
    return api.count("8x8x3 -" + "{ " * 9 + "(relu) | (relu)" + " }-> | (relu) " * 8 + "}->")


def c109_empty_string(_: Any) -> Any:
    return api.count("")


def c110_bytes_in_a_list(w: Any) -> Any:
    (w.place / "list.txt").write_bytes(b"12x12x3,k5,c256\n\xff\n")
    return api.count("@list.txt")


def c143_refused_by_the_operator(w: Any) -> Any:
    """The notation's own rules are stricter than any operator's: one is made to refuse."""

    def refuse(_: Graph) -> Graph:
        raise errors.ModelError("an operator refuses")

    w.patch.setattr("convcost.notation.read.resolve", refuse)
    return notation.parse("12x12x3,k5,c256")


@pytest.mark.parametrize("entry", codes.of("Command line", "Shape string"), ids=lambda entry: entry.code)
def test_an_example_raises_its_code(entry: codes.Code, raises: Callable[[codes.Code], None]) -> None:
    raises(entry)
