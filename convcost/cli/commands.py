"""The commands there are. Each is a module with its `COMMAND` (name, help, options) and `run`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from convcost.cli.options import Arguments, Command

COMMANDS = {
    "count": "convcost.cli.count",
    "compare": "convcost.cli.compare",
    "whatif": "convcost.cli.whatif",
    "diff": "convcost.cli.diff",
    "check": "convcost.cli.check",
    "explain": "convcost.cli.explain",
    "time": "convcost.cli.time",
    "export": "convcost.cli.export",
    "fleet": "convcost.cli.fleet",
    "render": "convcost.cli.render",
    "separate": "convcost.cli.separate",
    "schema": "convcost.cli.schema",
}


class CommandModule(Protocol):
    """What a module of a command has."""

    COMMAND: Command
    run: Callable[[Arguments], int]


def load(name: str) -> CommandModule:
    """The module of a command."""
    return cast("CommandModule", import_module(COMMANDS[name]))
