"""The quick way to read a command line: plain ones do not need typer, which takes longer to load than a count.

What is not plain (help, completion, mistakes, bundled flags) is None here, and goes to typer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from convcost.cli.options import BY_NAME, Arguments, Command, Option


def quick(command: Command, argv: Sequence[str]) -> Arguments | None:
    """`argv` understood, or None where typer must look at it."""
    flags = {flag: BY_NAME[name] for name in command.options for flag in BY_NAME[name].flags}
    values: dict[str, object] = {}
    sources: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            sources += words
        elif not is_option(word):
            sources.append(word)
        else:
            flag, equals, attached = word.partition("=")
            option = flags.get(flag)
            if option is None or (equals and not flag.startswith("--")):
                return None
            if option.kind == "three":
                three = tuple(islice(words, 3))
                if equals or len(three) < 3:
                    return None
                values[option.name] = three
                continue
            given = attached if equals else None
            if takes_value(option) and given is None:
                given = next(words, None)
            if not store(values, option, given):
                return None
    return Arguments(sources=tuple(sources), **values)  # type: ignore[arg-type]


def is_option(word: str) -> bool:
    """Whether a word is meant as an option. `-` is standard input, and `-(` may open a shape string."""
    return len(word) > 1 and word[0] == "-" and (word[1] == "-" or (word[1].isascii() and word[1].isalpha()))


def takes_value(option: Option) -> bool:
    """Whether a word follows."""
    return option.kind not in ("flag", "count")


def store(values: dict[str, object], option: Option, given: str | None) -> bool:
    """Put one option into `values`; False where its value is missing or no number."""
    if not takes_value(option):
        if given is not None:
            return False
        values[option.name] = True if option.kind == "flag" else int(str(values.get(option.name, 0))) + 1
        return True
    if given is None:
        return False
    if option.kind == "many":
        before = values.get(option.name, ())
        values[option.name] = (*before, given) if isinstance(before, tuple) else (given,)
        return True
    try:
        values[option.name] = int(given) if option.kind == "int" else float(given) if option.kind == "float" else given
    except ValueError:
        return False
    return True
