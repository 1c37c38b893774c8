"""What names mean inside graphs inside graphs."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Scope(Generic[T]):
    """Things by tensor name: a graph's own, and through `parent` those of the graphs around it."""

    __slots__ = ("own", "parent")

    def __init__(self, own: dict[str, T] | None = None, parent: Scope[T] | None = None) -> None:
        self.own = {} if own is None else own
        self.parent = parent

    def get(self, name: str) -> T | None:
        """What `name` means here; None where nothing does."""
        scope: Scope[T] | None = self
        while scope is not None:
            found = scope.own.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def all(self, names: tuple[str, ...]) -> tuple[T | None, ...]:
        """What each of `names` means; None for an empty name and for what is not known."""
        get = self.own.get if self.parent is None else self.get
        return tuple([get(name) if name else None for name in names])
