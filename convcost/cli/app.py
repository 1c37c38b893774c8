"""The typer application: help pages, shell completion, and command lines that the quick parser leaves to it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from typing import Annotated, Any, cast

import typer

from convcost.cli.commands import COMMANDS, load
from convcost.cli.options import BY_NAME, Arguments, Command, Option
from convcost.errors import UsageError
from convcost.version import __version__

TYPES: dict[str, Any] = {
    "flag": bool,
    "count": int,
    "text": str,
    "int": int,
    "float": float,
    "many": list[str],
    "three": tuple[str, str, str],
}

CLICK_ERROR = cast("type[Exception]", typer.BadParameter.__mro__[2])
"""The base of all mistakes in a command line. Releases of typer differ in where they keep it."""

EPILOG = "convcost SRC... is convcost count SRC...; convcost COMMAND --help tells about one command."

Done = Callable[[str, Arguments], int]


def parse(argv: Sequence[str], done: Done) -> int:
    """Read `argv`, whose first word is a command or a global option, and call `done` with what it says."""
    try:
        result = typer.main.get_command(app(done))(list(argv), prog_name="convcost", standalone_mode=False)
    except typer.Exit as leave:
        return int(leave.exit_code)
    except SystemExit as leave:  # completion is done, or nobody reads the help
        return int(leave.code or 0) if "_CONVCOST_COMPLETE" in os.environ else 0
    except typer.Abort:
        raise KeyboardInterrupt from None
    except CLICK_ERROR as wrong:
        raise UsageError(sentence(str(cast("Any", wrong).format_message()))) from None
    return int(result or 0)


def sentence(message: str) -> str:
    """Typer's message in our form: one line, no capital, no full stop."""
    text = " ".join(message.split()).rstrip(".")
    return text[:1].lower() + text[1:]


def app(done: Done) -> typer.Typer:
    """All commands."""
    out = typer.Typer(name="convcost", no_args_is_help=True, rich_markup_mode="rich", epilog=EPILOG)
    out.callback(help=overview())(top)
    for name in COMMANDS:
        command = load(name).COMMAND
        out.command(name, help=page(command), short_help=command.summary)(function(command, done))
    return out


def top(
    version: Annotated[  # noqa: FBT002 - the form that typer reads
        bool, typer.Option("--version", "-V", help="Show the version and leave.", is_eager=True)
    ] = False,
) -> None:
    """Options before any command."""
    if version:
        typer.echo(f"convcost {__version__}")
        raise typer.Exit


def overview() -> str:
    """The first page of help: examples, then the commands."""
    lines = ["What a convolution, or a whole network, really costs.", ""]
    for name in COMMANDS:
        lines += load(name).COMMAND.examples[: 2 if name == "count" else 1]
    return preformatted(lines)


def page(command: Command) -> str:
    """The help of one command."""
    return preformatted([command.summary, "", *command.examples])


def preformatted(lines: Sequence[str]) -> str:
    """Lines that stay lines, with nothing in them that rich would take for markup."""
    return "\b\n" + "\n".join(line.replace("[", "\\[") for line in lines)


def function(command: Command, done: Done) -> Callable[..., int]:
    """A function with the signature that typer reads options from."""

    def call(**values: Any) -> int:
        sources = tuple(values.pop("sources", None) or ())
        given: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in values.items() if v is not None
        }
        return done(command.name, Arguments(sources=sources, **given))

    call.__signature__ = inspect.Signature(parameters(command))  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in parameters(command)}
    return call


def parameters(command: Command) -> list[inspect.Parameter]:
    """Sources and options as parameters of a function."""
    sources = Annotated[list[str] | None, typer.Argument(metavar=command.metavar, show_default=False)]
    out = [inspect.Parameter("sources", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=sources)]
    return out + [parameter(BY_NAME[name]) for name in command.options]


def complete(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """What the shell offers for a word that has begun."""
    return lambda incomplete: [choice for choice in choices if choice.startswith(incomplete)]


def parameter(option: Option) -> inspect.Parameter:
    """One option as a parameter."""
    info = typer.Option(
        *option.flags,
        help=f"{option.help} One of {', '.join(option.choices)}." if option.choices else option.help,
        autocompletion=complete(option.choices) if option.choices else None,
        metavar=option.metavar or None,
        rich_help_panel=option.panel,
        count=option.kind == "count",
        show_default=False,
    )
    default = Arguments.__struct_defaults__[Arguments.__struct_fields__.index(option.name)]
    kind = TYPES[option.kind]
    if default is None or option.kind == "many":
        default, kind = None, kind | None
    annotation = Annotated[kind, info]  # type: ignore[valid-type]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
