"""`--fail-on macs:5%`: how much a difference may add, judged like a budget."""

from __future__ import annotations

from convcost.ci.budgets import Budget
from convcost.ci.limits import limit
from convcost.ci.metrics import COSTS, Metric
from convcost.ci.verdicts import Verdict, check, compared, grew, grown, in_words, said
from convcost.errors import UsageError
from convcost.record import Check, CheckedLayer, Diff


def gate(text: str) -> Budget:
    """`macs:5%`, `params:+0`, `peak-memory:1MiB`; `macs` alone allows nothing more."""
    key, colon, amount = text.partition(":")
    metric = COSTS.get(key.strip())
    if metric is None or (colon and not amount.strip()):
        metrics = ", ".join(COSTS)
        raise UsageError(f"--fail-on {text}: expected METRIC:LIMIT, as in macs:5%; metrics are {metrics}")
    try:
        return Budget(metric=metric, limit=limit(amount if colon else "+0", metric, "growth"), form="growth")
    except ValueError as wrong:
        raise UsageError(f"--fail-on {text}: {wrong}") from None


def judged(budget: Budget, diff: Diff) -> Check:
    """The verdict. A side that is not known, or that is a lower bound, fails; two upper bounds are compared."""
    metric = budget.metric
    total = next(d for d in diff.totals if d.metric == metric.field)
    reason = None
    if total.old is None or total.new is None:
        reason = f"the {'old' if total.old is None else 'new'} total is not known"
    elif diff.coverage.old_lower_bound or diff.coverage.new_lower_bound:
        reason = "the totals are lower bounds"
    elif diff.coverage.old_upper_bound != diff.coverage.new_upper_bound:
        reason = "one of both totals is an upper bound"
    most = None
    message = in_words("?")
    old, new = total.old, total.new
    if old is not None and new is not None:
        most = limit = budget.limit.above(old)
        message = said(lambda form: f"{grown(form, metric, old, new)}: {compared(form, metric, new, limit)}")
    elif new is not None:
        message = said(lambda form: f"{form(metric, new)}, was ?")
    verdict = Verdict(
        met=reason is None and total.new is not None and most is not None and total.new <= most,
        value=total.new,
        limit=most,
        message=message,
        reason=reason,
        old=total.old,
        layers=behind(diff, metric, total.new),
    )
    return check(budget, diff.new, verdict)


def behind(diff: Diff, metric: Metric, whole: int | None) -> list[CheckedLayer]:
    """The layers that cost more than before, the largest growth first."""
    out = []
    for one in diff.layers:
        place = one.new or one.old
        for d in one.deltas:
            if d.metric == metric.field and place is not None and d.change != 0:
                share = d.new / whole if d.new is not None and whole else None
                out.append(
                    CheckedLayer(name=place.name, op=place.op, kind=place.kind, value=d.new, share=share, old=d.old)
                )
    return grew(out)
