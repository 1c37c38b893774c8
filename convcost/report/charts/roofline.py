"""Each layer under the roof of the machine it was measured on; without times, how many FLOP each layer does per byte.

The roofline of S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual performance model for multicore
architectures", Comm. ACM 52 (2009). A roof is drawn only where it was measured: there is none that is typical.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import msgspec

from convcost import units
from convcost.record import Environment, Layer, Model
from convcost.report.charts.chart import MARKS, Chart, sources
from convcost.report.charts.palette import FAMILIES, family
from convcost.report.charts.parts import (
    Axis,
    Canvas,
    Spec,
    axes,
    colours,
    figure,
    frame,
    key,
    plain,
    scales,
    spread,
    text_mark,
    tidy,
)
from convcost.report.charts.spots import Spot, label
from convcost.report.view import layer_row

MOST = 1_000
"""Points; those that take or do least are left out."""
STEPS = 50
"""Spots along each part of the roof."""
NAMED = 6
"""Labelled points: those that take or do most."""


class Point(msgspec.Struct, frozen=True):
    """A layer: FLOP per byte, GFLOP/s or FLOP, and what its size stands for."""

    layer: Layer
    name: str
    intensity: float
    height: float
    weight: int


def chart(models: Sequence[Model], machine: Environment | None, canvas: Canvas) -> Chart | None:
    """A roofline of measured layers, or the intensity of counted ones; None where nothing does arithmetic."""
    measured = [p for m in models for one in m.layers if (p := timed(one, m)) is not None]
    if measured:
        return draw(measured, models, machine, canvas)
    counted = [p for m in models for one in m.layers if (p := untimed(one, m)) is not None]
    return draw(counted, models, None, canvas) if counted else None


def timed(layer: Layer, model: Model) -> Point | None:
    """A measured layer, if it has a place in a roofline."""
    t = layer.timing
    if t is None or min(t.gflops or 0, layer.cost.intensity or 0, t.median_ns) <= 0:
        return None
    assert t.gflops is not None
    assert layer.cost.intensity is not None
    return Point(layer, layer_row(layer, model).name, layer.cost.intensity, t.gflops, t.median_ns)


def untimed(layer: Layer, model: Model) -> Point | None:
    """A counted layer, if it does arithmetic on some bytes."""
    if min(layer.cost.flops or 0, layer.cost.intensity or 0) <= 0:
        return None
    assert layer.cost.flops is not None
    assert layer.cost.intensity is not None
    return Point(layer, layer_row(layer, model).name, layer.cost.intensity, layer.cost.flops, layer.cost.flops)


def draw(points: list[Point], models: Sequence[Model], machine: Environment | None, canvas: Canvas) -> Chart:
    """Points, and the roof if it is known."""
    points = sorted(points, key=lambda p: -p.weight)[:MOST]
    is_timed = points[0].layer.timing is not None
    roof = roof_of(machine)
    x = spread([*(p.intensity for p in points), *([roof[0] / roof[1]] if roof else [])], figure)
    y = spread([*(p.height for p in points), *([roof[0]] if roof else [])], figure if is_timed else operations)
    line = roof_line(roof, x, y) if roof else []
    title = "Roofline" if is_timed else "Arithmetic intensity"
    what = f"{roof_words(roof)}; share of time as area" if is_timed else "not timed, so no roof; share of FLOP as area"
    subtitle = f"{sources(models)} · {what}"
    spec = frame(
        canvas, title, subtitle,
        data=[
            {"name": "points", "values": [spot(p, x, y, points[0].weight) for p in points]},
            {"name": "names", "values": names(points, x, y, line, canvas)},
            {"name": "roof", "values": line},
        ],
        scales=[*scales(x, y), colours(canvas.palette)],
        legends=key(sorted({family(p.layer) for p in points}), canvas),
        axes=axes(x, y, ("FLOP per byte", "GFLOP/s" if is_timed else "FLOP"), canvas.palette),
        marks=marks(canvas),
    )  # fmt: skip
    return Chart(title=title, subtitle=what, spec=spec, rows=tuple(p.layer.index for p in points))


def along(line: Sequence[Spec], wide: float, tall: float) -> list[Spot]:
    """Spots so close together that no label fits between them."""
    return [
        Spot(
            (a["x"] + (b["x"] - a["x"]) * i / STEPS) * wide,
            (1 - a["y"] - (b["y"] - a["y"]) * i / STEPS) * tall,
            "",
            3.0,
        )
        for a, b in pairwise(line)
        for i in range(STEPS + 1)
    ]


def roof_of(machine: Environment | None) -> tuple[float, float] | None:
    """GFLOP/s and GB/s, if both were measured."""
    peak = machine.gemm_gflops or 0 if machine is not None else 0
    speed = machine.copy_gbytes_per_s or 0 if machine is not None else 0
    return (peak, speed) if min(peak, speed) > 0 else None


def operations(n: int) -> str:
    """10 M."""
    return tidy(units.si(n))


def spot(p: Point, x: Axis, y: Axis, most: int) -> Spec:
    """A point's place and size: the area is its share, but never too small to see."""
    return {
        "x": round(x.place(p.intensity), 4),
        "y": round(y.place(p.height), 4),
        "size": round(area(p, most), 1),
        "family": FAMILIES[family(p.layer)],
    }


