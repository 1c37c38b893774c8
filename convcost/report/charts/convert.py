"""Vega specifications as SVG and PNG, by vl-convert (the extra `plot`): in this process, without browser or network."""

from __future__ import annotations

from math import inf
from typing import Any

from convcost.errors import ReportError
from convcost.report.charts.parts import Spec

SCALE = 2.0
"""Pixels of a PNG for a point of the chart."""
MISSING = "pip install 'convcost[plot]' gets it"


ADDRESSES = 96 << 30
"""Bytes of addresses, not of memory, that V8 reserves with room to spare. With fewer it ends the whole process."""


def library() -> Any:
    """The module of vl-convert. Raises ReportError where it is not installed, or would not survive."""
    try:
        import vl_convert  # noqa: PLC0415 - an extra, and only charts need it
    except ImportError:
        raise ReportError("charts need vl-convert-python", code="C520", help=MISSING) from None
    if addresses() < ADDRESSES:
        raise ReportError("charts need a process without a limit on addresses", code="C523", help="see ulimit -v")
    return vl_convert


def addresses() -> float:
    """Bytes of addresses that this process may take."""
    try:
        import resource  # noqa: PLC0415 - only for charts, and not on every system
    except ImportError:
        return inf
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return inf if soft == resource.RLIM_INFINITY else soft


def svg(spec: Spec) -> str:
    """The chart as SVG. No address may be loaded, whatever the specification says."""
    vega = library()
    try:
        return str(vega.vega_to_svg(spec, allowed_base_urls=[]))
    except ValueError as wrong:
        reason = " ".join(str(wrong).split())[:200]
        raise ReportError(f"the chart cannot be drawn: {reason}", code="C522") from None


def png(spec: Spec) -> bytes:
    """The chart as PNG."""
    return bytes(library().svg_to_png(svg(spec), scale=SCALE))
