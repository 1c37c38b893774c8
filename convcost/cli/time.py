"""`convcost time`: run a model and measure each layer."""

from __future__ import annotations

from convcost.cli.measuring import measuring
from convcost.cli.options import MEASURING, OPTIONS, SHARED, Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading
from convcost.cli.values import choice
from convcost.errors import UsageError

COMMAND = Command(
    name="time",
    summary="Run a shape string or a model and measure each layer.",
    examples=(
        'convcost time "56x56x64 -(3x3x64x128 s2)->"',
        "convcost time model.onnx --runs 20 --verify",
        "convcost time model.onnx --threads 1 --sort time --top 10",
    ),
    metavar="SRC",
    options=(*SHARED, *(option.name for option in OPTIONS if option.panel == MEASURING and option.name != "time")),
)


def run(arguments: Arguments) -> int:
    """Time one source."""
    destination = Destination(arguments)
    if len(arguments.sources) != 1:
        raise UsageError(f"time takes one source, {len(arguments.sources)} are given")
    backend = choice("backend", arguments.backend)
    how = measuring(arguments)
    from convcost import api  # noqa: PLC0415 - mistakes in options are found without it

    destination.deliver(api.time(arguments.sources[0], backend=backend, **how, **reading(arguments)))
    return 0
