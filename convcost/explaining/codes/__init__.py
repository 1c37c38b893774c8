"""Every code that a diagnostic can carry: what it means, an example that raises it, what to do about it."""

from __future__ import annotations

from convcost.explaining.codes.table import FAMILIES, Code
from convcost.explaining.saying import say
from convcost.record import Explanation, Section

__all__ = ["FAMILIES", "Code", "explanation", "families", "find", "names", "of"]


def find(code: str) -> Code | None:
    """The entry of a code."""
    return next((entry for _, entries in FAMILIES for entry in entries if entry.code == code.upper()), None)


def names() -> tuple[str, ...]:
    """All codes, in order."""
    return tuple(entry.code for _, entries in FAMILIES for entry in entries)


def families() -> list[tuple[str, tuple[str, ...]]]:
    """What the codes are about, and the codes."""
    return [(title, tuple(entry.code for entry in entries)) for title, entries in FAMILIES]


def of(*titles: str) -> tuple[Code, ...]:
    """The codes about something that are told in words: no command raises them as it stands."""
    found = (entry for title, entries in FAMILIES if title in titles for entry in entries)
    return tuple(entry for entry in found if not entry.command and not entry.code.endswith("00"))


def explanation(word: str) -> Explanation | None:
    """The explanation of a code, its case aside."""
    entry = find(word)
    if entry is None:
        return None
    title = next(title for title, entries in FAMILIES if entry in entries)
    example = [say(entry.example)] if entry.example else []
    if entry.command:
        example.append(say("Try", entry.command))
    sections = [
        Section(title="Meaning", sentences=[say(f"{title}: {entry.severity}."), say(entry.means)]),
        Section(title="Example", sentences=example),
        Section(title="What to do", sentences=[say(entry.fix)]),
    ]
    return Explanation(of=entry.code, topic="code", sections=[part for part in sections if part.sentences])
