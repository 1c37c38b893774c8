"""`convcost count`: what each layer costs."""

from __future__ import annotations

from convcost.cli.options import Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading

COMMAND = Command(
    name="count",
    summary="What each layer of a shape string or a model costs.",
    examples=(
        'convcost "12x12x3 -(5x5x3x256)-> 8x8x256"',
        "convcost model.onnx --sort macs --top 10",
        "convcost model.onnx --dim batch=8 -o report.json -o report.html",
        "convcost 56x56x64,k3,c128,s2,g4,same -f json",
    ),
)


def run(arguments: Arguments) -> int:
    """Count all sources into one report."""
    destination = Destination(arguments)
    from convcost import api  # noqa: PLC0415 - mistakes in options are found without it

    destination.deliver(api.count(*arguments.sources, **reading(arguments)))
    return 0
