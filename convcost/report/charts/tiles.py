"""Where the cells of a treemap lie: layers inside of their scopes, areas by MACs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from convcost.record import Layer, Model
from convcost.report.charts.chart import Area
from convcost.report.charts.palette import OTHER, family
from convcost.report.charts.parts import plain
from convcost.report.charts.squarify import Box, squarify
from convcost.report.view import layer_row

MOST = 2_500
"""Cells; what is smaller than the largest ones becomes one cell together."""
DEEPEST = 8
"""Scopes further inside are not told apart."""
HEADING = 18.0
EDGE = 1.0
ROOM = (70.0, 60.0)
"""Width and height from which on a scope has a heading."""


class Cell(msgspec.Struct, frozen=True):
    """A layer's rectangle. `row` is the layer's index, or -1."""

    box: Box
    text: str
    part: float
    family: int
    row: int


class Heading(msgspec.Struct, frozen=True):
    """A scope's rectangle, and its name if there is room for it."""

    box: Box
    text: str


class Tiles(msgspec.Struct, frozen=True):
    """All rectangles. `areas` and `headings` belong together."""

    cells: tuple[Cell, ...]
    headings: tuple[Heading, ...]
    areas: tuple[Area, ...]


class Branch:
    """A scope, or with `leaf` a layer, while the tree is built."""

    def __init__(self, name: str, weight: Fraction = Fraction(0), leaf: tuple[int, int] | None = None) -> None:
        self.name = name
        self.weight = weight
        self.leaf = leaf
        self.inner: dict[str, Branch] = {}
        self.parts: list[Branch] = []

    def child(self, name: str) -> Branch:
        """The scope called `name` inside this one."""
        if name not in self.inner:
            self.inner[name] = Branch(name)
            self.parts.append(self.inner[name])
        return self.inner[name]


def path_of(name: str) -> list[str]:
    """Scopes and the layer's own name: exporters put slashes between, or dots."""
    parts = [part for part in name.split("/") if part]
    if len(parts) == 1 and "." in name.strip("."):
        parts = [part for part in name.split(".") if part]
    return parts or [name]


def plant(models: Sequence[Model]) -> Branch:
    """The tree of the layers that have MACs."""
    known = [(layer.cost.macs or 0, model, layer) for model in models for layer in model.layers if has_macs(layer)]
    total = sum(macs for macs, _, _ in known)
    large = sorted(known, key=lambda one: -one[0])
    root = Branch("")
    for macs, model, layer in large[:MOST]:
        named = layer_row(layer, model).name
        path = path_of(named) if model.kind == "onnx" else [named]
        scopes = ([model.source] if len(models) > 1 else []) + path[:-1][:DEEPEST]
        weight, branch = Fraction(macs, total), root
        root.weight += weight
        for scope in scopes:
            branch = branch.child(scope)
            branch.weight += weight
        branch.parts.append(Branch(path[-1], weight, leaf(layer)))
    small = large[MOST:]
    if small:
        weight = Fraction(sum(macs for macs, _, _ in small), total)
        root.parts.append(Branch(f"{len(small)} smaller layers", weight, (OTHER, -1)))
    return root


def has_macs(layer: Layer) -> bool:
    """Whether a layer has an area."""
    return layer.cost.macs is not None and layer.cost.macs > 0


def leaf(layer: Layer) -> tuple[int, int]:
    """What a layer's cell shows: colour and row."""
    return family(layer), layer.index


def shortened(branch: Branch) -> Branch:
    """A chain of scopes that hold nothing but the next one as a single scope."""
    names = [branch.name]
    while branch.leaf is None and len(branch.parts) == 1 and branch.parts[0].leaf is None:
        branch = branch.parts[0]
        names.append(branch.name)
    if len(names) == 1:
        return branch
    out = Branch("/".join(names), branch.weight)
    out.parts = branch.parts
    return out


def tiles(models: Sequence[Model], width: float, height: float) -> Tiles:
    """All cells and scopes of a treemap of `width` × `height`."""
    cells: list[Cell] = []
    headings: list[Heading] = []
    areas: list[list[int]] = []
    names: list[str] = []
    todo: list[tuple[Branch, Box, int, str] | int] = [(plant(models), Box(0, 0, width, height), -1, "")]
    while todo:
        now = todo.pop()
        if isinstance(now, int):
            areas[now][2] = len(cells)
            continue
        branch, box, parent, above = now
        if branch.leaf is not None:
            text = plain(above + branch.name, 60)
            cells.append(Cell(box, text, float(branch.weight), *branch.leaf))
            continue
        if parent >= 0 or branch.name:
            branch = shortened(branch)
        number = len(areas)
        titled = parent == 0 and box.width >= ROOM[0] and box.height >= ROOM[1]
        names.append(plain(branch.name, 60))
        headings.append(Heading(box, names[-1] if titled else ""))
        areas.append([parent, len(cells), 0])
        todo.append(number)
        beneath = "" if parent < 0 or titled else f"{above}{branch.name}/"
        parts = sorted(branch.parts, key=lambda part: -part.weight)
        room = box if parent < 0 else box.inside(EDGE, HEADING if titled else 0)
        boxes = squarify([float(part.weight) for part in parts], room)
        todo += [(part, place, number, beneath) for part, place in zip(parts, boxes, strict=True)][::-1]
    found = tuple(Area(name, *ends) for name, ends in zip(names, areas, strict=True))
    return Tiles(tuple(cells), tuple(headings), found)
