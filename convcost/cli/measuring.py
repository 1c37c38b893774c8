"""Options that say how times are taken."""

from __future__ import annotations

from typing import Any

from convcost.cli.options import Arguments
from convcost.cli.values import at_least, nbytes
from convcost.errors import UsageError


def measuring(arguments: Arguments) -> dict[str, Any]:
    """The options that were given, checked; the API's defaults hold for the others."""
    if arguments.time_limit is not None and not arguments.time_limit > 0:
        raise UsageError(f"--time-limit {arguments.time_limit}: must be more than 0 seconds")
    options = {
        "runs": at_least(arguments.runs, 1, "--runs"),
        "warmup": at_least(arguments.warmup, 0, "--warmup"),
        "threads": at_least(arguments.threads, 1, "--threads"),
        "max_memory": nbytes(arguments.max_memory, "--max-memory"),
        "time_limit": arguments.time_limit,
        "exact": arguments.exact or None,
        "fuse": arguments.fuse or None,
        "verify": arguments.verify or None,
        "min_seconds": None if arguments.runs is None else 0.0,
    }
    return {name: value for name, value in options.items() if value is not None}
