"""Models against budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from convcost import record
from convcost.api.models import model_of, report
from convcost.api.sources import expand, load, options_from, read_report
from convcost.ci import budgets as ci
from convcost.ci.judging import judge
from convcost.ci.verdicts import check as verdict


def check(sources: Sequence[str], *, budgets: Sequence[str], options: Mapping[str, object]) -> record.Report:
    """The report of `convcost.api.check`."""
    opts = options_from(options)
    wanted = [ci.from_option(text) for text in budgets]
    models: list[record.Model] = []
    notes: list[record.Diagnostic] = []
    for source in expand(tuple(sources)):
        if isinstance(source, str) and source.endswith(".json"):
            models += read_report(source).models
            continue
        model, said = model_of(load(source, opts), opts)
        models.append(model)
        notes += said
    checks = [
        verdict(budget, model.source, judge(budget, model, accepted=False, baseline=None, entry=None))
        for model in models
        for budget in wanted
    ]
    return replace(report("check", models, diagnostics=notes), checks=checks)
