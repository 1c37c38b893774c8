"""Ways to do one thing, by what they cost: those that no other beats stand out."""

from __future__ import annotations

from convcost import units
from convcost.record import Alternative, Comparison
from convcost.report.charts.chart import MARKS, Chart
from convcost.report.charts.parts import Canvas, Spec, axes, axis, frame, legends, plain, scales, text_mark, tidy
from convcost.report.charts.spots import Spot, label

MOST = 400
"""Points."""
RADIUS = 6.0
Place = tuple[int, Alternative]


def chart(comparison: Comparison, canvas: Canvas) -> Chart | None:
    """MACs against time, or against parameters where nothing was timed; None where fewer than two rows have both."""
    is_timed = sum(way.timing is not None for way in comparison.alternatives) > 1
    found = [
        (i, way, across(way, is_timed=is_timed), way.cost.macs) for i, way in enumerate(comparison.alternatives[:MOST])
    ]
    ways = [(i, way, a, b) for i, way, a, b in found if a is not None and b is not None and min(a, b) >= 0]
    if len(ways) < 2:
        return None
    ways.reverse()  # the original is drawn last, so that none hides it
    x = axis([a for _, _, a, _ in ways], duration if is_timed else count)
    y = axis([b for _, _, _, b in ways], count)
    points = [
        {"x": round(x.place(a), 4), "y": round(y.place(b), 4), "kind": kind(i, way)} for i, way, a, b in ways
    ]  # fmt: skip
    kinds = used(comparison)
    title = "MACs against time" if is_timed else "MACs against parameters"
    things = "MACs, parameters and time" if is_timed else "MACs and parameters"
    front = {True, False} <= {way.pareto for _, way, _, _ in ways}
    subtitle = f"on the front: no other way beats it in {things} together" if front else "of each"
    names = [f"#{i} {plain(way.name, 30)}" for i, way, _, _ in ways]
    spec = frame(
        canvas, title, f"{plain(comparison.of, 60)} · {subtitle}",
        data=[
            {"name": "points", "values": points},
            {"name": "front", "values": [] if is_timed else line(points, canvas)},
            {"name": "names", "values": labels(points, names, canvas)},
        ],
        scales=[*scales(x, y), *looks(canvas)],
        legends=legends({"fill": "colour", "shape": "shape"}, kinds, canvas),
        axes=axes(x, y, ("median time" if is_timed else "parameters", "MACs"), canvas.palette),
        marks=marks(canvas),
    )  # fmt: skip
    return Chart(title=title, subtitle=subtitle, spec=spec, rows=tuple(i for i, *_ in ways))


KINDS = ("the original", "on the front", "beaten by another", "not compared")


def kind(i: int, way: Alternative) -> str:
    """What a point is, in words of the key."""
    if i == 0:
        return KINDS[0]
    return KINDS[3] if way.pareto is None else KINDS[1] if way.pareto else KINDS[2]


def used(comparison: Comparison) -> list[str]:
    """The words of the key."""
    there = {kind(i, way) for i, way in enumerate(comparison.alternatives[:MOST])}
    return [name for name in KINDS if name in there]


def across(way: Alternative, *, is_timed: bool) -> int | None:
    """Time or parameters."""
    if is_timed:
        return way.timing.median_ns if way.timing is not None else None
    return way.cost.params


def count(n: int) -> str:
    """10 M."""
    return tidy(units.si(n))


def duration(ns: int) -> str:
    """10 ms."""
    return tidy(units.duration(ns))


def line(points: list[Spec], canvas: Canvas) -> list[Spec]:
    """The steps along the front."""
    del canvas
    best: list[Spec] = []
    for p in sorted(points, key=lambda p: (p["x"], p["y"])):
        if p["kind"] != KINDS[3] and (not best or p["y"] < best[-1]["y"]):
            best.append(p)
    return [{"x": p["x"], "y": p["y"]} for p in best]


def labels(points: list[Spec], names: list[str], canvas: Canvas) -> list[Spec]:
    """Names where there is room: of the original, then of the front, then of the others."""
    wide, tall = canvas.width - 100.0, canvas.height - 130.0
    order = sorted(range(len(points)), key=lambda i: (KINDS.index(str(points[i]["kind"])), -i))
    spots = [Spot(points[i]["x"] * wide, (1 - points[i]["y"]) * tall, names[i], RADIUS) for i in order]
    return [
        {"x": p["x"], "y": p["y"], "text": spots[one.spot].text, "align": one.align, "dx": one.dx, "dy": one.dy}
        for one in label(spots, wide, tall)
        for p in (points[order[one.spot]],)
    ]


def looks(canvas: Canvas) -> list[Spec]:
    """Colour and shape by kind: neither alone has to be seen."""
    first, second, _, _, fifth = canvas.palette.families
    return [
        {"name": "colour", "type": "ordinal", "domain": list(KINDS),
         "range": [second, first, canvas.palette.soft, fifth]},
        {"name": "shape", "type": "ordinal", "domain": list(KINDS),
         "range": ["diamond", "circle", "cross", "triangle-up"]},
    ]  # fmt: skip


def marks(canvas: Canvas) -> list[Spec]:
    """The front's steps, points, names."""
    palette = canvas.palette
    place = {"x": {"scale": "x", "field": "x"}, "y": {"scale": "y", "field": "y"}}
    return [
        {
            "type": "line", "aria": False, "from": {"data": "front"},
            "encode": {"update": place | {
                "stroke": {"value": palette.families[0]}, "strokeWidth": {"value": 1.5},
                "strokeDash": {"value": [5, 4]}, "interpolate": {"value": "step-after"},
            }},
        },
        {
            "type": "symbol", "name": MARKS, "aria": False, "from": {"data": "points"},
            "encode": {"update": place | {
                "size": {"value": 110}, "shape": {"scale": "shape", "field": "kind"},
                "fill": {"scale": "colour", "field": "kind"},
                "stroke": {"value": palette.paper}, "strokeWidth": {"value": 1},
            }},
        },
        text_mark(
            "names", palette, align={"field": "align"}, dx={"field": "dx"}, dy={"field": "dy"},
            baseline={"value": "middle"},
        ),
    ]  # fmt: skip
