"""`convcost fleet`: many models in one table."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from convcost.cli.options import SHARED, Arguments, Command
from convcost.cli.output import Destination, target
from convcost.cli.reading import reading
from convcost.cli.stream import tell
from convcost.cli.values import at_least, nbytes, one_of
from convcost.errors import UsageError

LEFT_OUT = frozenset({"by", "columns", "hash", "verbose"})
"""Options about layers, which a fleet's table does not show; models are always hashed."""

COMMAND = Command(
    name="fleet",
    summary="Many models, counted side by side into one table; a bad one is reported and the others are finished.",
    examples=(
        "convcost fleet models/",
        "convcost fleet models/ -o fleet.jsonl --resume",
        "convcost fleet 'models/**/*.onnx' --jobs 8 --time-limit 60 --sort params --top 20",
        "convcost fleet /shared/models --scheduler tcp://10.0.0.1:8786 -o fleet.jsonl",
    ),
    metavar="DIR...",
    options=(
        *(name for name in SHARED if name not in LEFT_OUT),
        "jobs", "time_limit", "max_memory", "resume", "scheduler", "allow_failures",
    ),
)  # fmt: skip

Progress = Callable[[int, int, int], None]


def run(arguments: Arguments) -> int:
    """Count all models; 2 where one of them failed, unless that is allowed."""
    lines = [path for kind, path in map(target, arguments.output) if kind == "jsonl"]
    if len(lines) > 1:
        raise UsageError(f"-o {lines[1]}: there is one .jsonl file, which a fleet writes while it counts")
    at_least(arguments.jobs, 1, "--jobs")
    memory = nbytes(arguments.max_memory, "--max-memory")
    from convcost.fleet.finding import find  # noqa: PLC0415 - mistakes in options are found without it
    from convcost.fleet.run import TIME_LIMIT, fleet  # noqa: PLC0415 - as above
    from convcost.report.fleet import SORT  # noqa: PLC0415 - as above
    from convcost.report.write import check  # noqa: PLC0415 - as above

    if arguments.sort is not None:
        one_of(arguments.sort, SORT, "--sort")
    paths = find(arguments.sources)
    others = tuple(text for text in arguments.output if target(text)[0] != "jsonl")
    destination = Destination(replace(arguments, sources=tuple(paths), output=others))
    check([(path, b"") for path in (*lines, *(path for _, path in destination.files))], paths)  # before hours of work
    how: dict[str, Any] = {
        "jobs": arguments.jobs,
        "max_memory": memory,
        "scheduler": arguments.scheduler,
        "time_limit": TIME_LIMIT if arguments.time_limit is None else arguments.time_limit,
        "output": lines[0] if lines else None,
        "resume": arguments.resume,
    }
    with showing(quiet=arguments.quiet) as progress, kept(lines):
        report = fleet(*paths, progress=progress, **how, **reading(arguments))
    destination.deliver(report)
    failed = report.fleet is not None and report.fleet.failed > 0
    return 2 if failed and not arguments.allow_failures else 0


@contextlib.contextmanager
def showing(*, quiet: bool) -> Iterator[Progress | None]:
    """A bar on standard error, if that is a terminal that somebody looks at."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda done, total, failed: bar.update(
            task, completed=done, total=total, description=f"{failed} failed" if failed else ""
        )


@contextlib.contextmanager
def kept(lines: list[str]) -> Iterator[None]:
    """Say what remains when the user interrupts."""
    try:
        yield
    except KeyboardInterrupt:
        if lines:
            tell(f"convcost: interrupted; {lines[0]} keeps what is finished, --resume goes on from there\n")
        raise
