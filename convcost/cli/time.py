"""`convcost time`: run a model and measure each layer."""

from __future__ import annotations

from convcost.cli.measuring import check_runs, given
from convcost.cli.options import MEASURING, OPTIONS, SHARED, Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading
from convcost.cli.values import nbytes
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
    check_runs(arguments)
    if arguments.time_limit is not None and not arguments.time_limit > 0:
        raise UsageError(f"--time-limit {arguments.time_limit}: must be more than 0 seconds")
    how = given(
        runs=arguments.runs,
        warmup=arguments.warmup,
        threads=arguments.threads,
        max_memory=nbytes(arguments.max_memory, "--max-memory"),
        time_limit=arguments.time_limit,
    )
    from convcost import api  # noqa: PLC0415 - mistakes in options are found without it

    report = api.time(arguments.sources[0], verify=arguments.verify, exact=arguments.exact, **how, **reading(arguments))
    destination.deliver(report)
    return 0
