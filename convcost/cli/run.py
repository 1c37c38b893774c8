"""From a command line to an exit code: find the command, read its options, run it, and print what goes wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from convcost.cli.commands import COMMANDS, load
from convcost.cli.options import Arguments
from convcost.cli.parse import quick
from convcost.errors import ConvcostError, UsageError, internal

TOP = frozenset({"--help", "--version", "-V", "--install-completion", "--show-completion"})


def run(argv: Sequence[str]) -> int:
    """Run the command that `argv` asks for. Errors are printed; none but KeyboardInterrupt leaves."""
    try:
        return dispatch(argv)
    except ConvcostError as error:
        complain(error)
        return error.exit_code
    except MemoryError:
        complain(ConvcostError("not enough memory"))
        return ConvcostError.exit_code
    except Exception as error:
        if os.environ.get("CONVCOST_TRACEBACK"):
            raise
        complain(internal(error))
        return ConvcostError.exit_code


def dispatch(argv: Sequence[str]) -> int:
    """`convcost SRC...` is `convcost count SRC...`."""
    if not argv or argv[0] in TOP or "_CONVCOST_COMPLETE" in os.environ:
        return typer_reads(argv or ["--help"])
    if argv[0].isalpha() and argv[0] not in COMMANDS:
        refuse_misspelt(argv[0])
    name, rest = (argv[0], argv[1:]) if argv[0] in COMMANDS else ("count", argv)
    arguments = quick(load(name).COMMAND, rest)
    if arguments is None:
        return typer_reads([name, *rest])
    return act(name, arguments)


def refuse_misspelt(word: str) -> None:
    """`cuont` is more likely a command than a shape string, unless it is a file."""
    import difflib  # noqa: PLC0415 - a single word is rare
    from pathlib import Path  # noqa: PLC0415 - as above

    near = difflib.get_close_matches(word[:20], COMMANDS, 1, 0.7)
    if near and not Path(word).exists():
        raise UsageError(f"there is no command {word[:20]}; did you mean {near[0]}?")


def act(name: str, arguments: Arguments) -> int:
    """Run a command whose options are known."""
    return load(name).run(arguments)


def typer_reads(argv: Sequence[str]) -> int:
    """The slow way: typer, with its help pages and suggestions."""
    from convcost.cli import app  # noqa: PLC0415 - typer takes as long to load as a count

    return app.parse(argv, act)


def complain(error: ConvcostError) -> None:
    """One diagnostic on standard error."""
    from convcost.report.diagnostics import render_error  # noqa: PLC0415 - only when something is wrong

    try:
        sys.stderr.write(render_error(error) + "\n")
    except (OSError, ValueError):  # nobody listens
        return
