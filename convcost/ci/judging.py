"""A budget applied to a model. What is not known never passes: counts fail closed, times only warn."""

from __future__ import annotations

from fractions import Fraction

from convcost import units
from convcost.ci.baseline import Baseline, Entry, costs_by_layer
from convcost.ci.budgets import Budget
from convcost.ci.limits import Limit
from convcost.ci.metrics import PER_LAYER, Metric
from convcost.ci.verdicts import Form, Verdict, compared, grew, grown, in_words, largest, part, said
from convcost.ir import distinct
from convcost.record import CheckedLayer, Model

NAMED = 3
"""Nodes that a reason names."""


def judge(budget: Budget, model: Model, *, accepted: bool, baseline: Baseline | None, entry: Entry | None) -> Verdict:
    """The verdict. `accepted`: a coverage budget allows totals that are lower bounds; `entry` is the baseline's."""
    if budget.level == "off":
        return skipped("turned off")
    if budget.form == "layer":
        return layers(budget, model)
    if budget.form == "growth":
        return growth(budget, model, accepted=accepted, baseline=baseline, entry=entry)
    if budget.metric.key == "coverage":
        return coverage(budget, model)
    if budget.metric.key == "time":
        return time(budget, model)
    return total(budget, model, accepted=accepted)


def skipped(reason: str) -> Verdict:
    """No verdict, and why."""
    return Verdict(met=True, value=None, limit=None, message=in_words(reason), reason=reason, skipped=True)


def total(budget: Budget, model: Model, *, accepted: bool) -> Verdict:
    """A limit of a whole model. A lower bound below it proves nothing; an upper bound below it proves enough."""
    metric = budget.metric
    value, most = metric.of(model.totals), int(budget.limit.amount)
    reason = unproven(model, metric, accepted=accepted)
    if value is not None and value > most and not model.coverage.upper_bound:
        reason = None
    return Verdict(
        met=value is not None and value <= most and reason is None,
        value=value,
        limit=most,
        message=said(lambda form: compared(form, metric, value, most, bound_of(model, metric))),
        reason=reason,
        layers=largest(model, metric),
    )


def bound_of(model: Model, metric: Metric) -> str:
    """How a total stands to the true one, in words; empty where it is that."""
    low, high = is_low(model, metric), model.coverage.upper_bound
    return "about" if low and high else "at least" if low else "at most" if high else ""


def is_low(model: Model, metric: Metric) -> bool:
    """Whether a total may lack a part."""
    parts = metric.key in PER_LAYER and any(metric.of(layer.cost) is None for layer in model.layers)
    return model.coverage.lower_bound or parts


def unproven(model: Model, metric: Metric, *, accepted: bool) -> str | None:
    """Why a total is no proof that a budget is met; None where it is one."""
    if metric.of(model.totals) is None:
        formula = model.totals.symbolic.get(metric.field or "")
        return f"not a number but {formula}: give sizes with --dim" if formula else "not known"
    if accepted or not is_low(model, metric):
        return None
    missing = model.coverage.nodes - model.coverage.counted
    if not missing:
        return "a lower bound"
    nodes = f"{missing} node{'s are' if missing > 1 else ' is'} not counted"
    return f"a lower bound: {nodes}: {not_counted(model)}"


def not_counted(model: Model) -> str:
    """The first nodes that are not counted."""
    unknown = model.coverage.unknown
    named = ", ".join(f"{node.name} ({node.op})" for node in unknown[:NAMED])
    return f"{named} and {len(unknown) - NAMED} more" if len(unknown) > NAMED else named


def coverage(budget: Budget, model: Model) -> Verdict:
    """At least a share of the nodes is counted; 100% also wants totals that lack nothing."""
    seen, least = model.coverage, budget.limit.amount
    share = Fraction(seen.counted, seen.nodes) if seen.nodes else Fraction(1)
    met = share >= least and (least < 1 or not seen.lower_bound)
    reason = None
    if not met:
        reason = f"not counted: {not_counted(model)}" if seen.unknown else "totals are lower bounds"
    sign = "≥" if share >= least else "<"
    message = f"{seen.counted} of {seen.nodes} nodes, {percent(share)} {sign} {percent(least)}"
    return Verdict(met=met, value=share, limit=least, message=in_words(message), reason=reason)


def covered(budget: Budget, model: Model) -> bool:
    """Whether a budget says that less than all nodes will do, and that much is counted: lower bounds then count."""
    known = budget.metric.key == "coverage" and budget.level != "off" and budget.limit.amount < 1
    return known and coverage(budget, model).met


def percent(share: Fraction) -> str:
    """99.3 %; never 100 % for less."""
    places = 1
    while places < 6 and share != 1 and units.decimal(100 * share, places) == units.decimal(Fraction(100), places):
        places += 1
    text = units.decimal(100 * share, places)
    return (text.rstrip("0").rstrip(".") if "." in text else text) + " %"


