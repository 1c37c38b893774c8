"""The command line. `main` is the entry point; everything it does not need at once is loaded later."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 a failed budget, 2 any error, 130 Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if argv is None:
            from convcost.cli import interrupt  # noqa: PLC0415 - Ctrl-C counts from here

            interrupt.install()
        if arguments in (["--version"], ["-V"]):
            from convcost.cli.stream import put  # noqa: PLC0415 - needs nothing else
            from convcost.version import __version__  # noqa: PLC0415 - as above

            put(f"convcost {__version__}\n")
            return 0
        from convcost.cli.run import run  # noqa: PLC0415 - after the watch for Ctrl-C is set

        return run(arguments)
    except KeyboardInterrupt:
        return 130
