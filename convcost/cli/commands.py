"""The commands there are. Each is a module with its `COMMAND` (name, help, options) and `run`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from convcost.cli.options import Arguments, Command

COMMANDS = {
    "count": "convcost.cli.count",
    "compare": "convcost.cli.compare",
    "explain": "convcost.cli.explain",
    "time": "convcost.cli.time",
    "whatif": "convcost.cli.whatif",
    "separate": "convcost.cli.separate",
    "export": "convcost.cli.export",
    "check": "convcost.cli.check",
    "diff": "convcost.cli.diff",
    "fleet": "convcost.cli.fleet",
    "render": "convcost.cli.render",
    "schema": "convcost.cli.schema",
}


class CommandModule(Protocol):
    """What a module of a command has."""

    COMMAND: Command
    run: Callable[[Arguments], int]


def load(name: str) -> CommandModule:
    """The module of a command."""
    return cast("CommandModule", import_module(COMMANDS[name]))
