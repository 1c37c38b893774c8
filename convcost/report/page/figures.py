"""Charts on the page: static SVG, drawn once by vl-convert, whose marks the script ties to the rows of a table."""

from __future__ import annotations

import msgspec

from convcost.errors import ReportError
from convcost.record import Comparison, Environment, Model
from convcost.report.charts import convert, pareto, roofline, share, treemap
from convcost.report.charts.chart import Chart
from convcost.report.charts.palette import FAMILIES, PAGE, family
from convcost.report.charts.parts import Canvas
from convcost.report.text import html

WIDE = Canvas(width=1160, height=440, palette=PAGE, titled=False)
HALF = Canvas(width=460, height=330, palette=PAGE, titled=False)
SHAPES = tuple(zip("◆●✚▲", pareto.KINDS, strict=True))
"""What points of a Pareto chart look like."""
MOST = 4
"""Models of one report that have charts; a page of hundreds would be slow to make and to read."""


def of_model(model: Model, machine: Environment | None, identity: str) -> str:
    """Treemap, roofline and cumulative share of one model."""
    found = [
        (treemap.chart([model], WIDE), "wide"),
        (roofline.chart([model], machine, HALF), ""),
        (share.chart([model], HALF), ""),
    ]
    return together([(chart, kind) for chart, kind in found if chart is not None], identity, key(model))


def of_comparison(comparison: Comparison, identity: str) -> str:
    """The Pareto front, once for wide screens and once for narrow ones."""
    sizes = [(pareto.chart(comparison, WIDE), "wide big"), (pareto.chart(comparison, HALF), "small")]
    used = pareto.used(comparison)
    items = "".join(
        f"<li><span class=s{i}>{shape}</span> {html(kind)}</li>"
        for i, (shape, kind) in enumerate(SHAPES)
        if kind in used
    )
    found = [(chart, kind) for chart, kind in sizes if chart is not None]
    return together(found, identity, f'<ul class="key">{items}</ul>\n')


def together(found: list[tuple[Chart, str]], identity: str, legend: str) -> str:
    """Figures side by side; a note in their place where they cannot be drawn here."""
    try:
        drawn = [figure(chart, kind, identity) for chart, kind in found]
    except ReportError as wrong:
        hint = f"; {wrong.help}" if wrong.help else ""
        return f'<p class="dim">No charts: {html(wrong.message)}{html(hint)}</p>'
    if not drawn:
        return ""
    return f'{legend}<div class="charts">\n{chr(10).join(drawn)}\n</div>'


def figure(chart: Chart, kind: str, identity: str) -> str:
    """One chart with its title."""
    svg = convert.svg(chart.spec).strip().replace("<svg ", f'<svg role="img" aria-label="{html(chart.title)}" ', 1)
    tied = f' data-of="{identity}" data-rows="{" ".join(map(str, chart.rows))}"' if chart.rows and identity else ""
    if chart.areas and tied:
        areas = [[area.name, area.parent, area.first, area.end] for area in chart.areas]
        tied += f' data-areas="{html(msgspec.json.encode(areas).decode())}"'
    says = f"<figcaption><b>{html(chart.title)}</b><span>{html(chart.subtitle)}</span></figcaption>"
    looks = f' class="{kind}"' if kind else ""
    return f"<figure{looks}{tied}>{says}\n{svg}\n</figure>"


def key(model: Model) -> str:
    """Which colour means what."""
    used = sorted({family(layer) for layer in model.layers if layer.cost.flops})
    items = "".join(f"<li><i class=k{i}></i>{html(FAMILIES[i])}</li>" for i in used)
    return f'<ul class="key">{items}</ul>\n' if items else ""
