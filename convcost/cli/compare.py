"""`convcost compare`: ways to do the same thing, side by side."""

from __future__ import annotations

from convcost.cli.measuring import measuring
from convcost.cli.options import SHARED, Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading
from convcost.errors import UsageError

COMMAND = Command(
    name="compare",
    summary="Shape strings or models side by side, with ratios to the first.",
    examples=(
        'convcost compare "12x12x3 -(5x5x3x256)->" "12x12x3 -(5x5x3x256 sep)->"',
        'convcost compare "12x12x3 -(5x5x3x256)->" --time',
        "convcost compare old.onnx new.onnx",
    ),
    options=(*SHARED, "time", "runs", "warmup", "threads", "max_memory", "time_limit"),
)


def run(arguments: Arguments) -> int:
    """Compare all sources; one shape string is compared with its other forms."""
    destination = Destination(arguments)
    if not arguments.sources:
        raise UsageError('nothing to compare: give two sources, or one shape string as in "12x12x3 -(5x5x3x256)->"')
    how = measuring(arguments)
    from convcost import api  # noqa: PLC0415 - mistakes in options are found without it

    destination.deliver(api.compare(*arguments.sources, time=arguments.time, **how, **reading(arguments)))
    return 0
