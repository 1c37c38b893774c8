"""Two models, what one costs more than the other, and in which layers."""

from __future__ import annotations

from typing import Literal

from convcost.record.cost import Record


class Delta(Record, frozen=True):
    """One quantity of `Cost`, by its field's name, before and after.

    `change` is new minus old and `relative` is change / old; both are None where a side is not known, `relative` also
    where old is 0. A layer that is not there costs 0. `exact` is False where a side is a bound.
    """

    metric: str
    old: int | None
    new: int | None
    change: int | None
    relative: float | None
    exact: bool = True


class Change(Record, frozen=True):
    """One property of a layer that is not what it was: kernel, stride, input, … None: it was not there."""

    what: str
    old: str | None
    new: str | None


class Side(Record, frozen=True):
    """A layer of one of both models: its place and what it is. `index` is that of its node."""

    index: int
    name: str
    op: str
    kind: str
    output: list[int | str] | None


class LayerDiff(Record, frozen=True):
    """One layer that differs. `old` is None where it is added, `new` where it is removed.

    `matched` says how both sides were found to belong together: by their name, or, which is a guess, by what they are
    and where they stand.
    """

    status: Literal["changed", "added", "removed", "moved"]
    old: Side | None
    new: Side | None
    matched: Literal["name", "structure"] | None
    changes: list[Change]
    deltas: list[Delta]


class Rename(Record, frozen=True):
    """A layer that is the same under another name."""

    old: str
    new: str


class CoverageDiff(Record, frozen=True):
    """Nodes counted of all nodes, before and after, and whether each side's totals are bounds."""

    old_counted: int
    old_nodes: int
    new_counted: int
    new_nodes: int
    old_complete: bool
    new_complete: bool
    old_lower_bound: bool = False
    new_lower_bound: bool = False
    old_upper_bound: bool = False
    new_upper_bound: bool = False


class Diff(Record, frozen=True):
    """From `old` to `new`, as the report calls them. The report's two models are these, in this order.

    `totals` holds all quantities. `layers` holds those that differ, the largest change of MACs first, and neither the
    `renamed`, which are the same under another name, nor the `unchanged`. `by_name` and `by_structure` count the pairs.
    """

    old: str
    new: str
    totals: list[Delta]
    coverage: CoverageDiff
    layers: list[LayerDiff]
    renamed: list[Rename]
    unchanged: int
    by_name: int
    by_structure: int
