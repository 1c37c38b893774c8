"""What the charts share: a frame, axes whose places and labels are made here, keys, text.

Charts are Vega specifications. Positions are made in Python, from 0 to 1 along an axis, so that counts of any size stay
exact until they are a place on paper, and Vega only draws. Text from outside stands in data values and titles, which
Vega shows as they are; never in a signal, an expression or the name of a field, which it would interpret.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import msgspec

from convcost import units
from convcost.report.charts.palette import FAMILIES, LIGHT, Palette
from convcost.report.text import shorten, visible

Spec: TypeAlias = dict[str, Any]
"""A Vega specification, or a part of one: JSON whose form Vega's schema gives."""

SCHEMA = "https://vega.github.io/schema/vega/v6.json"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
WIDE = 8
"""Values that differ by more than this factor stand on a logarithmic axis."""


class Canvas(msgspec.Struct, frozen=True, kw_only=True):
    """Size in points, colours, and whether the chart carries its own title and key."""

    width: int = 960
    height: int = 540
    palette: Palette = LIGHT
    titled: bool = True


class Axis(msgspec.Struct, frozen=True):
    """Places from 0 to 1 of values, the labels to write beside some of them, and log10 of the ends where that is so."""

    place: Callable[[float], float]
    ticks: tuple[tuple[float, str], ...]
    logs: tuple[float, float] = (0.0, 0.0)


def plain(raw: str, width: int) -> str:
    """Foreign text in one short visible line."""
    return shorten(visible(raw), width)


def tidy(text: str) -> str:
    """`10 M` for `10.0 M`: labels of axes are round."""
    number, space, unit = text.partition(" ")
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return number + space + unit


def figure(x: float) -> str:
    """0.25, 3, 1 K."""
    return tidy(units.si(round(x)) if x >= 1000 else f"{x:.3g}")


def axis(values: Sequence[float], label: Callable[[int], str]) -> Axis:
    """An axis on which all `values`, of 0 or more, have a place: logarithmic where all are far apart, else from 0."""
    smallest, largest = min(values, default=0), max(values, default=0)
    if smallest > 0 and largest > WIDE * smallest:
        return spread(values, label)
    return linear(largest, label)


def linear(largest: float, label: Callable[[int], str]) -> Axis:
    """From 0 to `largest` or a little above; ticks at whole numbers."""
    most = max(Fraction(largest), Fraction(1))
    power = Fraction(10) ** (len(str(int(most))) - 1)
    step = max(next(power * k / 10 for k in (2, 5, 10, 20) if most <= 6 * power * k / 10), Fraction(1))
    count = math.ceil(most / step)
    end = step * count
    ticks = tuple((float(Fraction(i, count)), label(int(step * i))) for i in range(count + 1))
    return Axis(lambda value: float(Fraction(value) / end), ticks)


def spread(values: Sequence[float], label: Callable[[int], str] | Callable[[float], str]) -> Axis:
    """A logarithmic axis for `values`, which are above 0, with some room on both sides."""
    low, high = math.log10(min(values)), math.log10(max(values))
    room = max((high - low) * 0.06, (0.7 - (high - low)) / 2)
    low, high = low - room, high + room
    powers = range(math.floor(low), math.floor(high) + 1)
    steps = (1,) if high - low >= 2.5 else (1, 3) if high - low >= 1.5 else (1, 2, 5)
    marks = [(math.log10(k) + e, k, e) for e in powers[:: math.ceil(len(powers) / 8)] for k in steps]
    ticks = tuple(
        ((at - low) / (high - low), label(k * 10**e) if e >= 0 else figure(k / 10**-e))
        for at, k, e in marks
        if low <= at <= high
    )
    return Axis(lambda value: (math.log10(value) - low) / (high - low), ticks, (low, high))


def frame(canvas: Canvas, title: str, subtitle: str, **parts: Any) -> Spec:
    """A chart of exactly the canvas's size. `parts` are Vega's: data, scales, axes, legends, marks."""
    palette = canvas.palette
    spec: Spec = {
        "$schema": SCHEMA,
        "width": canvas.width,
        "height": canvas.height,
        "padding": 16 if canvas.titled else 4,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": {"legend": {"titleFont": FONT, "labelFont": FONT}, "text": {"font": FONT}},
        **parts,
    }
    if canvas.titled:
        spec["background"] = palette.paper
        spec["title"] = {
            "text": title, "subtitle": subtitle, "anchor": "start", "frame": "group", "offset": 14, "font": FONT,
            "subtitleFont": FONT, "fontSize": 18, "subtitleFontSize": 13, "subtitlePadding": 5, "color": palette.text,
            "subtitleColor": palette.soft,
        }  # fmt: skip
    return spec


def scales(x: Axis, y: Axis) -> list[Spec]:
    """Places to points on paper, and labels by place."""
    return [
        {"name": "x", "type": "linear", "domain": [0, 1], "range": "width"},
        {"name": "y", "type": "linear", "domain": [0, 1], "range": "height"},
        *(
            {"name": f"{name}_label", "type": "ordinal", "domain": [at for at, _ in one.ticks],
             "range": [text for _, text in one.ticks] or [""]}
            for name, one in (("x", x), ("y", y))
        ),
    ]  # fmt: skip


def axes(x: Axis, y: Axis, titles: tuple[str, str], palette: Palette) -> list[Spec]:
    """Both axes, with a quiet grid."""
    return [
        {
            "scale": name, "orient": orient, "values": [at for at, _ in one.ticks], "title": title, "grid": True,
            "ticks": False, "domain": name == "x", "domainColor": palette.soft, "gridColor": palette.grid,
            "labelColor": palette.soft, "titleColor": palette.text, "labelFont": FONT, "titleFont": FONT,
            "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelPadding": 6,
            "titlePadding": 10, "labelOverlap": True, "aria": False,
            "encode": {"labels": {"update": {"text": {"scale": f"{name}_label", "field": "value"}}}},
        }
        for name, orient, one, title in (("x", "bottom", x, titles[0]), ("y", "left", y, titles[1]))
    ]  # fmt: skip


def colours(palette: Palette) -> Spec:
    """The scale of the layers' colours."""
    return {"name": "family", "type": "ordinal", "domain": list(FAMILIES), "range": list(palette.families)}


def key(used: Sequence[int], canvas: Canvas) -> list[Spec]:
    """Which colour means what, for the families in `used`."""
    names = [name for i, name in enumerate(FAMILIES) if i in used]
    return legends({"fill": "family", "symbolType": "circle"}, names, canvas)


def legends(scales: Spec, names: Sequence[str], canvas: Canvas) -> list[Spec]:
    """A key above the chart, if it carries its own."""
    if not canvas.titled:
        return []
    look = {
        "orient": "top", "direction": "horizontal", "labelFontSize": 12, "labelColor": canvas.palette.text,
        "symbolStrokeWidth": 0, "symbolSize": 90, "columnPadding": 16, "offset": 8, "aria": False,
    }  # fmt: skip
    return [scales | look | {"values": list(names)}]


def text_mark(data: str, palette: Palette, **encode: Any) -> Spec:
    """Labels from `data`: at x and y, moved by dx, from `text`."""
    fixed = {
        "x": {"scale": "x", "field": "x"},
        "y": {"scale": "y", "field": "y"},
        "text": {"field": "text"},
        "fill": {"value": palette.text},
        "fontSize": {"value": 12},
    }
    return {"type": "text", "aria": False, "from": {"data": data}, "encode": {"update": fixed | encode}}
