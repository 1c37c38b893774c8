"""`convcost render`: reports that were written as JSON, drawn again in any format, alone or as one."""

from __future__ import annotations

from convcost.cli.options import OPTIONS, SHOWING, Arguments, Command
from convcost.cli.output import Destination
from convcost.errors import UsageError

COMMAND = Command(
    name="render",
    summary="Draw JSON reports in another format, without the models; several become one.",
    examples=(
        "convcost render report.json -f markdown",
        "convcost render monday.json tuesday.json -o both.json",
        "convcost model.onnx -f json | convcost render - -f csv",
    ),
    metavar="REPORT.json...",
    options=tuple(option.name for option in OPTIONS if option.panel == SHOWING),
)


def run(arguments: Arguments) -> int:
    """Draw all reports as one."""
    destination = Destination(arguments)
    if not arguments.sources:
        raise UsageError("nothing to render: give a report that -f json or -o report.json wrote, or - to read one")
    from convcost import api  # noqa: PLC0415 - mistakes in options are found without it

    destination.deliver(api.read(*arguments.sources))
    return 0
