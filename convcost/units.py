"""Quantities and how they print. The only place that rounds: everywhere else counts are exact integers."""

from __future__ import annotations

from fractions import Fraction

SI = ("", "K", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q")
IEC = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
UNKNOWN = "?"

FACTORS = {
    "": 1, "b": 1,
    "k": 1000, "kb": 1000, "kib": 2**10,
    "m": 10**6, "mb": 10**6, "mib": 2**20,
    "g": 10**9, "gb": 10**9, "gib": 2**30,
    "t": 10**12, "tb": 10**12, "tib": 2**40,
}  # fmt: skip
"""Units that people write, in small letters."""


def read(text: str) -> tuple[Fraction, str] | None:
    """(1500000, "m") for `1.5M`, exactly: the number times its unit, and the unit in small letters. None: no such.

    Digits may be grouped by `_` or, in threes, by commas, as reports print them.
    """
    if len(text) > 30:
        return None
    clean = text.strip().lower()
    digits = clean.rstrip("bgikmt ")
    unit = clean[len(digits) :].strip()
    whole, dot, rest = digits.partition(".")
    groups = whole.split(",")
    if len(groups) > 1 and (not 1 <= len(groups[0]) <= 3 or any(len(g) != 3 for g in groups[1:])):
        return None
    parts = [*whole.replace(",", "_").split("_"), *([rest] if dot else [])]
    if unit not in FACTORS or not all(p.isascii() and p.isdigit() for p in parts):
        return None
    return Fraction("".join(parts[: len(parts) - bool(dot)]) + dot + rest) * FACTORS[unit], unit


def exact(n: int | None) -> str:
    """1,228,800; `?` for not known."""
    return UNKNOWN if n is None else f"{n:,}"


def si(n: int | None, digits: int = 3) -> str:
    """1.23 M: three significant digits with a decimal prefix; exact below 1,000."""
    if n is None:
        return UNKNOWN
    return _scaled(n, 1000, SI, digits)


def size(n: int | None, digits: int = 3) -> str:
    """1.17 MiB: bytes with a binary prefix."""
    if n is None:
        return UNKNOWN
    return _scaled(n, 1024, IEC, digits)


def ratio(part: int | None, whole: int | None) -> str:
    """22.8×: how many times `part` fits into `whole`."""
    if not part or whole is None:
        return UNKNOWN
    return f"{significant(Fraction(whole, part), 3)}×"


def percent(part: int | None, whole: int | None, places: int = 1) -> str:
    """4.4 %: `part` of `whole`."""
    if part is None or not whole:
        return UNKNOWN
    return f"{decimal(Fraction(100 * part, whole), places)} %"


def duration(ns: int | None) -> str:
    """1.23 ms: a time in nanoseconds with three significant digits."""
    if ns is None:
        return UNKNOWN
    for unit, factor in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if ns >= factor:
            return f"{significant(Fraction(ns, factor), 3)} {unit}"
    return f"{ns} ns"


def decimal(x: Fraction, places: int) -> str:
    """`x` rounded half up to `places` decimals, without passing through a float."""
    sign = "-" if x < 0 else ""
    n = (2 * abs(x.numerator) * 10**places + x.denominator) // (2 * x.denominator)
    whole, rest = divmod(n, 10**places)
    return f"{sign}{whole:,}.{rest:0{places}d}" if places else f"{sign}{whole:,}"


def significant(x: Fraction, digits: int) -> str:
    """`x` with `digits` significant digits; whole numbers beyond that are not cut."""
    magnitude = len(str(abs(x.numerator) // x.denominator)) - 1
    places = max(digits - 1 - magnitude, 0)
    text = decimal(x, places)
    if places and len(text.partition(".")[0].replace(",", "").lstrip("-")) > magnitude + 1:
        return decimal(x, places - 1)
    return text


def _scaled(n: int, base: int, prefixes: tuple[str, ...], digits: int) -> str:
    sign, n = ("-", -n) if n < 0 else ("", n)
    if n >= base ** len(prefixes):
        return f"{sign}{_power(n, digits)} {prefixes[0]}".rstrip()
    step = 0
    while n >= base ** (step + 1) and step + 1 < len(prefixes):
        step += 1
    text = significant(Fraction(n, base**step), digits) if step else f"{n}"
    if step and Fraction(text.replace(",", "")) >= base and step + 1 < len(prefixes):
        step += 1
        text = significant(Fraction(n, base**step), digits)
    return f"{sign}{text} {prefixes[step]}".rstrip()


def _power(n: int, digits: int) -> str:
    """7.24e75: what is beyond the largest prefix."""
    exponent = len(str(n)) - 1
    text = significant(Fraction(n, 10**exponent), digits)
    if text.startswith("10"):
        exponent += 1
        text = significant(Fraction(n, 10**exponent), digits)
    return f"{text}e{exponent}"
