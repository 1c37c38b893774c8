"""How few layers make most of a total: shares that add up, largest layer first."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from convcost.record import Model
from convcost.report.charts.chart import Chart, sources, total_macs
from convcost.report.charts.parts import Axis, Canvas, Spec, axes, frame, linear, plain, scales, text_mark

LINES = 5
POINTS = 160
"""Points of a line; between them nobody could see a step."""
MOST = Fraction(4, 5)


class Series(msgspec.Struct, frozen=True):
    """One line: its name and its values, which fall."""

    name: str
    values: tuple[int, ...]

    @property
    def needed(self) -> int:
        """How many of the largest values make four fifths of all."""
        goal, running = MOST * sum(self.values), 0
        for i, value in enumerate(self.values, 1):
            running += value
            if running >= goal:
                return i
        return len(self.values)


def chart(models: Sequence[Model], canvas: Canvas) -> Chart | None:
    """MACs, parameters, memory and time of one model, or the MACs of several; None where all are zero."""
    lines = [line for line in series(models) if line.values]
    if not lines:
        return None
    most = max(len(line.values) for line in lines)
    first = lines[0]
    title = "Cumulative share"
    subtitle = f"{sources(models)} · {total_macs(models)}"
    note = f"{first.needed} of {len(first.values)} make 80 % of {first.name}"
    x = linear(most, str)
    y = Axis(float, tuple((i / 5, f"{20 * i} %") for i in range(6)))
    spec = frame(
        canvas, title, f"{subtitle} · {note}",
        data=[
            {"name": "line", "values": [point for i, line in enumerate(lines) for point in points(i, line, x)]},
            {"name": "names", "values": names(lines)},
            {"name": "goal", "values": [{"x": 0, "y": float(MOST)}]},
        ],
        scales=[*scales(x, y), {
            "name": "series", "type": "ordinal", "domain": list(range(len(lines))),
            "range": list(canvas.palette.families)[: len(lines)],
        }],
        axes=axes(x, y, ("layers, largest first", "share of the total"), canvas.palette),
        marks=marks(canvas),
    )  # fmt: skip
    spec["padding"] = {"left": spec["padding"], "top": spec["padding"], "bottom": spec["padding"], "right": 16}
    return Chart(title=title, subtitle=note, spec=spec)


def series(models: Sequence[Model]) -> list[Series]:
    """The lines to draw."""
    if len(models) > 1:
        return [Series(plain(m.source, 24), falling(m, "macs")) for m in models[:LINES]]
    model = models[0]
    times = [layer.timing.median_ns for layer in model.layers if layer.timing and layer.timing.median_ns > 0]
    return [
        Series("MACs", falling(model, "macs")),
        Series("parameters", falling(model, "params")),
        Series("bytes written", falling(model, "write_bytes")),
        Series("time", tuple(sorted(times, reverse=True))),
    ]


def falling(model: Model, field: str) -> tuple[int, ...]:
    """A quantity of the layers that have any of it, largest first."""
    values = (getattr(layer.cost, field) for layer in model.layers)
    return tuple(sorted((n for n in values if n is not None and n > 0), reverse=True))


def points(number: int, line: Series, x: Axis) -> list[Spec]:
    """The line from nothing to all."""
    count, total = len(line.values), sum(line.values)
    shown = {*range(min(count, POINTS // 2)), *(round(i * (count - 1) / POINTS) for i in range(POINTS + 1))}
    out: list[Spec] = [{"x": 0, "y": 0, "series": number}]
    running = 0
    for i, value in enumerate(line.values):
        running += value
        if i in shown:
            out.append(
                {"x": round(x.place(i + 1), 5), "y": round(float(Fraction(running, total)), 5), "series": number}
            )
    return out


def names(lines: Sequence[Series]) -> list[Spec]:
    """A key below the lines, at the lower right, where no line runs."""
    return [
        {"x": 1, "y": 0.06 + 0.075 * (len(lines) - 1 - i), "series": i,
         "text": f"{line.name} ({line.needed} for 80 %)"}
        for i, line in enumerate(lines)
    ]  # fmt: skip


def marks(canvas: Canvas) -> list[Spec]:
    """Lines, the mark of four fifths, names."""
    palette = canvas.palette
    colour = {"scale": "series", "field": "series"}
    place = {"x": {"scale": "x", "field": "x"}, "y": {"scale": "y", "field": "y"}}
    return [
        {
            "type": "rule", "aria": False, "from": {"data": "goal"},
            "encode": {"update": place | {
                "x2": {"scale": "x", "value": 1}, "stroke": {"value": palette.soft}, "strokeDash": {"value": [4, 4]},
            }},
        },
        {
            "type": "group", "from": {"facet": {"name": "one", "data": "line", "groupby": "series"}}, "aria": False,
            "marks": [{
                "type": "line", "aria": False, "from": {"data": "one"},
                "encode": {"update": place | {
                    "stroke": colour, "strokeWidth": {"value": 2.5}, "strokeJoin": {"value": "round"},
                }},
            }],
        },
        text_mark(
            "names", palette, fill=colour, align={"value": "right"}, baseline={"value": "middle"},
            dx={"value": -8}, fontWeight={"value": 600},
        ),
    ]  # fmt: skip
