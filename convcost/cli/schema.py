"""`convcost schema`: the JSON Schema of what `-f json` prints."""

from __future__ import annotations

from convcost.cli.options import Arguments, Command
from convcost.cli.stream import put
from convcost.cli.values import one_of
from convcost.errors import UsageError

COMMAND = Command(
    name="schema",
    summary="The JSON Schema (2020-12) of the report.",
    examples=("convcost schema", "convcost schema report > report.schema.json"),
    metavar="[report]",
    options=(),
)


def run(arguments: Arguments) -> int:
    """Print the schema."""
    if len(arguments.sources) > 1:
        raise UsageError("schema takes one name")
    one_of(arguments.sources[0] if arguments.sources else "report", ("report",), "schema")
    from convcost.report.schema import render  # noqa: PLC0415 - only here

    put(render())
    return 0
