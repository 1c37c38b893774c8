"""What to do about a verdict: where its budget stands, and what would accept the value."""

from __future__ import annotations

from fractions import Fraction

from msgspec.structs import replace

from convcost import units
from convcost.ci.budgets import Budget
from convcost.ci.metrics import COSTS
from convcost.record import Check, Location, Model

SUGGESTED = ("macs", "params", "peak-memory")
"""What a first budget limits."""


def advised(check: Check, budget: Budget, model: Model, command: str, rewrite: str) -> Check:
    """A failure with what to do about it. `command` is this check; `rewrite` is what accepts a new baseline."""
    if check.status not in ("fail", "warn"):
        return check
    where = place(budget.location)
    if budget.form == "growth":
        accept = None if check.value is None else rewrite
        return replace(check, help=f"change the limit: {where}" if where else None, accept=accept)
    line = wanted(check, budget, model)
    if line is None:
        return replace(check, help=f"change the budget: {where}" if where else None)
    key, value = line
    if where is None:
        return replace(check, accept=f"{command} --budget {key}={value.replace('_', '')}")
    quoted = value if value.replace("_", "").isdigit() else f'"{value}"'
    return replace(check, help=f"change the budget: {where}", accept=f"{key} = {quoted}")


def place(location: Location | None) -> str | None:
    """pyproject.toml:12."""
    if location is None or location.file is None:
        return None
    return location.file if location.line is None else f"{location.file}:{location.line}"


def wanted(check: Check, budget: Budget, model: Model) -> tuple[str, str] | None:
    """The key and the value of a budget that would be met."""
    if budget.metric.key == "coverage" or (budget.form == "total" and check.reason and model.coverage.lower_bound):
        seen = model.coverage
        share = Fraction(seen.counted, seen.nodes) if seen.nodes else Fraction(1)
        if share == 1 or budget.metric.unit == "ns":
            return None
        return "coverage", floor_percent(share)
    if check.reason or not isinstance(check.value, int):
        return None
    if budget.limit.share:
        whole = budget.metric.of(model.totals)
        return (budget.metric.key, ceil_percent(Fraction(check.value, whole))) if whole else None
    if budget.metric.unit == "ns":
        return None
    return budget.metric.key, f"{check.value:_}"


def floor_percent(share: Fraction) -> str:
    """A share as a percentage with one place, rounded down."""
    return f"{units.decimal(Fraction(int(share * 1000), 10), 1)}%"


def ceil_percent(share: Fraction) -> str:
    """A share as a percentage with one place, rounded up."""
    return f"{units.decimal(Fraction(-int(-share * 1000 // 1), 10), 1)}%"


def example(model: Model) -> tuple[str, ...]:
    """A configuration to paste, with room of a tenth above what a model costs now."""
    lines = ["[tool.convcost]"]
    for key in SUGGESTED:
        value = COSTS[key].of(model.totals)
        if value:
            lines.append(f'{key} = "{roomy(value, in_bytes=COSTS[key].unit == "bytes")}"')
    return (*lines, 'coverage = "100%"', 'max-growth = "2%"')


def roomy(n: int, *, in_bytes: bool) -> str:
    """About 1.1 n with two digits and a unit."""
    base, names = (1024, ("B", "KiB", "MiB", "GiB", "TiB")) if in_bytes else (1000, ("", "K", "M", "G", "T"))
    most, step = -(-n * 11 // 10), 0
    while most >= 10 * base ** (step + 1) and step + 1 < len(names):
        step += 1
    whole = -(-most // base**step)
    digits = 10 ** max(len(str(whole)) - 2, 0)
    return f"{-(-whole // digits) * digits}{names[step]}"
