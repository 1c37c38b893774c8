"""Charts of a report: treemap of MACs, roofline, cumulative share, Pareto front. One file each.

They are drawn from the report alone, as Vega specifications that `convert` turns into SVG and PNG.
"""

from __future__ import annotations

from convcost.errors import ReportError
from convcost.record import Report
from convcost.report.charts import convert, pareto, roofline, share, treemap
from convcost.report.charts.chart import Chart
from convcost.report.charts.parts import Canvas
from convcost.report.formats import CHARTS
from convcost.report.view import View

__all__ = ["CHARTS", "Canvas", "Chart", "chart", "default", "drawn", "png", "svg"]

EMPTY = {
    "treemap": "no layer has MACs",
    "roofline": "no layer does arithmetic on bytes that are known",
    "share": "no layer has MACs, parameters or memory",
    "pareto": "nothing is compared",
}


def default(report: Report) -> str:
    """The chart that says most about a report: of a comparison its front, of measured layers their roofline."""
    if report.comparisons:
        return "pareto"
    return "roofline" if any(model.timing for model in report.models) else "treemap"


def chart(report: Report, name: str | None = None, canvas: Canvas | None = None) -> Chart:
    """A chart, `default` without a name. Raises ReportError where the report holds nothing to draw it from."""
    name, canvas = name or default(report), canvas or Canvas()
    found = drawn(report, name, canvas)
    if found is None:
        raise ReportError(f"there is no {name} to draw: {EMPTY[name]}", code="C521")
    return found


def drawn(report: Report, name: str, canvas: Canvas) -> Chart | None:
    """A chart, or None."""
    models = report.models
    if name == "pareto":
        return pareto.chart(report.comparisons[0], canvas) if report.comparisons else None
    if not models:
        return None
    if name == "roofline":
        return roofline.chart(models, report.environment, canvas)
    return treemap.chart(models, canvas) if name == "treemap" else share.chart(models, canvas)


def svg(report: Report, view: View) -> str:
    """The chart that the view asks for, as an SVG file. Raises ReportError without vl-convert."""
    return convert.svg(chart(report, view.chart).spec) + "\n"


def png(report: Report, view: View) -> bytes:
    """The same as a PNG file."""
    return convert.png(chart(report, view.chart).spec)
