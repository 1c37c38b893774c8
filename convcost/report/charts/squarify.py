"""Rectangles whose areas are as given numbers, as square as they can be.

The algorithm of M. Bruls, K. Huizing, J. van Wijk, "Squarified treemaps", VisSym 2000.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import msgspec


class Box(msgspec.Struct, frozen=True):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def inside(self, edge: float, top: float) -> Box:
        """What is left without an edge all around and `top` above; without them where there is no room."""
        if self.width <= 4 * edge or self.height <= 4 * edge + 2 * top:
            return self
        return Box(self.x + edge, self.y + edge + top, self.width - 2 * edge, self.height - 2 * edge - top)


def squarify(weights: Sequence[float], box: Box) -> list[Box]:
    """A rectangle for each weight, which fall; together they fill `box`. Without weight there is no area."""
    out: list[Box] = []
    left = [*accumulate(reversed(weights))][::-1]
    while len(out) < len(weights) and left[len(out)] > 0:
        start = len(out)
        scale = box.width * box.height / left[start]
        end = row_end(weights, start, scale, min(box.width, box.height))
        placed, box = lay(weights[start:end], box, 1 - left[end] / left[start] if end < len(left) else 1)
        out += placed
    return out + [Box(box.x, box.y, 0, 0)] * (len(weights) - len(out))


def row_end(weights: Sequence[float], start: int, scale: float, side: float) -> int:
    """Where the row that begins at `start` ends: before its worst rectangle would get longer."""
    thickness_of = scale / side if side > 0 else 0
    total, worst = 0.0, float("inf")
    for end in range(start, len(weights)):
        total += weights[end]
        thick = total * thickness_of
        if thick <= 0:
            continue
        long, short = (weights[i] * scale / thick for i in (start, end))
        now = max(long / thick, thick / short if short > 0 else float("inf"))
        if now > worst:
            return end
        worst = now
    return len(weights)


def lay(row: Sequence[float], box: Box, part: float) -> tuple[list[Box], Box]:
    """`row` along the shorter side of `box`, as `part` of it, and what is left of the box."""
    total = sum(row)
    out: list[Box] = []
    at = 0.0
    wide = box.width >= box.height
    for weight in row:
        size = weight / total
        if wide:
            out.append(Box(box.x, box.y + at * box.height, box.width * part, size * box.height))
        else:
            out.append(Box(box.x + at * box.width, box.y, size * box.width, box.height * part))
        at += size
    if wide:
        return out, Box(box.x + box.width * part, box.y, box.width * (1 - part), box.height)
    return out, Box(box.x, box.y + box.height * part, box.width, box.height * (1 - part))
