"""`convcost compare`: ways to do the same thing, side by side."""

from __future__ import annotations

from convcost.cli.measuring import measuring
from convcost.cli.options import SHARED, Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading
from convcost.cli.scanning import scanning
from convcost.errors import UsageError

COMMAND = Command(
    name="compare",
    summary="Shape strings or models side by side; one layer beside all that could take its place; a scan of a layer.",
    examples=(
        'convcost compare "12x12x3 -(5x5x3x256)->" "12x12x3 -(5x5x3x256 sep)->"',
        'convcost compare "12x12x3 -(5x5x3x256)->" --time',
        "convcost compare old.onnx new.onnx",
        "convcost compare model.onnx --layer conv1",
        'convcost compare "56x56x64 -(3x3x64x64 same)->" -L k=1,3,5 -P cout 32 256 --step 32',
    ),
    options=(
        *SHARED,
        "layer", "everything", "parameter_list", "parameter_scan", "step",
        "time", "runs", "warmup", "threads", "max_memory", "time_limit",
    ),
)  # fmt: skip


def run(arguments: Arguments) -> int:
    """Compare all sources; one shape string is compared with its other forms, or scanned."""
    destination = Destination(arguments, columns="comparison")
    if not arguments.sources:
        raise UsageError('nothing to compare: give two sources, or one shape string as in "12x12x3 -(5x5x3x256)->"')
    values = scanning(arguments)
    how = measuring(arguments)
    from convcost import api  # noqa: PLC0415 - mistakes in options are found without it

    how["layer"] = arguments.layer
    if values:
        if len(arguments.sources) > 1:
            raise UsageError(f"a scan takes one source, {len(arguments.sources)} are given")
        report = api.scan(arguments.sources[0], values, time=arguments.time, **how, **reading(arguments))
    else:
        everything = arguments.everything
        report = api.compare(
            *arguments.sources, time=arguments.time, everything=everything, **how, **reading(arguments)
        )
    destination.deliver(report)
    return 0
