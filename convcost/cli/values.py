"""Options as text turned into values, with errors that say what was expected."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from convcost import units
from convcost.cli.options import BY_NAME
from convcost.errors import UsageError


def pairs(given: Iterable[str], option: str, form: str) -> dict[str, str]:
    """NAME=VALUE options. A name may itself contain `=`."""
    out: dict[str, str] = {}
    for text in given:
        name, equals, value = text.rpartition("=")
        if not equals or not name or not value:
            raise UsageError(f"{option} {text}: expected {form}")
        if name in out:
            raise UsageError(f"{option} {name} is given twice")
        out[name] = value
    return out


def sizes(given: Iterable[str], option: str, form: str) -> dict[str, int]:
    """NAME=N options."""
    return {name: whole(value, f"{option} {name}={value}") for name, value in pairs(given, option, form).items()}


def whole(text: str, where: str) -> int:
    """A whole number from 0."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 2**63):
        raise UsageError(f"{where}: expected a whole number from 0 to 2^63-1")
    return int(text)


def nbytes(text: str | None, option: str) -> int | None:
    """A size with a unit: 2GiB, 500M, 1.5 gb."""
    if text is None:
        return None
    size = units.read(text)
    if size is None:
        raise UsageError(f"{option} {text}: expected a size, as in 2GiB or 500M")
    return int(size[0])


def number(text: str | None, option: str) -> int | None:
    """A count as papers and tools print it: 4133742592, 4,133,742,592, 4.1G."""
    if text is None:
        return None
    read = units.read(text)
    if read is None or "b" in read[1] or read[0].denominator != 1:
        raise UsageError(f"{option} {text}: expected a number, as in 4133742592 or 4.1G")
    return int(read[0])


def choice(name: str, text: str) -> str:
    """The value of an option, if it is one of the option's choices."""
    option = BY_NAME[name]
    return one_of(text, option.choices, option.flags[0])


def one_of(text: str, choices: Collection[str], option: str) -> str:
    """`text` if it is a choice; else an error that offers the nearest."""
    if text in choices:
        return text
    import difflib  # noqa: PLC0415 - only for a mistake

    near = difflib.get_close_matches(text[:100], choices, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(choices)}"
    raise UsageError(f"{option} {text}: no such choice; {hint}")


def at_least(n: int | None, least: int, option: str) -> int | None:
    """`n` if it is not too small."""
    if n is not None and n < least:
        raise UsageError(f"{option} {n}: must be at least {least}")
    return n