def time(budget: Budget, model: Model) -> Verdict:
    """A measured time, where there is one."""
    if model.timing is None:
        return skipped("not measured (--time measures)")
    value, most = model.timing.median_ns, int(budget.limit.amount)
    message = said(lambda form: compared(form, budget.metric, value, most))
    return Verdict(met=value <= most, value=value, limit=most, message=message)


def layers(budget: Budget, model: Model) -> Verdict:
    """A limit of each layer that a pattern chooses."""
    metric, pattern = budget.metric, budget.pattern
    assert pattern is not None
    chosen = [layer for layer in model.layers if pattern.matches(layer)]
    whole = metric.of(model.totals)
    if not chosen:
        return skipped("no layer matches")
    if budget.limit.share and whole is None:
        message = in_words("share not known")
        return Verdict(met=False, value=None, limit=None, message=message, reason="the total is not known")
    most = int(budget.limit.amount * whole) if budget.limit.share and whole is not None else int(budget.limit.amount)
    values = [(metric.of(layer.cost), layer) for layer in chosen]
    over = [part(layer, n, whole) for n, layer in values if n is None or n > most]
    over.sort(key=lambda layer: (layer.value is not None, -(layer.value or 0)))
    unknown = sum(layer.value is None for layer in over)
    missing = f"{unknown} of these layers {'are' if unknown > 1 else 'is'} not counted"
    loose = budget.limit.share and model.coverage.upper_bound
    known = [n for n, _ in values if n is not None]
    worst = max(known, default=None)
    return Verdict(
        met=not over and not loose,
        value=worst,
        limit=most,
        message=said(lambda form: of_layers(form, metric, worst, most, budget.limit, (len(over), len(chosen)))),
        reason=missing if unknown else "shares of an upper bound" if loose else None,
        layers=over,
    )


def of_layers(form: Form, metric: Metric, worst: int | None, most: int, limit: Limit, numbers: tuple[int, int]) -> str:
    """Largest of 13: 118 M ≤ 200 M (10% of all)."""
    over, chosen = numbers
    head = f"{over} of {chosen} layers over" if over else f"largest of {chosen}"
    note = f" ({limit.written})" if limit.share else ""
    return f"{head}: {compared(form, metric, worst, most)}{note}"


def growth(budget: Budget, model: Model, *, accepted: bool, baseline: Baseline | None, entry: Entry | None) -> Verdict:
    """A limit of what may be added to the baseline."""
    metric = budget.metric
    value = metric.of(model.totals)
    old = entry.totals.get(metric.field or "") if entry is not None else None
    reason = incomparable(model, entry) or unproven(model, metric, accepted=accepted)
    if reason is None and old is None:
        reason = "the baseline does not know it"
    if reason is None and entry is not None:
        reason = bounded(model, entry, accepted=accepted)
    if value is None or old is None or baseline is None or entry is None:
        message = in_words("?") if value is None else said(lambda form: f"{form(metric, value)}, was ?")
        return Verdict(met=False, value=value, limit=None, message=message, reason=reason, old=old)
    most = budget.limit.above(old)
    return Verdict(
        met=value <= most and reason is None,
        value=value,
        limit=most,
        message=said(lambda form: f"{grown(form, metric, old, value)}: {compared(form, metric, value, most)}"),
        reason=reason,
        old=old,
        layers=dearer(model, metric, costs_by_layer(baseline, entry, metric.key)),
    )


def bounded(model: Model, entry: Entry, *, accepted: bool) -> str | None:
    """Why a baseline that is a bound proves nothing. Two upper bounds compare: what both cost at most."""
    if entry.lower_bound and not accepted:
        return "the baseline is a lower bound"
    if entry.upper_bound != model.coverage.upper_bound:
        return "the baseline is an upper bound" if entry.upper_bound else "an upper bound, and the baseline is none"
    return None


def incomparable(model: Model, entry: Entry | None) -> str | None:
    """Why model and baseline are not about the same."""
    if entry is None:
        return "the baseline does not have this model"
    if entry.dims != model.dims:
        sizes = ", ".join(f"{name}={n}" for name, n in sorted(entry.dims.items())) or "none"
        return f"the baseline has other dimensions: {sizes}"
    return None


def dearer(model: Model, metric: Metric, old: dict[str, int | None]) -> list[CheckedLayer]:
    """Layers that cost more than in the baseline, the largest growth first."""
    out: list[CheckedLayer] = []
    names = distinct(layer.name for layer in model.layers)
    whole = metric.of(model.totals)
    for name, layer in zip(names, model.layers, strict=True) if old else ():
        n = metric.of(layer.cost)
        if n != old.get(name, 0):
            out.append(part(layer, n, whole, old.get(name, 0)))
    return grew(out)
