"""Codes of the command line and of shape strings: each example in words raises its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from convcost import api, errors, notation
from convcost.explaining import codes
from convcost.ir import Graph

Trigger = Callable[[Any], Any]
Raises = Callable[[codes.Code, Trigger], None]
TRIGGERS: dict[str, Trigger] = {}


def trigger(*names: str) -> Callable[[Trigger], Trigger]:
    def note(function: Trigger) -> Trigger:
        TRIGGERS.update(dict.fromkeys(names, function))
        return function

    return note


@trigger("C012")
def two_sizes(w: Any) -> Any:
    return w.count(w.model([w.relu()], ("N", 4)), dims={"N": 2}, inputs={"x": "3x4"})


@trigger("C030")
def long_list(w: Any) -> Any:
    (w.place / "list.txt").write_bytes(b"12x12x3,k5,c256\n" * 70_000)
    return api.count("@list.txt")


@trigger("C031")
def empty_list(w: Any) -> Any:
    (w.place / "empty.txt").write_text("# nothing\n")
    return api.count("@empty.txt")


@trigger("C106")
def long_string(_: Any) -> Any:
    return api.count("8x8x3 " + "-(relu)-> " * 7000)


@trigger("C107")
def deep_string(_: Any) -> Any:
    return api.count("8x8x3 -" + "{ " * 9 + "(relu) | (relu)" + " }-> | (relu) " * 8 + "}->")


@trigger("C109")
def empty_string(_: Any) -> Any:
    return api.count("")


@trigger("C110")
def bytes_in_a_list(w: Any) -> Any:
    (w.place / "list.txt").write_bytes(b"12x12x3,k5,c256\n\xff\n")
    return api.count("@list.txt")


@trigger("C143")
def refused_by_the_operator(w: Any) -> Any:
    """The notation's own rules are stricter than any operator's: one is made to refuse."""

    def refuse(_: Graph) -> Graph:
        raise errors.ModelError("an operator refuses")

    w.patch.setattr("convcost.notation.read.resolve", refuse)
    return notation.parse("12x12x3,k5,c256")


@pytest.mark.parametrize("entry", codes.of("Command line", "Shape string"), ids=lambda entry: entry.code)
def test_an_example_raises_its_code(entry: codes.Code, raises: Raises) -> None:
    raises(entry, TRIGGERS[entry.code])
