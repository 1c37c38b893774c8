"""`convcost separate`: which kernels of a model come apart into two steps."""

from __future__ import annotations

from convcost.cli.options import SHARED, Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading
from convcost.errors import UsageError

COMMAND = Command(
    name="separate",
    summary="Singular values of each kernel of a model: what two steps would do exactly, or nearly, and save.",
    examples=(
        "convcost separate sample_models/sobel.onnx",
        "convcost separate sample_models/sobel.onnx -o split.onnx",
        "convcost separate model.onnx --energy 0.99 -o smaller.onnx",
        "convcost separate model.onnx --layer conv1 -v",
    ),
    metavar="MODEL",
    options=(*SHARED, "layer", "rank", "energy", "seed"),
)


def run(arguments: Arguments) -> int:
    """Look at one model, and write the split one where a file is named."""
    destination = Destination(arguments, models=True, columns="separation")
    if len(arguments.sources) != 1:
        raise UsageError(f"separate takes one model, {len(arguments.sources)} are given")
    from convcost.api.separating import separate  # noqa: PLC0415 - mistakes in options are found without it

    report, files = separate(
        arguments.sources[0],
        destination.model,
        rank=arguments.rank,
        energy=arguments.energy,
        layer=arguments.layer,
        seed=arguments.seed,
        options=reading(arguments),
    )
    destination.deliver(report, files)
    return 0
