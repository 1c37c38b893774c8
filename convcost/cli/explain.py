"""`convcost explain`: the arithmetic behind a count; what a code, an operator or a word of a report means."""

from __future__ import annotations

from convcost.cli.options import SHARED, Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading

COMMAND = Command(
    name="explain",
    summary="The arithmetic behind a layer's cost, step by step; what a code, an operator, a word of a report means.",
    examples=(
        'convcost explain "12x12x3 -(5x5x3x256)-> 8x8x256"',
        "convcost explain model.onnx --layer conv1",
        "convcost explain C101",
        "convcost explain LSTM",
        "convcost explain macs thop depthwise-separable",
    ),
    metavar="SRC|WORD...",
    options=(*SHARED, "layer"),
)


def run(arguments: Arguments) -> int:
    """Explain everything that is named."""
    destination = Destination(arguments)
    from convcost import api  # noqa: PLC0415 - mistakes in options are found without it

    destination.deliver(api.explain(*arguments.sources, layer=arguments.layer, **reading(arguments)))
    return 0
