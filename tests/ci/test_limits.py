"""Limits as people write them, worked out by hand, and what is none."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest

from convcost.ci.limits import Form, limit
from convcost.ci.metrics import METRICS


@pytest.mark.parametrize(
    ("given", "key", "form", "amount", "share"),
    [
        (600_000_000, "macs", "total", 600_000_000, False),
        (1e9, "macs", "total", 10**9, False),
        (-0.0, "macs", "total", 0, False),
        (2.0**53 - 1, "macs", "total", 9_007_199_254_740_991, False),
        (10**30 - 1, "macs", "total", 10**30 - 1, False),
        ("1000000000000000000T", "macs", "total", 10**30, False),
        (" 600M ", "macs", "total", 600_000_000, False),
        ("1.5MB", "read-bytes", "total", 1_500_000, False),
        ("1.5MiB", "read-bytes", "total", 1_572_864, False),
        ("1 KiB", "peak-memory", "total", 1024, False),
        ("95%", "coverage", "total", Fraction(19, 20), True),
        ("100 %", "coverage", "total", 1, True),
        ("10%", "macs", "layer", Fraction(1, 10), True),
        ("100%", "macs", "layer", 1, True),
        ("250%", "macs", "growth", Fraction(5, 2), True),
        ("+0", "macs", "growth", 0, False),
        ("+7", "macs", "growth", 7, False),
        (" - 5% ", "macs", "growth", Fraction(-1, 20), True),
        ("−1M", "macs", "growth", -1_000_000, False),
        (-3, "macs", "growth", -3, False),
        ("7 ns", "time", "total", 7, False),
        ("7us", "time", "total", 7_000, False),
        ("7 µs", "time", "total", 7_000, False),
        ("1.5 ms", "time", "total", 1_500_000, False),
        ("2s", "time", "total", 2_000_000_000, False),
    ],
)
def test_what_a_limit_says(given: object, key: str, form: Form, amount: Any, *, share: bool) -> None:
    found = limit(given, METRICS[key], form)
    assert (found.amount, found.share) == (amount, share)
    assert isinstance(found.amount, int | Fraction)


@pytest.mark.parametrize(
    ("given", "key", "form", "said"),
    [
        (True, "macs", "total", 'macs takes a count: 600_000_000 or "600M"'),
        (None, "macs", "total", "macs takes a count"),
        (0.5, "macs", "total", "not exact"),
        (2.0**53, "macs", "total", "not exact"),
        (-(2.0**53), "macs", "growth", "not exact"),
        (float("nan"), "macs", "total", "not exact"),
        (float("inf"), "macs", "total", "not exact"),
        (10**30 + 1, "macs", "total", "macs takes a count"),
        pytest.param(10**5000, "macs", "total", "macs takes a count", id="5001 digits"),
        ("1000000000000000001T", "macs", "total", "macs takes a count"),
        ("-1", "macs", "total", "macs takes a count"),
        ("+1", "macs", "layer", 'macs takes a count: 600_000_000 or "600M" or a share: "10%"'),
        ("++1", "macs", "growth", 'macs takes "2%" or "1M"'),
        ("x", "read-bytes", "growth", 'read-bytes takes "2%" or "1MiB"'),
        ("x", "read-bytes", "total", 'read-bytes takes "12MiB"'),
        ("1MiB", "macs", "total", "a count, not bytes"),
        ("1B", "macs", "growth", "a count, not bytes"),
        ("5%", "macs", "total", "macs of a whole model takes a count"),
        ("101%", "macs", "layer", "at most 100%"),
        ("100.1%", "coverage", "total", "at most 100%"),
        ("5M%", "macs", "layer", "macs takes"),
        ("%", "macs", "layer", "macs takes"),
        ("0.95", "coverage", "total", 'coverage takes "95%"'),
        (1, "coverage", "total", "coverage takes"),
        ("5", "time", "total", 'time takes "5 ms"'),
        ("5M ms", "time", "total", "time takes"),
        ("5 h", "time", "total", "time takes"),
        ("ms", "time", "total", "time takes"),
        ("5 nms", "time", "total", "time takes"),
    ],
)
def test_what_is_no_limit(given: object, key: str, form: Form, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        limit(given, METRICS[key], form)
