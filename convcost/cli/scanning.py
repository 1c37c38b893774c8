"""Options that say which parameters a scan varies."""

from __future__ import annotations

from convcost.cli.options import Arguments
from convcost.cli.values import pairs, whole
from convcost.errors import UsageError

LONGEST = 1000


def scanning(arguments: Arguments) -> dict[str, tuple[int, ...]]:
    """Values by parameter, in the order given; empty where nothing is scanned."""
    form = "NAME=VALUES, as in -L k=1,3,5"
    out = {
        name: tuple(whole(value, f"-L {name}={text}") for value in text.split(","))
        for name, text in pairs(arguments.parameter_list, "-L", form).items()
    }
    if arguments.parameter_scan is None:
        if arguments.step is not None:
            raise UsageError("--step needs a range, as in -P cout 32 512 --step 32")
        return out
    name, first, last = arguments.parameter_scan
    where = f"-P {name} {first} {last}"
    if name in out:
        raise UsageError(f"{name} is given twice: -L and -P")
    least, most = whole(first, where), whole(last, where)
    step = 1 if arguments.step is None else arguments.step
    if step < 1:
        raise UsageError(f"--step {step}: must be at least 1")
    if least > most:
        raise UsageError(f"{where}: the range is empty")
    if (most - least) // step >= LONGEST:
        raise UsageError(f"{where}: more than {LONGEST:,} values; --step makes fewer")
    return out | {name: tuple(range(least, most + 1, step))}
