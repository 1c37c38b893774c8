"""Two sources, one before and one after a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from convcost import record
from convcost.api.models import model_of, report
from convcost.api.result import Report
from convcost.api.sources import Options, expand, load, options_from, read_report
from convcost.ci.diffing.difference import difference
from convcost.ci.diffing.gates import gate, judged
from convcost.errors import UsageError


def diff(old: str, new: str, *, fail_on: Sequence[str], options: Mapping[str, object]) -> Report:
    """The report of `convcost.api.diff`."""
    opts = options_from(options)
    gates = [gate(text) for text in fail_on]
    before, said = single(old, opts)
    after, also = single(new, opts)
    out = report("diff", [before, after], diagnostics=said + also)
    found = difference(before, after)
    return replace(out, diff=found, checks=[judged(budget, found) for budget in gates])


def single(source: str, opts: Options) -> tuple[record.Model, list[record.Diagnostic]]:
    """The one model of a source."""
    if source.endswith(".json"):
        found = read_report(source).models
        if len(found) != 1:
            raise UsageError(f"{source} holds {len(found)} models; a difference takes one")
        return found[0], []
    items = list(expand((source,)))
    if len(items) != 1:
        raise UsageError(f"{source} names {len(items)} sources; a difference takes one")
    return model_of(load(items[0], opts), opts)
