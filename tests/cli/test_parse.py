"""The quick parser and typer read every command line alike; the quick one hands over what it does not understand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.cli import app
from convcost.cli.commands import COMMANDS, load
from convcost.cli.options import BY_NAME, OPTIONS, Arguments
from convcost.cli.parse import quick
from convcost.errors import UsageError
from convcost.report import FORMATS

WORDS = st.sampled_from(["a.onnx", "12x12x3,k5,c256", "-", "x=1", "0", "7", "2.5", "json", "--", ""])
VALUES = {"int": st.integers(0, 99).map(str), "float": st.just("2.5"), "text": WORDS, "many": WORDS}


@st.composite
def command_lines(draw: st.DrawFn, name: str) -> list[str]:
    """Sources and well-formed options of a command, mixed."""
    argv: list[str] = []
    for option in draw(
        st.lists(st.sampled_from(load(name).COMMAND.options), max_size=5) if name != "schema" else st.just([])
    ):
        flag = draw(st.sampled_from(BY_NAME[option].flags))
        kind = BY_NAME[option].kind
        if kind in ("flag", "count"):
            argv.append(flag)
        elif kind == "three":
            argv += [flag, *draw(st.lists(WORDS, min_size=3, max_size=3))]
        elif flag.startswith("--") and draw(st.booleans()):
            argv.append(f"{flag}={draw(VALUES[kind])}")
        else:
            argv += [flag, draw(VALUES[kind])]
        argv += draw(st.lists(WORDS, max_size=1))
    return argv


def by_typer(name: str, argv: list[str]) -> Arguments | None:
    seen: list[Arguments] = []

    def keep(_: str, arguments: Arguments) -> int:
        seen.append(arguments)
        return 0

    try:
        app.parse([name, *argv], keep)
    except UsageError:
        return None
    return seen[0]


@pytest.mark.parametrize("name", COMMANDS)
@given(st.data())
@settings(max_examples=25, deadline=None)
def test_quick_is_typer(name: str, data: st.DataObject) -> None:
    argv = data.draw(command_lines(name))
    fast = quick(load(name).COMMAND, argv)
    if fast is not None:
        assert fast == by_typer(name, argv)


@pytest.mark.parametrize(
    ("argv", "arguments"),
    [
        (["a", "-f", "json", "b"], Arguments(sources=("a", "b"), format="json")),
        (["-o", "x.json", "--output=csv=y"], Arguments(output=("x.json", "csv=y"))),
        (["--", "--help.onnx"], Arguments(sources=("--help.onnx",))),
        (["-"], Arguments(sources=("-",))),
        (["-(relu)->"], Arguments(sources=("-(relu)->",))),
        (["-3x3x3"], Arguments(sources=("-3x3x3",))),
        (["−3x3"], Arguments(sources=("−3x3",))),
        (["-v", "-v", "-n", "5"], Arguments(verbose=2, top=5)),
        (["--batch=8"], Arguments(batch=8)),
    ],
)
def test_quick(argv: list[str], arguments: Arguments) -> None:
    assert quick(load("count").COMMAND, argv) == arguments


@pytest.mark.parametrize(
    "argv", [["--help"], ["-vq"], ["--nope"], ["--batch", "x"], ["--batch"], ["--strict=1"], ["-fjson"]]
)
def test_what_is_not_plain_goes_to_typer(argv: list[str]) -> None:
    assert quick(load("count").COMMAND, argv) is None


def test_every_option_has_a_field_a_help_and_flags_of_its_own() -> None:
    flags = [flag for option in OPTIONS for flag in option.flags]
    assert len(flags) == len(set(flags))
    for option in OPTIONS:
        assert option.name in Arguments.__struct_fields__
        assert option.help.endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_exists(name: str) -> None:
    assert set(load(name).COMMAND.options) <= set(BY_NAME)
    assert load(name).COMMAND.name == name


def test_formats_are_those_of_the_renderers() -> None:
    assert BY_NAME["format"].choices == FORMATS
