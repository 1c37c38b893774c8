"""`convcost check`: models against budgets."""

from __future__ import annotations

from convcost.cli.measuring import measuring
from convcost.cli.options import SHARED, Arguments, Command
from convcost.cli.output import Destination
from convcost.cli.reading import reading

COMMAND = Command(
    name="check",
    summary="Budgets: one line of PASS, WARN, FAIL or SKIP for each; exit code 1 where one failed.",
    examples=(
        "convcost check",
        "convcost check model.onnx --budget macs=600M --budget coverage=100%",
        "convcost check --write-baseline",
        "convcost check model.onnx --max-growth macs=2%",
    ),
    metavar="[SRC...]",
    options=(
        *SHARED,
        "budget", "max_growth", "baseline", "write_baseline", "config",
        "time", "runs", "warmup", "threads", "max_memory", "time_limit",
    ),
)  # fmt: skip


def run(arguments: Arguments) -> int:
    """Check all sources, or those that the configuration lists."""
    destination = Destination(arguments)
    how = measuring(arguments)
    from convcost.api.checking import Asked, check  # noqa: PLC0415 - mistakes in options are found without it

    asked = Asked(
        budgets=arguments.budget,
        max_growth=arguments.max_growth,
        config=arguments.config,
        baseline=arguments.baseline,
        write_baseline=arguments.write_baseline,
        time=arguments.time,
    )
    found = check(arguments.sources, asked, {**how, **reading(arguments)})
    destination.deliver(found.report, found.files, found.inputs)
    return int(any(check.status == "fail" for check in found.report.checks))
