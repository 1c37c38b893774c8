"""`convcost schema`: the JSON Schemas of what is printed, of what is configured, and of a baseline."""

from __future__ import annotations

from convcost.cli.options import Arguments, Command
from convcost.cli.stream import put
from convcost.cli.values import one_of
from convcost.errors import UsageError
from convcost.report.schema import NAMES

COMMAND = Command(
    name="schema",
    summary="The JSON Schema (2020-12) of the report, the configuration or the baseline.",
    examples=("convcost schema", "convcost schema report > report.schema.json", "convcost schema config"),
    metavar=f"[{'|'.join(NAMES)}]",
    options=(),
)


def run(arguments: Arguments) -> int:
    """Print the schema."""
    if len(arguments.sources) > 1:
        raise UsageError("schema takes one name")
    name = one_of(arguments.sources[0] if arguments.sources else NAMES[0], NAMES, "schema")
    from convcost.report.schema import render  # noqa: PLC0415 - only here

    put(render(name))
    return 0
