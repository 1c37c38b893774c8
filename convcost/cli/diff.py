"""`convcost diff`: what one model costs more than another."""

from __future__ import annotations

from convcost.cli.options import SHARED, Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading
from convcost.errors import UsageError

COMMAND = Command(
    name="diff",
    summary="What a model costs more or less than another, in total and layer by layer.",
    examples=(
        "convcost diff old.onnx new.onnx",
        "convcost diff old.onnx new.onnx --fail-on macs:5% --fail-on params:+0",
        "convcost diff main.json model.onnx -f markdown",
    ),
    metavar="OLD NEW",
    options=(*SHARED, "fail_on"),
)


def run(arguments: Arguments) -> int:
    """Compare two sources."""
    destination = Destination(arguments)
    if len(arguments.sources) != 2:
        given = len(arguments.sources)
        raise UsageError(f"diff takes two sources, OLD and NEW; {given} {'is' if given == 1 else 'are'} given")
    from convcost import api  # noqa: PLC0415 - mistakes in options are found without it

    old, new = arguments.sources
    report = api.diff(old, new, fail_on=arguments.fail_on, **reading(arguments))
    destination.deliver(report)
    return int(any(check.status == "fail" for check in report.checks))
