"""A model's headline: each figure large and rounded, with all its digits below."""

from __future__ import annotations

from fractions import Fraction

from convcost import units
from convcost.record import Model
from convcost.report.text import html
from convcost.report.view import bound_of

LONGEST = 10**24
"""From here on nobody reads all digits."""


def cards(model: Model) -> str:
    """A list of definitions."""
    total, bound = model.totals, bound_of(model.coverage)
    found = [
        counted("MACs", total.macs, bound),
        *([counted("multiplications", total.multiplications, bound)] if total.multiplications != total.macs else []),
        *([counted("MACs off the padding", total.macs_effective, bound)] if total.macs_effective != total.macs else []),
        counted("parameters", total.params, bound),
        sized("weights", total.weight_bytes, bound),
        sized("peak memory", total.peak_memory_bytes, ""),
    ]  # fmt: skip
    if total.intensity is not None:
        rate = units.si(int(total.intensity)) if total.intensity >= 10_000 else None
        found.append(("FLOP per byte", rate or units.significant(Fraction(total.intensity), 3), ""))
    if model.timing is not None:
        spread = f"± {units.duration(model.timing.mad_ns)}, best {units.duration(model.timing.min_ns)}"
        found.append(("time, median", units.duration(model.timing.median_ns), spread))
    return f'<dl class="cards">\n{"".join(map(card, found))}</dl>'


def card(parts: tuple[str, str, str]) -> str:
    """What it is, the figure, its digits."""
    what, figure, digits = map(html, parts)
    return f"<div><dt>{what}</dt><dd>{figure}</dd>{f'<dd>{digits}</dd>' if digits else ''}</div>\n"


def counted(what: str, n: int | None, bound: str) -> tuple[str, str, str]:
    """A count."""
    return what, signed(units.si(n), n, bound), digits(n, units.si(n), "")


def sized(what: str, n: int | None, bound: str) -> tuple[str, str, str]:
    """Bytes."""
    return what, signed(units.size(n), n, bound), digits(n, units.size(n), " B")


def signed(text: str, n: int | None, bound: str) -> str:
    """With the sign of a bound."""
    return f"{bound} {text}" if bound and n is not None else text


def digits(n: int | None, shown: str, unit: str) -> str:
    """All digits, where the figure does not show them."""
    exact = units.exact(n) + unit
    return "" if n is None or n >= LONGEST or exact == shown else exact
