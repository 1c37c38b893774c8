"""Colours that everybody can read and tell apart."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

from convcost.report import page
from convcost.report.charts.palette import DARK, LIGHT, Palette

Colour = tuple[float, float, float]

SEEN = {
    "trichromacy": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
"""What reaches somebody of linear red, green and blue: G. Machado and others, IEEE TVCG 15 (2009), severity 1."""


def linear(colour: str) -> Colour:
    """Linear red, green and blue of #rrggbb (IEC 61966-2-1)."""
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return tuple(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b))  # type: ignore[return-value]


def contrast(a: str, b: str) -> float:
    """WCAG 2.2: (L1 + 0.05) / (L2 + 0.05)."""
    low, high = sorted(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(colour: Colour) -> Colour:
    """CIE L*a*b* under D65."""
    r, g, b = (min(max(c, 0), 1) for c in colour)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    f, h, k = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * h - 16, 500 * (f - h), 200 * (h - k)


def seen(colour: str, how: str) -> Colour:
    """L*a*b* of what somebody sees."""
    light = linear(colour)
    return lab(tuple(sum(w * c for w, c in zip(row, light, strict=True)) for row in SEEN[how]))  # type: ignore[arg-type]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast(palette: Palette) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for text in (palette.text, palette.soft, *palette.families):
        assert contrast(text, palette.paper) >= 4.5
    for fill in palette.families:
        assert contrast(palette.ink, fill) >= 4.5


@pytest.mark.parametrize("how", SEEN)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_families_can_be_told_apart(palette: Palette, how: str) -> None:
    """A difference of 2 is just seen; these have many times that."""
    for a, b in combinations(palette.families, 2):
        apart = sum((x - y) ** 2 for x, y in zip(seen(a, how), seen(b, how), strict=True)) ** 0.5
        assert apart > 15, (a, b)


def test_the_page_has_the_same_colours() -> None:
    assert page.__file__ is not None
    style = Path(page.__file__).with_name("style.css").read_text("utf-8")
    names = {name: name for name in ("paper", "text", "soft", "grid", "ink")}
    for name, field in names.items():
        assert f"--{name}: light-dark({getattr(LIGHT, field)}, {getattr(DARK, field)})" in style
    for i, pair in enumerate(zip(LIGHT.families, DARK.families, strict=True)):
        assert f"--f{i}: light-dark({', '.join(pair)})" in style


@pytest.mark.parametrize("name", ["warn", "bad", "good", "accent", "soft", "text"])
@pytest.mark.parametrize("theme", [0, 1])
def test_texts_of_the_page_have_contrast(name: str, theme: int) -> None:
    assert page.__file__ is not None
    style = Path(page.__file__).with_name("style.css").read_text("utf-8")
    colours = {found[1]: found.groups()[1:] for found in re.finditer(r"--(\w+): light-dark\((#\w+), (#\w+)\)", style)}
    for ground in ("paper", "raised", "mark"):
        if ground != "mark" or name == "text":
            assert contrast(colours[name][theme], colours[ground][theme]) >= 4.5
