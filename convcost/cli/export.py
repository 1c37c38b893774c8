"""`convcost export`: a shape string as a runnable ONNX file."""

from __future__ import annotations

from convcost.cli.options import SHARED, Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading
from convcost.cli.values import choice
from convcost.errors import UsageError

COMMAND = Command(
    name="export",
    summary="Write a shape string, or one layer of a model, as a runnable ONNX file.",
    examples=(
        'convcost export "12x12x3 -(5x5x3x256)-> 8x8x256" -o layer.onnx',
        "convcost export 56x56x64,k3,c128,s2 --weights constant --batch 8 -o layer.onnx",
        "convcost export @blocks.txt -o blocks.onnx",
        "convcost export model.onnx --layer conv1 -o conv1.onnx",
    ),
    options=(*SHARED, "layer", "weights", "seed"),
)


def run(arguments: Arguments) -> int:
    """Write all strings, and show what they cost."""
    destination = Destination(arguments, models=True)
    if not arguments.sources:
        raise UsageError('nothing to export: give a shape string, as in "12x12x3 -(5x5x3x256)->"')
    if destination.model is None:
        raise UsageError("export writes a file: say which, as in -o layer.onnx")
    weights = choice("weights", arguments.weights)
    from convcost.api.exporting import exported  # noqa: PLC0415 - mistakes in options are found without it

    report, files = exported(
        arguments.sources,
        destination.model,
        weights=weights,
        seed=arguments.seed,
        layer=arguments.layer,
        options=reading(arguments),
    )
    destination.deliver(report, files)
    return 0
