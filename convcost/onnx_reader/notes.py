"""Notes that reading collects: a few of each kind in full, the rest as a number."""

from __future__ import annotations

from convcost.ir import Note
from convcost.onnx_reader.limits import MAX_NOTES


class Notes:
    """Collects notes, at most `MAX_NOTES` of a kind."""

    def __init__(self) -> None:
        self._kept: list[Note] = []
        self._seen: dict[str, int] = {}

    def add(self, code: str, message: str, *, help: str | None = None, location: str | None = None) -> None:
        """Keep a note, or count it when there are enough of its kind."""
        n = self._seen[code] = self._seen.get(code, 0) + 1
        if n <= MAX_NOTES:
            self._kept.append(Note(code, message, help=help, location=location))

    @property
    def number(self) -> int:
        """How many there were, kept or not."""
        return sum(self._seen.values())

    def all(self) -> tuple[Note, ...]:
        """The notes in order, and for each kind that overflowed how many more there are."""
        more = [
            Note(code, f"{n - MAX_NOTES} more notes of this kind") for code, n in self._seen.items() if n > MAX_NOTES
        ]
        return (*self._kept, *more)
