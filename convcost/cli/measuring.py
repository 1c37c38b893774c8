"""Options that say how times are taken."""

from __future__ import annotations

from typing import Any

from convcost.cli.options import Arguments
from convcost.cli.values import at_least


def check_runs(arguments: Arguments) -> None:
    """Numbers of runs and threads that make sense."""
    at_least(arguments.runs, 1, "--runs")
    at_least(arguments.warmup, 0, "--warmup")
    at_least(arguments.threads, 1, "--threads")


def given(**options: Any) -> dict[str, Any]:
    """The options that were given; the API's defaults hold for the others."""
    return {name: value for name, value in options.items() if value is not None}