def area(p: Point, most: int) -> float:
    """Square points."""
    return 24 + 276 * p.weight / most


def names(points: Sequence[Point], x: Axis, y: Axis, line: Sequence[Spec], canvas: Canvas) -> list[Spec]:
    """Labels of the layers that matter most, where there is room; none lies on the roof's `line`."""
    wide, tall = canvas.width - 100.0, canvas.height - 130.0
    spots = [
        Spot(
            x.place(p.intensity) * wide, (1 - y.place(p.height)) * tall, plain(p.name, 24) if i < NAMED else "",
            sqrt(area(p, points[0].weight)) / 2,
        )
        for i, p in enumerate(points)
    ]  # fmt: skip
    return [
        {"x": round(x.place(p.intensity), 4), "y": round(y.place(p.height), 4), "text": spots[one.spot].text,
         "align": one.align, "dx": round(one.dx, 1), "dy": round(one.dy, 1)}
        for one in label([*spots, *along(line, wide, tall)], wide, tall)
        for p in (points[one.spot],)
    ]  # fmt: skip


def roof_words(roof: tuple[float, float] | None) -> str:
    """What the roof is."""
    return "roof not measured" if roof is None else f"measured roof {roof[0]:.3g} GFLOP/s and {roof[1]:.3g} GB/s"


SANE = 150
"""Powers of ten that a product of two still has room for; a report that others have written may hold more."""


def roof_line(roof: tuple[float, float], x: Axis, y: Axis) -> list[Spec]:
    """Memory's slope from where it enters the paper up to the ridge, then the flat roof."""
    peak, speed = roof
    if max(map(abs, (*x.logs, *y.logs))) > SANE:
        return []
    start = max(10 ** x.logs[0], 10 ** y.logs[0] / speed)
    corners = [(start, start * speed), (peak / speed, peak), (10 ** x.logs[1], peak)]
    return [{"x": round(x.place(at), 4), "y": round(y.place(rate), 4)} for at, rate in corners]


def marks(canvas: Canvas) -> list[Spec]:
    """Roof, points, names."""
    palette = canvas.palette
    place = {"x": {"scale": "x", "field": "x"}, "y": {"scale": "y", "field": "y"}}
    return [
        {
            "type": "line", "aria": False, "from": {"data": "roof"},
            "encode": {"update": place | {
                "stroke": {"value": palette.text}, "strokeWidth": {"value": 2}, "strokeJoin": {"value": "round"},
            }},
        },
        {
            "type": "symbol", "name": MARKS, "aria": False, "from": {"data": "points"},
            "encode": {"update": place | {
                "size": {"field": "size"}, "fill": {"scale": "family", "field": "family"},
                "fillOpacity": {"value": 0.85}, "stroke": {"value": palette.paper}, "strokeWidth": {"value": 1},
            }},
        },
        text_mark(
            "names", palette, align={"field": "align"}, dx={"field": "dx"}, dy={"field": "dy"},
            baseline={"value": "middle"},
        ),
    ]  # fmt: skip
