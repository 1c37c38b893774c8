"""Colours of charts: concrete ones for files, names of the page's own for HTML, where they follow light and dark.

The five colours of layers can be told apart with protanopia, deuteranopia and tritanopia, and each has a contrast of at
least 4.5 to its paper and to the ink that is written on it (WCAG 2.2, 1.4.3); tests compute both.
"""

from __future__ import annotations

import msgspec

from convcost.record import Layer

FAMILIES = ("convolution", "1×1 convolution", "depthwise, grouped", "matrix product", "other")
"""What layers are coloured by, in the order of the colours."""

FAMILY = {
    "standard": 0,
    "spatial": 0,
    "transposed": 0,
    "pointwise": 1,
    "pointwise_grouped": 2,
    "depthwise": 2,
    "grouped": 2,
    "matmul": 3,
    "recurrent": 3,
    "attention": 3,
}
OTHER = 4


class Palette(msgspec.Struct, frozen=True, kw_only=True):
    """Colours as an SVG writes them. `ink` is written on the colours of `families`, `text` on `paper`."""

    paper: str
    text: str
    soft: str
    grid: str
    ink: str
    families: tuple[str, str, str, str, str]


LIGHT = Palette(
    paper="#ffffff",
    text="#1b1f24",
    soft="#59616b",
    grid="#e3e6ea",
    ink="#ffffff",
    families=("#2447b0", "#a06520", "#0f7f7a", "#681a6f", "#3d4048"),
)

DARK = Palette(
    paper="#14171c",
    text="#e8eaed",
    soft="#a3abb6",
    grid="#2e343c",
    ink="#0d1013",
    families=("#7571ef", "#cfb143", "#6ec1b2", "#b960b5", "#81835f"),
)

PAGE = Palette(
    paper="var(--paper)",
    text="var(--text)",
    soft="var(--soft)",
    grid="var(--grid)",
    ink="var(--ink)",
    families=("var(--f0)", "var(--f1)", "var(--f2)", "var(--f3)", "var(--f4)"),
)


def family(layer: Layer) -> int:
    """The place of a layer in `FAMILIES`."""
    return FAMILY.get(layer.kind, OTHER)
