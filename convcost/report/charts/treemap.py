"""Where the MACs are: each layer an area, layers inside of their scopes."""

from __future__ import annotations

from collections.abc import Sequence

from convcost import units
from convcost.record import Model
from convcost.report.charts.chart import MARKS, Chart, sources, total_macs
from convcost.report.charts.palette import FAMILIES
from convcost.report.charts.parts import Canvas, Spec, colours, frame, key
from convcost.report.charts.tiles import HEADING, Cell, Tiles, has_macs, tiles
from convcost.report.text import cells

LINE = 15.0
TOP = 84.0
"""What title and key take."""
LABELLED = 250
"""Cells; on the page the others tell their names when they are pointed at."""
LEGIBLE = 6
"""Letters that a name which is cut must keep."""
LETTER = 6.1
"""Width of a bold letter of 11 points, on the generous side."""
LEAST = (34.0, 18.0)
"""Width and height of a cell from which on it is labelled."""


def chart(models: Sequence[Model], canvas: Canvas) -> Chart | None:
    """None where nothing has MACs."""
    if not any(has_macs(layer) for model in models for layer in model.layers):
        return None
    title, subtitle = "MACs by scope", f"{sources(models)} · {total_macs(models)}"
    width, height = canvas.width - 8.0, canvas.height - 8.0
    if canvas.titled:
        width, height = canvas.width - 32.0, canvas.height - 32.0 - TOP
    found = tiles(models, width, height)
    spec = frame(
        canvas, title, subtitle,
        data=[
            {"name": "cells", "values": [cell(one) for one in found.cells]},
            {"name": "labels", "values": labels(found)},
            {"name": "headings", "values": headings(found)},
        ],
        scales=[
            {"name": "x", "type": "linear", "domain": [0, width], "range": [0, {"signal": "width"}]},
            {"name": "y", "type": "linear", "domain": [0, height], "range": [0, {"signal": "height"}]},
            colours(canvas.palette),
        ],
        legends=key(sorted({one.family for one in found.cells}), canvas),
        marks=marks(canvas),
    )  # fmt: skip
    rows = tuple(one.row for one in found.cells)
    return Chart(title=title, subtitle=subtitle, spec=spec, rows=rows, areas=found.areas)


def cell(one: Cell) -> Spec:
    """A rectangle."""
    box = one.box
    return {"x": r(box.x), "y": r(box.y), "x2": r(box.x + box.width), "y2": r(box.y + box.height),
            "family": FAMILIES[one.family]}  # fmt: skip


def labels(found: Tiles) -> list[Spec]:
    """Names of the largest cells that have room for them, and shares below where there is room for these, too."""
    out: list[Spec] = []
    roomy = [one for one in found.cells if one.box.width >= LEAST[0] and one.box.height >= LEAST[1]]
    for one in sorted(roomy, key=lambda cell: -cell.part)[:LABELLED]:
        box = one.box
        text = cut(one.text, box.width - 9)
        if text != one.text and len(text) < LEGIBLE:
            continue
        at = {"x": r(box.x + 5), "y": r(box.y + 4)}
        out.append(at | {"text": text, "bold": 600})
        if box.height >= LEAST[1] + LINE and box.width >= LEAST[0] + 12:
            share = units.percent(round(one.part * 10**6), 10**6)
            out.append(at | {"y": r(box.y + 4 + LINE), "text": share, "bold": 400})
    return out


def headings(found: Tiles) -> list[Spec]:
    """Names of scopes."""
    return [
        {"x": r(one.box.x + 3), "y": r(one.box.y + HEADING / 2 + 1), "text": cut(one.text, one.box.width - 6)}
        for one in found.headings
        if one.text
    ]


def cut(text: str, room: float) -> str:
    """`text` in `room` points, by an estimate: Vega measures, which takes seconds for a thousand labels."""
    most = int(room / LETTER)
    if cells(text) <= most:
        return text
    while text and cells(text) >= most:
        text = text[:-1]
    return text + "…"


def r(x: float) -> float:
    """A place, to a hundredth of a point."""
    return round(x, 2)


def marks(canvas: Canvas) -> list[Spec]:
    """Rectangles and their labels."""
    palette = canvas.palette
    place = {"x": {"scale": "x", "field": "x"}, "y": {"scale": "y", "field": "y"}}
    text = place | {"text": {"field": "text"}}
    return [
        {
            "type": "rect", "name": MARKS, "aria": False, "from": {"data": "cells"},
            "encode": {"update": place | {
                "x2": {"scale": "x", "field": "x2"}, "y2": {"scale": "y", "field": "y2"},
                "fill": {"scale": "family", "field": "family"},
                "stroke": {"value": palette.paper}, "strokeWidth": {"value": 1},
            }},
        },
        {
            "type": "text", "name": "cell_names", "aria": False, "interactive": False, "from": {"data": "labels"},
            "encode": {"update": text | {
                "fill": {"value": palette.ink}, "fontSize": {"value": 11}, "baseline": {"value": "top"},
                "fontWeight": {"field": "bold"},
            }},
        },
        {
            "type": "text", "name": "area_names", "aria": False, "interactive": False, "from": {"data": "headings"},
            "encode": {"update": text | {
                "fill": {"value": palette.text}, "fontSize": {"value": 12}, "baseline": {"value": "middle"},
                "fontWeight": {"value": 600},
            }},
        },
    ]  # fmt: skip
