"""Labels beside points: each where it covers neither a point nor another label, or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

LETTER = 6.2
"""Width of a letter of 12 points, on the generous side."""
TALL = 15.0
GAP = 8.0


class Spot(msgspec.Struct, frozen=True):
    """A point on paper, in points from the upper left, and the text beside it (empty: none wanted)."""

    x: float
    y: float
    text: str = ""
    radius: float = 5.0


class Label(msgspec.Struct, frozen=True):
    """Which spot a label belongs to, and where it goes: its edge or middle, moved by dx and dy."""

    spot: int
    align: str
    dx: float
    dy: float


Rectangle = tuple[float, float, float, float]

SIDES = (("left", 1, 0), ("right", -1, 0), ("center", 0, -1), ("center", 0, 1), ("left", 1, -1), ("left", 1, 1),
         ("right", -1, -1), ("right", -1, 1))  # fmt: skip
"""Right of the point, left, above, below, then the corners."""


def label(spots: Sequence[Spot], width: float, height: float) -> list[Label]:
    """Places for the labels of `spots`, the first spots first; of spots at one place only the first is labelled."""
    taken: list[Rectangle] = [
        (s.x - s.radius, s.y - s.radius, s.x + s.radius, s.y + s.radius) for s in spots
    ]  # fmt: skip
    out: list[Label] = []
    named: set[tuple[int, int]] = set()
    for i, spot in enumerate(spots):
        where = (round(spot.x), round(spot.y))
        if not spot.text or where in named:
            continue
        named.add(where)
        others = taken[:i] + taken[i + 1 :]
        for align, across, down in SIDES:
            dx = across * (spot.radius + GAP / 2 if not down else spot.radius)
            dy = down * (spot.radius + GAP)
            box = extent(spot, align, dx, dy)
            if inside(box, width, height) and not any(overlap(box, other) for other in others):
                taken.append(box)
                out.append(Label(i, align, dx, dy))
                break
    return out


def extent(spot: Spot, align: str, dx: float, dy: float) -> Rectangle:
    """The rectangle that a label covers."""
    wide = LETTER * len(spot.text)
    left = spot.x + dx - {"left": 0.0, "center": wide / 2, "right": wide}[align]
    return left, spot.y + dy - TALL / 2, left + wide, spot.y + dy + TALL / 2


def inside(box: Rectangle, width: float, height: float) -> bool:
    """Whether a rectangle is on the paper; a line above it is free."""
    return box[0] >= 0 and box[1] >= -TALL and box[2] <= width and box[3] <= height


def overlap(a: Rectangle, b: Rectangle) -> bool:
    """Whether two rectangles share more than an edge."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
