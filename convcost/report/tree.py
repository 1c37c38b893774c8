"""Layers hung under their scopes, each scope with the sum of what is in it."""

from __future__ import annotations

from msgspec.structs import replace

from convcost.record import Layer, Model
from convcost.report.layers import Place, chosen, hidden_note, table
from convcost.report.picture import Cell, Table
from convcost.report.view import NO_INDEX, Row, View, group_row, kind_word, rows_of

DEEPEST = 12
"""Deeper scopes hang under the twelfth."""


class Branch:
    """A scope while the tree is built: its layers and its inner scopes, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parts: list[Branch | Layer] = []
        self.inner: dict[str, Branch] = {}
        self.layers: list[Layer] = []


def plant(layers: list[Layer]) -> Branch:
    """The tree of all layers."""
    root = Branch("")
    for layer in layers:
        branch = root
        for name in layer.scope[:DEEPEST]:
            if name not in branch.inner:
                branch.inner[name] = Branch(name)
                branch.parts.append(branch.inner[name])
            branch = branch.inner[name]
            branch.layers.append(layer)
        branch.parts.append(layer)
    return root


def tree_table(model: Model, view: View, how: str) -> Table:
    """The table of layers with scopes between them. Guides show what hangs where.

    `--sort` and `--top` choose which layers are shown; they stay where they hang, and scopes keep their sums.
    """
    entries = chosen(model, view)
    drawn: list[tuple[Cell, ...]] = []
    shown = 0
    rows, _ = rows_of(model, replace(view, by="layer"))
    keep = frozenset(row.index for row in rows)
    todo = [(part, "", last) for part, last in lasts(plant(model.layers), keep, view)][::-1]
    while todo:
        part, guides, last = todo.pop()
        here = guides + ("└─ " if last else "├─ ")
        row = row_of(part)
        if isinstance(part, Branch):
            below = guides + ("   " if last else "│  ")
            todo.extend([(inner, below, end) for inner, end in lasts(part, keep, view)][::-1])
        else:
            shown += 1
        place = Place(model, row.cost.macs, how, here)
        drawn.append(tuple([entry.cell(row, place) for entry in entries]))
    return table(model, view, entries, drawn, how, hidden_note(len(model.layers) - shown, view))


def lasts(branch: Branch, keep: frozenset[int], view: View) -> list[tuple[Branch | Layer, bool]]:
    """The parts to show, and whether each is the last one. Of the first few layers alone, only scopes with some."""
    parts = [part for part in branch.parts if stays(part, keep, view)]
    return [(part, i == len(parts) - 1) for i, part in enumerate(parts)]


def stays(part: Branch | Layer, keep: frozenset[int], view: View) -> bool:
    """Whether a scope or a layer is shown."""
    if isinstance(part, Branch):
        return view.top is None or any(layer.index in keep for layer in part.layers)
    return part.index in keep


def row_of(part: Branch | Layer) -> Row:
    """A scope or a layer as a row."""
    if isinstance(part, Branch):
        return group_row(NO_INDEX, part.name, part.layers)
    prefix = "".join(f"{name}/" for name in part.scope)
    return Row(part.index, part.name.removeprefix(prefix), kind_word(part), part.op, (part,), part.cost)
