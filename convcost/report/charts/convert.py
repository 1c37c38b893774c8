"""Vega specifications as SVG and PNG, by vl-convert (the extra `plot`): in this process, without browser or network."""

from __future__ import annotations

from typing import Any

from convcost.errors import ReportError
from convcost.report.charts.parts import Spec

SCALE = 2.0
"""Pixels of a PNG for a point of the chart."""
MISSING = "pip install 'convcost[plot]' gets it"


def available() -> bool:
    """Whether charts can be drawn here."""
    from importlib.util import find_spec  # noqa: PLC0415 - only for charts

    return find_spec("vl_convert") is not None


def library() -> Any:
    """The module of vl-convert. Raises ReportError where it is not installed."""
    try:
        import vl_convert  # noqa: PLC0415 - an extra, and only charts need it
    except ImportError:
        raise ReportError("charts need vl-convert-python", code="C505", help=MISSING) from None
    return vl_convert


def svg(spec: Spec) -> str:
    """The chart as SVG. No address may be loaded, whatever the specification says."""
    vega = library()
    try:
        return str(vega.vega_to_svg(spec, allowed_base_urls=[]))
    except ValueError as wrong:
        reason = " ".join(str(wrong).split())[:200]
        raise ReportError(f"the chart cannot be drawn: {reason}", code="C507") from None


def png(spec: Spec) -> bytes:
    """The chart as PNG."""
    return bytes(library().svg_to_png(svg(spec), scale=SCALE))
