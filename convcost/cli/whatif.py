"""`convcost whatif`: a model with some of its layers replaced."""

from __future__ import annotations

from convcost.cli.options import SHARED, Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading
from convcost.errors import UsageError

COMMAND = Command(
    name="whatif",
    summary="A model with some of its convolutions replaced: totals, ranking, and the new model as a file.",
    examples=(
        "convcost whatif model.onnx",
        "convcost whatif model.onnx --to depthwise-separable --where 'kernel>=3 and cin>=6'",
        "convcost whatif model.onnx --to low-rank -o smaller.onnx -o smaller.json",
    ),
    metavar="SRC",
    options=(*SHARED, "to", "where", "seed"),
)


def run(arguments: Arguments) -> int:
    """Replace layers of one source."""
    destination = Destination(arguments, models=True)
    if len(arguments.sources) != 1:
        raise UsageError(f"whatif takes one model or shape string, {len(arguments.sources)} are given")
    from convcost.api.whatifs import whatif  # noqa: PLC0415 - mistakes in options are found without it

    report, files = whatif(
        arguments.sources[0],
        to=arguments.to,
        where=arguments.where,
        output=destination.model,
        seed=arguments.seed,
        options=reading(arguments),
    )
    destination.deliver(report, files)
    return 0
